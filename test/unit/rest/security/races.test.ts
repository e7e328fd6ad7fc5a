/** What several clients ask for in one moment: S12 and S19 of docs/SECURITY-CHECKLIST.md. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { FileOperation } from '../../../../src/base/file-system.ts'
import { locatePath } from '../../../../src/base/locate-path.ts'
import { SimulatedFileSystem } from '../../../../src/base/simulated-file-system.ts'
import { disposeCheckpoint } from '../../../../src/checkpoint/dispose-checkpoint.ts'
import type { RestServer } from '../../../../src/rest/index.ts'
import { MiniCluster } from '../../../../src/testing/index.ts'
import { codeOf, JOB_ID, open, portsOn, prepare } from '../../checkpoint/job-fixture.ts'
import { declareEvil } from './evil-job.ts'

async function running(cluster: MiniCluster, server: RestServer) {
  const env = cluster.environment().enableCheckpointing(3_600_000)
  declareEvil(cluster, env, { name: 'plain' })
  const job = await env.executeAsync('raced for', { rest: server })
  await cluster.untilRunning(job)
  return job
}

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes.
  readonly body: any
}

async function send(server: RestServer, method: string, path: string, body?: unknown): Promise<Answer> {
  const answer = await fetch(`${server.url}${path}`, {
    method,
    headers: { connection: 'close', 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: await answer.json() }
}

/** The result of an operation, when it is there. */
async function resultOf(server: RestServer, path: string): Promise<{ location?: string; why: string }> {
  for (;;) {
    const { body } = await send(server, 'GET', path)
    if (body.status.id !== 'COMPLETED') continue
    return { location: body.operation.location, why: body.operation['failure-cause']?.['stack-trace'] ?? '' }
  }
}

describe('Savepoints that are asked for in one moment', () => {
  it('are one where they have one trigger id', async () => {
    await using cluster = new MiniCluster()
    const server = await cluster.rest()
    const { jobId } = await running(cluster, server)
    const at = `/jobs/${jobId}/savepoints`
    const wish = { triggerId: 'AB'.repeat(16), 'target-directory': '/sp' }
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(server, 'POST', at, wish)))
    expect(new Set(answers.map(({ status, body }) => `${status} ${body['request-id']}`))).toEqual(
      new Set([`202 ${'ab'.repeat(16)}`]),
    )
    expect((await resultOf(server, `${at}/${'ab'.repeat(16)}`)).location).toMatch(/^file:\/sp\/savepoint-/)
    expect(await cluster.files.list('/sp')).toHaveLength(1)
  })

  it('are deleted once where that is asked for several times, and nothing of them stays', async () => {
    await using cluster = new MiniCluster()
    const server = await cluster.rest()
    const { jobId } = await running(cluster, server)
    const at = `/jobs/${jobId}/savepoints`
    const { body } = await send(server, 'POST', at, { 'target-directory': '/sp' })
    const { location } = await resultOf(server, `${at}/${body['request-id']}`)
    const disposals = Array.from({ length: 3 }, async () => {
      const trigger = await send(server, 'POST', '/savepoint-disposal', { 'savepoint-path': location })
      return (await resultOf(server, `/savepoint-disposal/${trigger.body['request-id']}`)).why
    })
    const reasons = await Promise.all(disposals)
    expect(reasons.filter((why) => why === '')).toHaveLength(1)
    for (const why of reasons.filter((one) => one !== '')) expect(why).toContain('java.io.FileNotFoundException')
    expect(await cluster.files.list('/sp')).toEqual([])
  })
})

describe('A savepoint that somebody else deletes in this moment', () => {
  it('is missing for the second one, who leaves alone what the first one goes by', async () => {
    const files = new SimulatedFileSystem()
    const job = await open(portsOn(files), '/data', { fixedJobId: JOB_ID })
    const metadata = { ...(await prepare(job, 1)), kind: 'savepoint' as const }
    const { path } = await job.storage.publishSavepoint('/savepoints', metadata)
    const first: FileOperation = { type: 'rename', from: `${path}/_metadata`, to: `${path}/_deleting` }
    const second = disposeCheckpoint(files, path, { allow: () => files.execute([first]) })
    expect(await codeOf(second)).toBe('CHECKPOINT_MISSING')
    expect((await files.list(path)).map(({ name }) => name)).toContain('_deleting')
    expect(await codeOf(disposeCheckpoint(files, path, { allow: () => {} }))).toBe('none')
    expect(await files.list('/savepoints')).toEqual([])
  })
})

describe('Stop, cancel and savepoint in one moment', () => {
  it('end the job once, each with a result, and later ones are told that it has ended', async () => {
    await using cluster = new MiniCluster()
    const server = await cluster.rest()
    const job = await running(cluster, server)
    const at = `/jobs/${job.jobId}`
    const triggers = await Promise.all([
      send(server, 'POST', `${at}/stop`, { targetDirectory: '/sp', drain: true }),
      send(server, 'PATCH', `${at}?mode=cancel`),
      send(server, 'POST', `${at}/savepoints`, { 'target-directory': '/sp', 'cancel-job': true }),
      send(server, 'POST', `${at}/savepoints`, { 'target-directory': '/sp' }),
    ])
    expect(triggers.map(({ status }) => status)).toEqual([202, 202, 202, 202])
    const ended = cluster.until(job.getJobExecutionResult()).catch(() => 'canceled')
    const ids = triggers.flatMap(({ body }) => body['request-id'] ?? [])
    const results = await Promise.all(ids.map((id) => resultOf(server, `${at}/savepoints/${id}`)))
    expect(results.every(({ location, why }) => (location === undefined) !== (why === ''))).toBe(true)
    await ended
    expect(['CANCELED', 'FINISHED']).toContain(await job.getJobStatus())
    const late = await send(server, 'POST', `${at}/stop`, { targetDirectory: '/sp' })
    const { why } = await resultOf(server, `${at}/savepoints/${late.body['request-id']}`)
    expect(why).toContain('FlinkJobNotFoundException')
  })
})

describe('A directory that is made while it is looked for', () => {
  it('is found, or is taken for one that is still to be made', async () => {
    const at = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-')))
    for (let time = 0; time < 100; time++) {
      const looked = [locatePath(`${at}/${time}/x`), locatePath(`${at}/${time}`)]
      for (let turn = 0; turn < time % 5; turn++) await new Promise((resolve) => setImmediate(resolve))
      mkdirSync(`${at}/${time}`)
      const found = await Promise.all(looked)
      expect(found.map(({ path }) => path)).toEqual([`${at}/${time}/x`, `${at}/${time}`])
    }
    rmSync(at, { recursive: true })
  })
})
