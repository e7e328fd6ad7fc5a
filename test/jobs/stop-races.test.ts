/** A job that is cancelled, suspended or fails while it is being stopped with a savepoint: resumed, its output is exact. */
import { expect, it } from 'vitest'
import { type JobClient, RestartStrategies } from '../../src/index.ts'
import type { ChartStep } from '../../src/runtime/control/host-chart.ts'
import { describeJobs, type World, type WorldOptions } from './harness.ts'
import { Ledger } from './parts.ts'
import { sums, sumsOf } from './savepoint-parts.ts'

/** At 325 ms a window is out that no checkpoint covers, and another one is open. */
const COUNT = 45

interface Race {
  readonly drain: boolean
  /** The step at which the other thing happens. */
  readonly at: number
  readonly happens: (client: JobClient, world: World, fail: () => void) => void
}

async function raced(newWorld: (options?: WorldOptions) => World, { drain, at, happens }: Race) {
  let steps = -1
  let client: JobClient | undefined
  let failing = false
  const tap = {
    stepped: (_: ChartStep) => {
      if (steps < 0 || client === undefined) return
      if (steps++ === at) queueMicrotask(() => happens(client as JobClient, world, () => (failing = true)))
    },
  }
  const world: World = newWorld({ tap })
  const sink = new Ledger<string>({
    prepare: () => {
      if (!failing) return
      failing = false
      throw new Error('down')
    },
    commit: () => {
      if (!failing) return
      failing = false
      throw new Error('down')
    },
  })
  const run = async (resume?: 'latest') => {
    const env = world.env().setRestartStrategy(RestartStrategies.fixedDelayRestart(3, 10))
    env.enableCheckpointing(70).getCheckpointConfig().setCheckpointStorage('/checkpoints')
    env.getCheckpointConfig().setExternalizedCheckpointRetention('RETAIN_ON_CANCELLATION')
    sums(env, world, sink, { count: COUNT, parallelism: 2 })
    return world.until(env.executeAsync('sums', { resume }))
  }
  client = await run()
  await world.advance(325)
  steps = 0
  const stopping = client.stopWithSavepoint({ drain, targetDirectory: '/savepoints' })
  const stopped = await world.until(
    stopping.then(
      () => 'stopped',
      (thrown: Error) => thrown.message,
    ),
  )
  const status = await world.until(
    client.getJobExecutionResult().then(
      () => 'FINISHED',
      (thrown) => thrown.code as string,
    ),
  )
  const read = world.handles[0]?.metrics().recordsIn ?? 0
  const taken = steps
  steps = -1
  failing = false
  const again = await run('latest')
  await world.until(again.getJobExecutionResult())
  const committed = sink.committed.toSorted()
  return { stopped, status, read, taken, committed }
}

const OTHERS = {
  cancel: (client: JobClient) => void client.cancel().catch(() => {}),
  suspend: (client: JobClient) => void client.suspend().catch(() => {}),
  failure: (_: JobClient, __: World, fail: () => void) => fail(),
} as const

/** All steps take minutes; these meet each state of the stop. */
const EVERY = 9

describeJobs('A stop with savepoint, whatever else happens at one of its steps', (newWorld) => {
  it.each(
    (Object.keys(OTHERS) as (keyof typeof OTHERS)[]).flatMap((other) => [
      [other, false] as const,
      [other, true] as const,
    ]),
  )('leaves a job that goes on exactly: %s (drain: %s)', { timeout: 30_000 }, async (other, drain) => {
    const ends = new Set<string>()
    for (let at = 0, taken = 0; at <= taken; at += EVERY) {
      const race = await raced(newWorld, { drain, at, happens: OTHERS[other] })
      const { stopped, status, read, committed } = race
      taken = race.taken
      // Drained, and named by the record: what had come in by then came out, and no more follows.
      const ended = drain && committed.length < sumsOf(COUNT).length
      expect(committed, `at step ${at}: ${stopped}, ${status}`).toEqual(sumsOf(ended ? read : COUNT))
      ends.add(`${status} ${stopped === 'stopped'}`)
    }
    expect(ends.size).toBeGreaterThan(1)
  })
})
