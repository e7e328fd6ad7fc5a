/** Checkpoints of a job that cannot keep up: barriers overtake the records in flight, and these come back with the checkpoint. */
import { expect, it } from 'vitest'
import type { StreamExecutionEnvironment } from '../../src/index.ts'
import { RestartStrategies, WatermarkStrategy } from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { byNumber, Ledger, range, ticks } from './parts.ts'

const SLOW_MS = 10

function environment(world: World, options: Readonly<Record<string, string | number | boolean>> = {}) {
  const env: StreamExecutionEnvironment = world.env()
  env
    .enableCheckpointing(200)
    .setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 5))
    .configure({
      'execution.checkpointing.unaligned.enabled': true,
      'execution.checkpointing.dir': '/checkpoints',
      'execution.channel-credit': 64,
      ...options,
    })
  return env
}

describeJobs('An unaligned checkpoint', (newWorld) => {
  it.each([1, 2, 3])(
    'completes while records wait before a slow function, and loses none of them, parallelism %d',
    async (parallelism) => {
      const world = newWorld()
      let failsAt = 60
      const sink = new Ledger<number>({
        write: async (value) => {
          await world.sleep(SLOW_MS)
          if (value >= failsAt) {
            failsAt = Number.POSITIVE_INFINITY
            throw new Error('once')
          }
        },
      })
      const env = environment(world).setParallelism(parallelism)
      env
        .fromSource(ticks(world, 200, 1), WatermarkStrategy.noWatermarks(), 'ticks')
        .setParallelism(1)
        .keyBy((value) => value % 7)
        .map((value) => value)
        .rebalance()
        .sinkTo(sink)
      await world.until(env.execute('slow'))
      expect(sink.committed.toSorted(byNumber)).toEqual(range(0, 199))
      const completed = world.ofType('checkpoint.completed')
      expect(completed.filter(({ persistedBytes }) => persistedBytes > 0).length).toBeGreaterThan(2)
    },
  )
})
