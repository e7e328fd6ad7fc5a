/** How many checkpoints in a row may fail before the job does, and which failures count. */
import { describe, expect, it } from 'vitest'
import { RestartStrategies, type StreamExecutionEnvironment } from '../../src/index.ts'
import { CHECKPOINT_MODES, type CheckpointMode, counts, countsOf, gate } from './checkpoint-parts.ts'
import { World } from './harness.ts'

const COUNT = 22
const INTERVAL_MS = 20

/** A job whose checkpoints with these ids fail of `how`. */
function failing(world: World, mode: CheckpointMode, tolerable: number, how: Failure, ids: readonly number[]) {
  const env = world.env().setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 10))
  const job = how(env, world, mode, (id) => ids.includes(id))
  env.getCheckpointConfig().setTolerableCheckpointFailureNumber(tolerable)
  return { env, job }
}

type Failure = (
  env: StreamExecutionEnvironment,
  world: World,
  mode: CheckpointMode,
  fails: (checkpointId: number) => boolean,
) => ReturnType<typeof counts>

const thrown = new Error('not this one')

const thrownAt =
  (where: 'snapshotState' | 'enumerator'): Failure =>
  (env, world, mode, fails) => {
    env.configure({ 'execution.checkpointing.fail-tasks-on-errors': false })
    return counts(env, world, {
      mode,
      count: COUNT,
      intervalMs: INTERVAL_MS,
      at: (door, checkpointId) => {
        if (door === where && fails(checkpointId)) throw thrown
      },
    })
  }

const refusedByDisk =
  (name: string): Failure =>
  (env, world, mode, fails) => {
    world.files.interfere = ({ type, path }) =>
      type === 'create' && path.includes(name) && fails(Number(/chk-(\d+)/.exec(path)?.[1]))
        ? { type: 'fail', code: 'ENOSPC' }
        : undefined
    return counts(env, world, { mode, count: COUNT, intervalMs: INTERVAL_MS })
  }

const expires: Failure = (env, world, mode, fails) => {
  env.getCheckpointConfig().setCheckpointTimeout(15)
  return counts(env, world, {
    mode,
    count: COUNT,
    intervalMs: INTERVAL_MS,
    at: (door, checkpointId) => (door === 'makeDurable' && fails(checkpointId) ? world.sleep(18) : undefined),
  })
}

/** By what they are called in Flink's table. */
const COUNTED: Readonly<Record<string, Failure>> = {
  CHECKPOINT_ASYNC_EXCEPTION: refusedByDisk('-keyed-'),
  CHECKPOINT_DECLINED: thrownAt('snapshotState'),
  CHECKPOINT_EXPIRED: expires,
  IO_EXCEPTION: refusedByDisk('-coordinator-'),
  FINALIZE_CHECKPOINT_FAILURE: refusedByDisk('_metadata'),
}

const NOT_COUNTED: Readonly<Record<string, Failure>> = {
  TRIGGER_CHECKPOINT_FAILURE: thrownAt('enumerator'),
}

/** Each in one mode: how barriers travel has no part in what is counted. */
const inTurn = (failures: Readonly<Record<string, Failure>>) =>
  Object.entries(failures).map(([reason, how], index) => ({
    reason,
    how,
    mode: CHECKPOINT_MODES[index % CHECKPOINT_MODES.length] as CheckpointMode,
  }))

describe('Failed checkpoints', () => {
  // What is counted comes to the coordinator in the same words over either link.
  const newWorld = () => new World({ link: 'cloned' })

  const failures = (world: World) =>
    world.ofType('restart.scheduled').map(({ error }) => {
      const { code, details } = error as { readonly code?: string; readonly details?: unknown }
      return { code, details }
    })

  it.each(inTurn(COUNTED))('count: $reason ($mode)', async ({ reason, how, mode }) => {
    const world = newWorld()
    // Two fail, one completes, three fail: of the last of them the job fails, and counts anew.
    const { env, job } = failing(world, mode, 2, how, [2, 3, 5, 6, 7, 8, 9])
    await world.until(env.execute('x'))
    const aborted = world.ofType('checkpoint.aborted').filter((event) => event.reason === reason)
    expect(aborted.map((event) => event.checkpointId)).toEqual([2, 3, 5, 6, 7, 8, 9])
    expect(failures(world)).toMatchObject([
      { code: 'CHECKPOINT_FAILURES_EXCEEDED', details: { checkpointId: 7, reason } },
    ])
    expect(job.far.committed.toSorted()).toEqual(countsOf(COUNT))
  })

  it.each(inTurn(NOT_COUNTED))('do not count: $reason ($mode)', async ({ reason, how, mode }) => {
    const world = newWorld()
    const { env, job } = failing(world, mode, 0, how, [2, 3])
    await world.until(env.execute('x'))
    const aborted = world.ofType('checkpoint.aborted').filter((event) => event.reason === reason)
    expect(aborted.map((event) => event.checkpointId)).toEqual([2, 3])
    expect(failures(world)).toEqual([])
    expect(job.far.committed.toSorted()).toEqual(countsOf(COUNT))
  })

  it('count, of savepoints, where a task declines and not where they expire; one that completes starts the count again', async () => {
    const world = newWorld()
    const env = world.env().setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 10))
    env.configure({ 'execution.checkpointing.fail-tasks-on-errors': false })
    const hung = gate()
    let how: 'hangs' | 'throws' | 'well' = 'hangs'
    const job = counts(env, world, {
      mode: 'unaligned',
      count: COUNT,
      intervalMs: 10_000,
      at: (door) => {
        if (door === 'makeDurable' && how === 'hangs') return hung.opened
        if (door === 'snapshotState' && how === 'throws') throw thrown
        return undefined
      },
    })
    env.getCheckpointConfig().setCheckpointTimeout(15).setTolerableCheckpointFailureNumber(1)
    const client = await world.until(env.executeAsync('x'))
    await world.advance(15)
    for (let times = 0; times < 3; times++)
      expect(await world.failure(client.triggerSavepoint('/savepoints'))).toMatchObject({
        details: { reason: 'CHECKPOINT_EXPIRED' },
      })
    hung.open()
    const declined = async () =>
      expect(await world.failure(client.triggerSavepoint('/savepoints'))).toMatchObject({
        details: { reason: 'CHECKPOINT_DECLINED' },
      })
    how = 'throws'
    await declined()
    how = 'well'
    await world.until(client.triggerSavepoint('/savepoints'))
    how = 'throws'
    await declined()
    expect(failures(world)).toEqual([])
    await declined()
    how = 'well'
    expect(failures(world)).toMatchObject([{ code: 'CHECKPOINT_FAILURES_EXCEEDED' }])
    await world.until(client.getJobExecutionResult())
    expect(job.far.committed.toSorted()).toEqual(countsOf(COUNT))
  })
})
