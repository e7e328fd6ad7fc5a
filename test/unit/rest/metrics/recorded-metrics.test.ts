import { describe, expect, it } from 'vitest'
import type { Route } from '../../../../src/rest/route.ts'
import { backpressureRoutes } from '../../../../src/rest/routes/backpressure.ts'
import { clusterRoutes } from '../../../../src/rest/routes/cluster.ts'
import { flamegraphRoutes } from '../../../../src/rest/routes/flamegraph.ts'
import { jobManagerRoutes } from '../../../../src/rest/routes/job-manager.ts'
import { logUrlRoutes } from '../../../../src/rest/routes/log-url.ts'
import { metricsRoutes } from '../../../../src/rest/routes/metrics.ts'
import { profilerRoutes } from '../../../../src/rest/routes/profiler.ts'
import { taskManagersRoutes } from '../../../../src/rest/routes/task-managers.ts'
import { watermarksRoutes } from '../../../../src/rest/routes/watermarks.ts'
import { recordings } from '../../../fixtures/flink-rest/recordings.ts'
import { shapeDifferences } from '../routes/recorded-shape.ts'
import { metricCluster, TASK_MANAGER } from './metric-cluster.ts'

const routes: readonly Route[] = [
  ...[backpressureRoutes, clusterRoutes, flamegraphRoutes, jobManagerRoutes, logUrlRoutes],
  ...[metricsRoutes, profilerRoutes, taskManagersRoutes, watermarksRoutes],
].flat()

/** What is switched off here is on where Flink was recorded. */
const ELSEWHERE = /^(vertex-totals\/flamegraph-\w+_cpu|vertex-totals\/flamegraph-full)$/

function ours(path: string): string {
  return path.replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}/, TASK_MANAGER)
}

function recorded(folder: string) {
  const all = Object.entries(recordings(folder)).filter(
    ([name, { template, method }]) =>
      !ELSEWHERE.test(name) && routes.some((route) => route.path === template && route.method === method),
  )
  return all.map(([name, recording]) => ({ name, ...recording, path: ours(recording.path) }))
}

/** Which metrics there are is another claim. */
function comparable(body: unknown): unknown {
  return Array.isArray(body) ? body.slice(0, 1) : body
}

describe.each(['cluster', 'job-running', 'errors'])('What a real Flink answered in %s', (folder) => {
  it('has status, content type, keys and kinds of our answers', async () => {
    const cluster = await metricCluster()
    const all = recorded(folder)
    const differences: string[] = []
    for (const { name, path, method, sent, status, type, body } of all) {
      const answer = method === 'POST' ? await cluster.post(path, sent) : await cluster.get(path)
      if (answer.status !== status) differences.push(`${name}: ${answer.status}, recorded ${status}`)
      else if (answer.type !== type) differences.push(`${name}: ${answer.type}, recorded ${type}`)
      else differences.push(...shapeDifferences(comparable(answer.body), comparable(body), name))
    }
    expect(all.length).toBeGreaterThan(5)
    expect(differences.filter((one) => !/Ratio|\.(min|max|avg|sum|skew)|cpuCores/.test(one))).toEqual([])
  })
})

describe('A refusal', () => {
  it('says what a real Flink says', async () => {
    const cluster = await metricCluster()
    for (const { name, path, method, sent, body } of recorded('errors')) {
      const { errors: words } = body as { errors?: readonly string[] }
      if (words === undefined) continue
      const answer = method === 'POST' ? await cluster.post(path, sent) : await cluster.get(path)
      const first = (texts: readonly string[]) => texts.map((text) => text.split('\n').slice(0, 2).join('\n').trim())
      const wanted = first(words).map((text) => text.replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}/, TASK_MANAGER))
      const [one = ''] = wanted
      if (wanted.length > 1) expect(first(answer.body.errors), name).toEqual(wanted)
      else expect(answer.body.errors[0], name).toBe(one.split('\n')[0])
    }
  })
})
