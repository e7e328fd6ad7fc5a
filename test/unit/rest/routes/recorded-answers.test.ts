import { describe, expect, it } from 'vitest'
import type { ExecutionGraphSnapshot } from '../../../../src/runtime/execution-graph-snapshot.ts'
import { recordings } from '../../../fixtures/flink-rest/recordings.ts'
import { JOB, OUT, SOURCE, TOTALS } from './orders-ids.ts'
import { failure, NOW, ordersGraph, ordersJob, over, vertex } from './orders-job.ts'
import { ask, readRoutes } from './read-routes.ts'
import { shapeDifferences } from './recorded-shape.ts'

const templates = new Set(readRoutes.filter(({ method }) => method === 'GET').map(({ path }) => path))

/** Of another job, checkpoint or task manager than ours. */
function ours(path: string, name: string): string {
  const checkpoint = name.includes('in-progress') ? 49 : name.includes('failed') ? 17 : 25
  return path
    .replace(/^\/(jobs|applications)\/(?!0{32})[0-9a-f]{32}/, `/$1/${JOB}`)
    .replace(/\/checkpoints\/details\/(?!999999|abc)\d+/, `/checkpoints/details/${checkpoint}`)
}

function recorded(folder: string) {
  const all = Object.entries(recordings(folder)).filter(
    ([, { template, method }]) => templates.has(template) && method === 'GET',
  )
  return all.map(([name, recording]) => ({ name, ...recording, path: ours(recording.path, name) }))
}

function ended(status: 'FINISHED' | 'FAILED' | 'CANCELED'): ExecutionGraphSnapshot {
  const attempt = () => over(2, status, 1_000_000, 1_500)
  return ordersGraph({
    ...{ status, statusAtMs: { INITIALIZING: 400_000, RUNNING: 1_000_000, [status]: 1_001_600 }, endedAtMs: 1_001_600 },
    vertices: [
      vertex(SOURCE, 'Source', [attempt()]),
      vertex(TOTALS, 'Totals', [attempt(), attempt()]),
      vertex(OUT, 'Out', [attempt()]),
    ],
    // The last one was no task's: the restart strategy gave up.
    failures:
      status !== 'FAILED'
        ? []
        : [{ ...failure(2, NOW, [failure(2, NOW)]), task: null }, failure(1, 603_000), failure(0, 503_000)],
  })
}

const FOLDERS = [
  ['job-running', ordersGraph()],
  ['job-finished', ended('FINISHED')],
  ['job-failed', ended('FAILED')],
  ['job-canceled', ended('CANCELED')],
  ['job-unaligned', ordersGraph()],
  ['cluster', ordersGraph()],
  ['applications', ordersGraph()],
] as const

describe.each(FOLDERS)('What a real Flink answered in %s', (folder, graph) => {
  it('has status, keys and kinds of our answers', async () => {
    const differences: string[] = []
    const all = recorded(folder)
    for (const { name, path, status, body } of all) {
      const answer = await ask(path, { jobs: [ordersJob(graph)] })
      if (answer.status !== status) differences.push(`${name}: ${answer.status}, recorded ${status}`)
      else differences.push(...shapeDifferences(answer.body, body, name))
    }
    expect(differences).toEqual([])
    expect(all.length).toBeGreaterThan(2)
  })
})

/** What Flink's frames hide: its own line of `errors`, without those of causes. */
function ownLines(errors: readonly string[]): readonly string[] {
  return errors.map(
    (text) =>
      text
        .split('\nCaused by: ')[0]
        ?.trimEnd()
        .replace(/\n\s*\n/g, '\n') ?? '',
  )
}

const REFUSALS = ['errors', 'job-running', 'applications'].flatMap((folder) =>
  recorded(folder).filter(({ status }) => status >= 400),
)

describe('What a real Flink refused to read', () => {
  it.each(REFUSALS.map(({ name, ...one }) => [name, one] as const))(
    '%s: is refused in the same words',
    async (_, recording) => {
      const answer = await ask(recording.path)
      expect(answer.status).toBe(recording.status)
      const { errors } = recording.body as { readonly errors: readonly string[] }
      expect(ownLines(answer.body.errors)).toEqual(ownLines(errors))
    },
  )

  it('is much: unknown and malformed ids of everything', () => {
    expect(REFUSALS.length).toBeGreaterThan(25)
  })
})

describe('A job id', () => {
  it('may be in upper case or have a digit too many', async () => {
    for (const id of [JOB.toUpperCase(), `${JOB}0`]) expect((await ask(`/jobs/${id}`)).body.jid).toBe(JOB)
  })

  it('is refused with two digits too many', async () => {
    expect((await ask(`/jobs/${JOB}00`)).status).toBe(400)
  })
})
