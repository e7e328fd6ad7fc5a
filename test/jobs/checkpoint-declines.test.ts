/** What throws in a checkpoint costs that checkpoint or the task, as the job said: never a record, and no file is left. */
import { expect, it } from 'vitest'
import { RestartStrategies } from '../../src/index.ts'
import {
  type CheckpointMode,
  type Counts,
  counts,
  countsOf,
  type Door,
  heard,
  inEachMode,
  inSomeMode,
  strays,
} from './checkpoint-parts.ts'
import { describeJobs, type World } from './harness.ts'

const COUNT = 13
/** The checkpoint in which it throws. */
const BAD = 2

/** Thrown in the turn in which the state is frozen, and whether the barrier has left by then. */
const SYNCHRONOUS = [
  { door: 'prepareCommit', barrierLeft: false },
  { door: 'snapshotState', barrierLeft: true },
  { door: 'operator state', barrierLeft: true },
  { door: 'committable', barrierLeft: true },
] as const satisfies readonly { readonly door: Door; readonly barrierLeft: boolean }[]

/** Thrown beside the records that follow: by a serializer, and by the disk. */
const ASYNCHRONOUS = ['keyed state', 'state file'] as const

describeJobs('A checkpoint', (newWorld, link) => {
  const thrown = new Error('not this one')

  const run = async (
    world: World,
    where: Door | 'state file',
    mode: CheckpointMode,
    failTasks: boolean,
    tolerable: number,
  ): Promise<Counts> => {
    const env = world.env().setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 10))
    let times = 0
    const job = counts(env, world, {
      mode,
      count: COUNT,
      at: (door, checkpointId) => {
        if (door !== where || checkpointId !== BAD || times++ > 0) return undefined
        if (door === 'makeDurable') return Promise.reject(thrown)
        throw thrown
      },
    })
    world.files.interfere = ({ type, path }) =>
      where === 'state file' &&
      type === 'create' &&
      path.includes(`chk-${BAD}/`) &&
      path.includes('-keyed-') &&
      times++ === 0
        ? { type: 'fail', code: 'ENOSPC' }
        : undefined
    const config = env.getCheckpointConfig().setFailTasksOnCheckpointingErrors(failTasks)
    config.setTolerableCheckpointFailureNumber(tolerable)
    const client = await world.until(env.executeAsync('x'))
    await world.when(() => times > 0)
    // Long enough for what was written to be gone, and too short for the next checkpoint.
    await world.advance(5)
    expect(strays(world)).toEqual([])
    await world.until(client.getJobExecutionResult())
    expect(job.near.committed.toSorted()).toEqual(countsOf(COUNT))
    expect(job.far.committed.toSorted()).toEqual(countsOf(COUNT))
    return job
  }

  const declined = (world: World) => world.ofType('checkpoint.aborted').find((event) => event.checkpointId === BAD)
  const next = (world: World) => world.ofType('checkpoint.completed').find((event) => event.checkpointId > BAD)

  it.each(inEachMode(SYNCHRONOUS, link).map(([{ door, barrierLeft }, mode]) => ({ door, barrierLeft, mode })))(
    'in which $door throws is declined and nothing more, where tasks may outlive that ($mode)',
    async ({ door, barrierLeft, mode }) => {
      const world = newWorld()
      const job = await run(world, door, mode, false, 1)
      expect(world.ofType('restart.scheduled')).toEqual([])
      expect(declined(world)).toMatchObject({
        reason: 'CHECKPOINT_DECLINED',
        message: expect.stringContaining('not this one'),
      })
      expect(next(world)?.checkpointId).toBe(BAD + 1)
      expect(job.log).toContain(`aborted ${BAD}`)
      // Of the source and of `middle`: where the barrier has not left, a marker takes its place. A barrier that may be
      // overtaken is announced besides.
      const arrived = heard(world, 'far', BAD).filter((fact) => /^(barrier|cancellation)\.arrived$/.test(fact))
      const last = barrierLeft ? 'barrier.arrived' : 'cancellation.arrived'
      expect(arrived.toSorted()).toEqual(['barrier.arrived', last].toSorted())
    },
  )

  // A state that no serializer takes is another matter: no restart helps against it.
  const failing = SYNCHRONOUS.map(({ door }) => door).filter((door) => door !== 'operator state')
  it.each(inSomeMode(failing, link))(
    'in which %s throws fails the task with the very object, however many may fail (%s)',
    async (door, mode) => {
      const world = newWorld()
      await run(world, door, mode, true, 1_000)
      expect(world.ofType('restart.scheduled').map(({ error }) => error)).toEqual([thrown])
    },
  )

  const late = [true, false].flatMap((failTasks) => ASYNCHRONOUS.map((door) => ({ door, failTasks })))
  it.each(inSomeMode(late, link).map(([{ door, failTasks }, mode]) => ({ door, failTasks, mode })))(
    'that fails in its asynchronous part ($door) is declined and fails no task ($mode, fail tasks: $failTasks)',
    async ({ door, failTasks, mode }) => {
      const world = newWorld()
      await run(world, door, mode, failTasks, 1)
      expect(world.ofType('restart.scheduled')).toEqual([])
      expect(declined(world)).toMatchObject({ reason: 'CHECKPOINT_ASYNC_EXCEPTION' })
      expect(next(world)?.checkpointId).toBe(BAD + 1)
      // Everybody else had met its barrier.
      expect(heard(world, 'far', BAD)).not.toContain('cancellation.arrived')
    },
  )

  it('of which a sink cannot make safe what it was given fails the task: that is nowhere else', async () => {
    const world = newWorld()
    await run(world, 'makeDurable', link === 'direct' ? 'unaligned' : 'aligned', false, 1_000)
    expect(world.ofType('restart.scheduled').map(({ error }) => error)).toEqual([thrown])
  })
})
