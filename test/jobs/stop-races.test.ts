/** Whatever else happens at any step of a stop with savepoint, the job goes on exactly when it is resumed. */
import { expect, it } from 'vitest'
import { type JobClient, RestartStrategies } from '../../src/index.ts'
import type { ChartStep } from '../../src/runtime/control/host-chart.ts'
import { describeJobs, type World, type WorldOptions } from './harness.ts'
import { Ledger } from './parts.ts'
import { sums, sumsOf } from './savepoint-parts.ts'

const COUNT = 40

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
  await world.advance(255)
  steps = 0
  const stopping = client.stopWithSavepoint({ drain, targetDirectory: '/savepoints' })
  const stopped = await world.until(stopping.then(() => 'stopped', (thrown: Error) => thrown.message))
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
  'second stop': (client: JobClient) =>
    void client.stopWithSavepoint({ drain: true, targetDirectory: '/savepoints' }).catch(() => {}),
  'cancel with savepoint': (client: JobClient) => void client.cancelWithSavepoint('/savepoints').catch(() => {}),
} as const

describeJobs('A stop with savepoint, whatever happens at any of its steps', (newWorld) => {
  it.each(
    (Object.keys(OTHERS) as (keyof typeof OTHERS)[]).flatMap((other) => [
      [other, false] as const,
      [other, true] as const,
    ]),
  )('%s (drain: %s)', { timeout: 100_000 }, async (other, drain) => {
    const seen = new Map<string, number>()
    for (let at = 0; ; at++) {
      const { stopped, status, read, taken, committed } = await raced(newWorld, { drain, at, happens: OTHERS[other] })
      const ended = drain && committed.length < sumsOf(COUNT).length
      const key = `${stopped.replace(/savepoint-\w+-\w+/g, 'S').slice(0, 90)} / ${status} / ${ended}`
      seen.set(key, (seen.get(key) ?? 0) + 1)
      expect(committed, `at step ${at}: ${stopped}, ${status}`).toEqual(sumsOf(ended ? read : COUNT))
      if (at > taken) break
    }
    console.log(other, drain, seen)
  })
})
