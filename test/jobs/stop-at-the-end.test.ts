/**
 * A stop with savepoint that meets the end of the input, of all sources or of one: it is taken where somebody is left to
 * stop, and else refused. Never does the job fail or restart of it, and its output is exact.
 */
import { expect, it } from 'vitest'
import {
  type JobClient,
  RestartStrategies,
  type StreamExecutionEnvironment,
  WatermarkStrategy,
} from '../../src/index.ts'
import { describeJobs, type World, type WorldOptions } from './harness.ts'
import { byNumber, Ledger, range, timedSource } from './parts.ts'
import { EVERY_MS, sums, sumsOf } from './savepoint-parts.ts'

interface Case {
  readonly checkpoints: boolean
  readonly restarts: boolean
  readonly drain: boolean
}

interface Program<T> {
  /** Where the end begins that the stop is to meet. */
  readonly fromMs: number
  declare(env: StreamExecutionEnvironment, world: World, sink: Ledger<T>): void
}

/** Asks for the stop at one step behind `fromMs`; goes on from the savepoint if there is one. */
async function stoppedAt<T>(
  newWorld: (options?: WorldOptions) => World,
  { declare, fromMs }: Program<T>,
  { checkpoints, restarts, drain, at }: Case & { readonly at: number },
) {
  let steps = -1
  let client: JobClient | undefined
  let answered: Promise<{ readonly path?: string; readonly refused?: string }> | undefined
  const stop = (job: JobClient) => {
    answered = job.stopWithSavepoint({ drain, targetDirectory: '/savepoints' }).then(
      (path) => ({ path }),
      (thrown: Error) => ({ refused: thrown.message }),
    )
  }
  const stepped = () => {
    if (steps >= 0 && steps++ === at) queueMicrotask(() => stop(client as JobClient))
  }
  const world: World = newWorld({ tap: { stepped } })
  const sink = new Ledger<T>()
  const run = async (fromSavepoint?: string) => {
    const env = world.env()
    env.setRestartStrategy(restarts ? RestartStrategies.fixedDelayRestart(3, 10) : RestartStrategies.noRestart())
    if (checkpoints) env.enableCheckpointing(70).getCheckpointConfig().setCheckpointStorage('/checkpoints')
    declare(env, world, sink)
    return world.until(env.executeAsync('ending', { fromSavepoint }))
  }
  client = await run()
  await world.advance(fromMs)
  steps = 0
  // Rejects, and the test with it, where the job has FAILED.
  await world.until(client.getJobExecutionResult())
  const taken = steps
  if (answered === undefined) stop(client)
  const { path, refused } = await world.until(answered as NonNullable<typeof answered>)
  expect(world.ofType('restart.scheduled'), `at step ${at}: ${refused}`).toEqual([])
  if (path !== undefined && !drain) await world.until((await run(path)).getJobExecutionResult())
  return { path, refused, taken, sink, read: world.handles[0]?.metrics().recordsIn ?? 0 }
}

/** Nothing is left behind at the end. */
const REFUSALS = /ended as FINISHED|NOT_ALL_REQUIRED_TASKS_RUNNING|has ended|on its way to another end/

/** All steps (MILLRACE_STOP_EVERY=1) take minutes; these meet each state of the end. */
const EVERY = Number(process.env.MILLRACE_STOP_EVERY ?? 11)

/** At one of so many steps, of which each is tried over both kinds of stop. */
async function atManySteps(
  drain: boolean,
  attempt: (at: number) => Promise<{ path: string | undefined; taken: number }>,
) {
  let stopped = 0
  let refused = 0
  for (let at = drain ? 0 : 2, taken = at; at <= taken; at += EVERY) {
    const outcome = await attempt(at)
    taken = outcome.taken
    if (outcome.path === undefined) refused++
    else stopped++
  }
  return { stopped, refused }
}

const COUNT = 12
const all: Program<string> = {
  fromMs: COUNT * EVERY_MS - 5,
  declare: (env, world, sink) => void sums(env, world, sink, { count: COUNT, parallelism: 2 }),
}

const SHORT = 4
const LONG = 20
const times = (from: number, to: number) =>
  range(from, to).map((value) => ({ afterMs: 10 + (value % 100) * 10, value }))

/** The first of two subtasks has read its split when the other one still reads. */
const one = (keyed: boolean): Program<number> => ({
  fromMs: SHORT * 10 - 5,
  declare(env, world, sink) {
    const source = timedSource<number>(world, { short: times(0, SHORT - 1), long: times(100, 100 + LONG - 1) })
    const numbers = env.fromSource(source, WatermarkStrategy.noWatermarks(), 'two').setParallelism(2).uid('two')
    if (keyed)
      numbers
        .keyBy((value) => value % 3)
        .map((value) => value)
        .setParallelism(2)
        .uid('same')
        .sinkTo(sink)
        .uid('out')
    else numbers.sinkTo(sink).setParallelism(2).uid('out')
  },
})

describeJobs('A stop with savepoint when the input ends by itself', (newWorld) => {
  const cases = [true, false].flatMap((drain) =>
    [
      [true, true],
      [true, false],
      [false, true],
      [false, false],
    ].map(([checkpoints, restarts]) => ({ checkpoints, restarts, drain }) as Case),
  )

  it.each(cases)(
    'of all sources: the job is FINISHED, and never restarts or fails for it (%o)',
    { timeout: 60_000 },
    async (options) => {
      const { stopped, refused } = await atManySteps(options.drain, async (at) => {
        const outcome = await stoppedAt(newWorld, all, { ...options, at })
        if (outcome.path === undefined) expect(outcome.refused).toMatch(REFUSALS)
        expect(outcome.sink.committed.toSorted(), `at step ${at}: ${outcome.refused}`).toEqual(sumsOf(COUNT))
        return outcome
      })
      expect(refused).toBeGreaterThan(0)
      if (options.checkpoints) expect(stopped).toBeGreaterThan(0)
    },
  )

  it.each(cases.flatMap((options) => [true, false].map((keyed) => ({ ...options, keyed }))))(
    'of one source: what is left is stopped, or runs on to its end (%o)',
    { timeout: 60_000 },
    async ({ keyed, ...options }) => {
      const { stopped } = await atManySteps(options.drain, async (at) => {
        const outcome = await stoppedAt(newWorld, one(keyed), { ...options, at })
        const whole = [...range(0, SHORT - 1), ...range(100, 100 + LONG - 1)]
        const seen = outcome.sink.committed.toSorted(byNumber)
        const cut = options.drain && outcome.path !== undefined
        expect(seen, `at step ${at}: ${outcome.refused}`).toEqual(cut ? whole.slice(0, outcome.read) : whole)
        return outcome
      })
      expect(stopped).toBeGreaterThan(0)
    },
  )

  it('of all sources, and the savepoint cannot be written: nothing has stopped for it, so the job ends as it would have', async () => {
    const world = newWorld()
    const sink = new Ledger<string>({ makeDurable: () => world.sleep(200) })
    const env = world.env().setRestartStrategy(RestartStrategies.noRestart())
    env.enableCheckpointing(10_000).getCheckpointConfig().setCheckpointStorage('/checkpoints')
    sums(env, world, sink, { count: COUNT })
    const client = await world.until(env.executeAsync('sums'))
    // The final checkpoint is under way.
    await world.advance(COUNT * EVERY_MS + 50)
    world.files.interfere = ({ to }) =>
      to?.startsWith('/savepoints/savepoint-') ? { type: 'fail', code: 'EIO' } : undefined
    const failure = await world.failure(client.stopWithSavepoint({ drain: true, targetDirectory: '/savepoints' }))
    expect(failure).toMatchObject({ code: 'CHECKPOINT_FAILED', message: expect.stringContaining('EIO') })
    await world.until(client.getJobExecutionResult())
    expect(await client.getJobStatus()).toBe('FINISHED')
    expect(sink.committed.toSorted()).toEqual(sumsOf(COUNT))
  })
})
