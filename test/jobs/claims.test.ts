/** Jobs that run under the id of an earlier run which had claimed what it started from: what they begin with, and whose that is. */
import { expect, it } from 'vitest'
import { SimulatedFileSystem } from '../../src/base/simulated-file-system.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger } from './parts.ts'
import { sums, sumsOf } from './savepoint-parts.ts'

const JOB_ID = 'a'.repeat(32)

/** What comes out behind a savepoint of 155 ms; the first window stands in it, and is committed with it. */
const isLater = (sum: string) => !/@0=/.test(sum)

interface Start {
  readonly fromSavepoint?: string | undefined
  readonly claimMode?: 'CLAIM' | undefined
  readonly intervalMs?: number | undefined
}

/** It keeps its checkpoints, so that what its record says of them is looked at by the next run. */
async function started(world: World, sink: Ledger<string>, jobId: string | undefined, start: Start = {}) {
  const { intervalMs = 10_000, ...from } = start
  const env = world.env()
  env.enableCheckpointing(intervalMs).getCheckpointConfig().setCheckpointStorage('/checkpoints')
  env.getCheckpointConfig().setExternalizedCheckpointRetention('RETAIN_ON_CANCELLATION')
  if (jobId !== undefined) env.configure({ 'pipeline.fixed-job-id': jobId })
  sums(env, world, sink)
  return world.until(env.executeAsync('sums', from))
}

/** The newest of so many savepoints of a job that has read for so long: its id is `count`. */
async function savepoint(world: World, sink: Ledger<string>, afterMs: number, count = 1): Promise<string> {
  const client = await started(world, sink, undefined)
  await world.advance(afterMs)
  const paths = []
  while (paths.length < count) paths.push(await world.until(client.triggerSavepoint('/savepoints')))
  await world.until(client.cancel())
  return paths.at(-1) as string
}

/** A run that claims and is cancelled before it has a checkpoint of its own. */
async function claimedInVain(world: World, sink: Ledger<string>, fromSavepoint: string): Promise<void> {
  const client = await started(world, sink, JOB_ID, { fromSavepoint, claimMode: 'CLAIM' })
  await world.advance(20)
  await world.until(client.cancel())
}

const isThere = async (world: World, path: string) =>
  (await world.until(world.ports.files.list('/savepoints'))).some(({ name }) => path === `/savepoints/${name}`)

describeJobs('A job under the id of a run that had claimed in vain', (newWorld) => {
  it('begins with nothing when nothing is named, and what was given back stays', async () => {
    const world = newWorld()
    const sink = new Ledger<string>()
    const claimed = await savepoint(world, sink, 255)
    await claimedInVain(world, sink, claimed)
    const before = sink.committed.length
    await world.until((await started(world, sink, JOB_ID)).getJobExecutionResult())
    expect(sink.committed.slice(before).toSorted()).toEqual(sumsOf(60))
    expect(await isThere(world, claimed)).toBe(true)
  })

  it('begins with the savepoint that is named, though the claimed one has a higher id', async () => {
    const world = newWorld()
    const sink = new Ledger<string>()
    const named = await savepoint(world, sink, 155)
    const claimed = await savepoint(world, sink, 455, 5)
    await claimedInVain(world, sink, claimed)
    const before = sink.committed.length
    const client = await started(world, sink, JOB_ID, { fromSavepoint: named, intervalMs: 100 })
    await world.until(client.getJobExecutionResult())
    expect(sink.committed.slice(before).filter(isLater).toSorted()).toEqual(sumsOf(60).filter(isLater))
    expect(await isThere(world, claimed)).toBe(true)
  })
})

describeJobs('A job that had claimed and has died', (newWorld) => {
  it('begins with the savepoint that is named, counts on from the higher id, and deletes what it had claimed', async () => {
    const world = newWorld()
    const sink = new Ledger<string>()
    const named = await savepoint(world, sink, 155)
    const claimed = await savepoint(world, sink, 455, 5)
    await started(world, sink, JOB_ID, { fromSavepoint: claimed, claimMode: 'CLAIM' })
    await world.advance(20)
    world.files.interfere = () => ({ type: 'stop' })
    await world.until(Promise.race([world.files.stopped, world.ports.files.list('/')]))

    const next = newWorld()
    const files = new SimulatedFileSystem({ disk: world.files.disk, turns: next, clock: next.clock })
    Object.assign(next.ports, { files })
    const before = sink.committed.length
    const client = await started(next, sink, JOB_ID, { fromSavepoint: named, intervalMs: 100 })
    await next.until(client.getJobExecutionResult())
    expect(sink.committed.slice(before).filter(isLater).toSorted()).toEqual(sumsOf(60).filter(isLater))
    expect(next.ofType('checkpoint.completed').map(({ checkpointId }) => checkpointId)).toEqual([6, 7, 8, 9, 10])
    expect(await isThere(next, claimed)).toBe(false)
    expect(await isThere(next, named)).toBe(true)
  })
})
