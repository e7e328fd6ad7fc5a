/** Operations over REST on jobs that really run: what a handler answers is what has happened. */
import { expect, it } from 'vitest'
import { Operations } from '../unit/rest/routes/operations-fixture.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger } from './parts.ts'
import { sums } from './savepoint-parts.ts'

async function started(world: World) {
  const env = world.env()
  env.enableCheckpointing('1 h').getCheckpointConfig().setCheckpointStorage('/checkpoints')
  sums(env, world, new Ledger<string>(), { parallelism: 1 })
  await world.until(env.executeAsync('sums'))
  await world.advance(55)
  const job = world.handles[0]
  if (job === undefined) throw new Error('No job was started.')
  const operations = new Operations({ jobs: [job], files: world.ports.files })
  const run = (path: string, body: object, status?: string) => world.until(operations.run(path, body, status))
  return { job, operations, run, path: `/jobs/${job.jobId}` }
}

describeJobs('Over REST', (newWorld) => {
  it('a savepoint is taken, deleted, and not deleted twice', async () => {
    const world = newWorld()
    const { run, path, job, operations } = await started(world)
    const { body } = await run(`${path}/savepoints`, { 'target-directory': '/savepoints' })
    const location = body.operation.location
    expect(location).toMatch(new RegExp(`^file:/savepoints/savepoint-${job.jobId.slice(0, 6)}-[0-9a-z]{12}$`))
    const deletion = { 'savepoint-path': location }
    const trigger = await world.until(
      operations.ask('POST', '/savepoint-disposal', { 'savepoint-path': '/savepoints/none' }),
    )
    expect(trigger).toEqual({ status: 200, body: { 'request-id': expect.stringMatching(/^[0-9a-f]{32}$/) } })
    expect((await run('/savepoint-disposal', deletion)).body).toEqual({ status: { id: 'COMPLETED' }, operation: {} })
    const again = (await run('/savepoint-disposal', deletion)).body.operation['failure-cause']['stack-trace'].split(
      '\n',
    )
    expect(again[0]).toBe(`org.apache.flink.util.FlinkException: Could not dispose savepoint ${location}.`)
    expect(again[1]).toContain(
      `Caused by: java.io.FileNotFoundException: Cannot find checkpoint or savepoint file/directory '${location}' on file system 'file'.`,
    )
    expect(job.status()).toBe('RUNNING')
    await world.until(job.cancel())
  })

  it('a checkpoint is no savepoint: it is not deleted', async () => {
    const world = newWorld()
    const { run, path, job } = await started(world)
    expect((await run(`${path}/checkpoints`, {})).body.operation).toEqual({ checkpointId: 1 })
    const checkpoint = `/checkpoints/${job.jobId}/chk-1`
    const { body } = await run('/savepoint-disposal', { 'savepoint-path': checkpoint })
    expect(body.operation['failure-cause']['stack-trace']).toContain('is no savepoint')
    const metadata = await world.until(world.ports.files.stat(`${checkpoint}/_metadata`))
    expect(metadata?.kind).toBe('file')
    expect(metadata?.size).toBeGreaterThan(0)
    await world.until(job.cancel())
  })

  it.each([
    ['stop', { targetDirectory: '/savepoints' }, 'FINISHED'],
    ['stop', { targetDirectory: '/savepoints', drain: true }, 'FINISHED'],
    ['savepoints', { 'target-directory': '/savepoints', 'cancel-job': true }, 'CANCELED'],
  ] as const)('a job is over when its savepoint is told: %s %j', async (what, body, end) => {
    const { run, path, job } = await started(newWorld())
    const answer = await run(`${path}/${what}`, body, `${path}/savepoints`)
    expect([answer.body.operation.location, job.status()]).toEqual([expect.stringMatching(/^file:\/savepoints\//), end])
  })

  it('a stop whose directory cannot be made leaves the job running, and says what is in the way', async () => {
    const world = newWorld()
    const { run, path, job } = await started(world)
    await world.until(world.ports.files.execute([{ type: 'writeNew', path: '/file', bytes: new Uint8Array(1) }]))
    const { body } = await run(`${path}/stop`, { targetDirectory: '/file/deeper' }, `${path}/savepoints`)
    const lines = body.operation['failure-cause']['stack-trace'].split('\n')
    expect(lines.slice(0, 2)).toEqual([
      'org.apache.flink.runtime.checkpoint.CheckpointException: An Exception occurred while triggering the checkpoint. IO-problem detected.',
      'Caused by: java.io.IOException: Failed to create savepoint directory at file:/file/deeper',
    ])
    expect(lines[2]).toContain('A file is in the way of the folder')
    expect(job.status()).toBe('RUNNING')
    await world.until(job.cancel())
  })
})
