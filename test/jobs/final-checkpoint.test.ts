/** The checkpoint that ends a job whose input ends: called for once, and again only where it did not come about. */
import { expect, it } from 'vitest'
import { type DataStream, RestartStrategies, WatermarkStrategy } from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { byNumber, Ledger, range, ticks } from './parts.ts'

const RECORDS = 6
const START = 1_000_000

/** As many vertices as there are operators: every one but the source reads over a network of subtasks. */
async function run(world: World, operators: number, parallelism: number, intervalMs: number): Promise<Ledger<number>> {
  const env = world.env().setParallelism(parallelism)
  env.enableCheckpointing(intervalMs)
  const sink = new Ledger<number>()
  let stream: DataStream<number> = env.fromSource(ticks(world, RECORDS, 10), WatermarkStrategy.noWatermarks(), 'ticks')
  for (let operator = 2; operator < operators; operator++) stream = stream.rebalance().map((value) => value)
  if (operators > 1) stream.rebalance().sinkTo(sink)
  else stream.sinkTo(sink)
  await world.until(env.execute('ends well'))
  return sink
}

/** Two sources; while one is at its end and waits, the other still reads. */
async function runTwo(world: World, intervalMs: number, sink: Ledger<number>, timeoutMs = 60_000) {
  const env = world.env()
  env.enableCheckpointing(intervalMs)
  env.getCheckpointConfig().setCheckpointTimeout(timeoutMs).setTolerableCheckpointFailureNumber(10)
  const source = (everyMs: number) =>
    env.fromSource(ticks(world, RECORDS, everyMs), WatermarkStrategy.noWatermarks(), `every ${everyMs} ms`)
  source(1).union(source(10)).rebalance().sinkTo(sink)
  return world.until(env.executeAsync('ends well'))
}

const BOTH = range(0, RECORDS - 1)
  .flatMap((value) => [value, value])
  .toSorted(byNumber)

const HOUR = 3_600_000

describeJobs('A job that ends well', (newWorld) => {
  it.each(range(1, 9))('reports no aborted checkpoint (%i vertices, parallelism 1 to 4)', async (operators) => {
    for (const parallelism of range(1, 4)) {
      const world = newWorld()
      const sink = await run(world, operators, parallelism, 25)
      expect(world.ofType('checkpoint.aborted'), `parallelism ${parallelism}`).toEqual([])
      expect(sink.committed.toSorted(byNumber)).toEqual(range(0, RECORDS - 1))
    }
  })

  it('ends exactly, and aborts one checkpoint at most, where the end falls together with a tick of the interval', async () => {
    for (const intervalMs of range(10, 24)) {
      const world = newWorld({ roundMs: 1, seed: intervalMs })
      const sink = await run(world, 4, 3, intervalMs)
      expect(world.ofType('checkpoint.aborted').length, `every ${intervalMs} ms`).toBeLessThan(2)
      expect(sink.committed.toSorted(byNumber)).toEqual(range(0, RECORDS - 1))
    }
  })

  it('calls again at once where the final checkpoint was missed: it does not wait for the next tick', async () => {
    const world = newWorld()
    const sink = new Ledger<number>({
      makeDurable: (checkpointId) => (checkpointId === 1 ? world.sleep(100) : undefined),
    })
    const client = await runTwo(world, HOUR, sink)
    await world.advance(30)
    // Final for the source that has ended, and not for the other: with it one finishes that the final one waits for.
    await world.until(client.triggerCheckpoint())
    await world.until(client.getJobExecutionResult())
    expect(world.ofType('checkpoint.aborted')).toMatchObject([
      { checkpointId: 2, reason: 'CHECKPOINT_DECLINED_TASK_CLOSING' },
    ])
    expect(world.ofType('checkpoint.completed').map(({ checkpointId }) => checkpointId)).toEqual([1, 3])
    expect(world.clock.now() - START).toBeLessThan(200)
    expect(sink.committed.toSorted(byNumber)).toEqual(BOTH)
  })

  it('ends with the next periodic checkpoint where the final one fails', async () => {
    const world = newWorld()
    const sink = new Ledger<number>({
      makeDurable: (checkpointId) => (checkpointId === 1 ? world.sleep(1_000) : undefined),
    })
    const client = await runTwo(world, HOUR, sink, 200)
    await world.until(client.getJobExecutionResult())
    expect(world.ofType('checkpoint.aborted')[0]).toMatchObject({ checkpointId: 1, reason: 'CHECKPOINT_EXPIRED' })
    expect(world.ofType('checkpoint.completed').map(({ checkpointId }) => checkpointId)).toEqual([2])
    expect(world.clock.now() - START).toBeLessThanOrEqual(HOUR)
    expect(sink.committed.toSorted(byNumber)).toEqual(BOTH)
  })

  it.each([true, false])(
    'ends where it is restored behind a branch that had finished, unaligned %s',
    async (unaligned) => {
      const world = newWorld()
      let failsAt = 40
      const fast = new Ledger<number>()
      const slow = new Ledger<number>({
        write: async (value) => {
          await world.sleep(10)
          if (value < failsAt) return
          failsAt = Number.POSITIVE_INFINITY
          throw new Error('once')
        },
      })
      const env = world.env().setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 5))
      env.enableCheckpointing(100).configure({
        'execution.checkpointing.unaligned.enabled': unaligned,
        'execution.channel-credit': 64,
      })
      const numbers = env.fromSequence(0, 59)
      numbers.rebalance().sinkTo(fast)
      numbers.rebalance().sinkTo(slow)
      await world.until(env.execute('branches'))
      expect(world.clock.now() - START).toBeLessThan(5000)
      for (const sink of [fast, slow]) expect(sink.committed.toSorted(byNumber)).toEqual(range(0, 59))
    },
  )
})
