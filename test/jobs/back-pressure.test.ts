/** A slow sink stops its source: nothing grows, nothing is lost, checkpoints go on, and the event loop is given back. */
import { expect, it } from 'vitest'
import { StreamExecutionEnvironment } from '../../src/api/stream-execution-environment.ts'
import { seededIds } from '../../src/base/ids.ts'
import { seededRandom } from '../../src/base/random.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import {
  DataGeneratorSource,
  END_OF_INPUT,
  RestartStrategies,
  type Source,
  WatermarkStrategy,
} from '../../src/index.ts'
import { startJob } from '../../src/runtime/execute.ts'
import { describeJobs, promises } from './harness.ts'
import { byNumber, Ledger, punctuated, range, ticks, timedSource } from './parts.ts'

const CREDIT = 16

/** Counts what is between two points of a job, and the most there ever was. */
class Between {
  now = 0
  most = 0
  enter = <T>(value: T): T => {
    this.most = Math.max(this.most, ++this.now)
    return value
  }
  leave(): void {
    this.now--
  }
}

describeJobs('Under back-pressure', (newWorld) => {
  it('a source stops when the credit is used up, and nothing is lost', async () => {
    const world = newWorld()
    const env = world.env().configure({ 'execution.channel-credit': CREDIT })
    const between = new Between()
    const sink = new Ledger<number>({
      write: async () => {
        await world.sleep(10)
        between.leave()
      },
    })
    env.fromSequence(1, 300).map(between.enter).rebalance().sinkTo(sink)
    await world.until(env.execute('x'))
    // One is inside the sink.
    expect(between.most).toBeLessThanOrEqual(CREDIT + 1)
    expect(between.most).toBeGreaterThan(CREDIT / 2)
    expect(sink.committed).toEqual(range(1, 300))
    expect(world.clock.now() - 1_000_000).toBe(3_000)
  })

  it('each subtask in a row of several holds its own channel and no more', async () => {
    const world = newWorld()
    const env = world.env().configure({ 'execution.channel-credit': CREDIT })
    const stages = [new Between(), new Between(), new Between()] as const
    const sink = new Ledger<number>({
      write: async () => {
        await world.sleep(1)
        stages[2].leave()
      },
    })
    const [first, second, third] = stages
    env
      .fromSequence(1, 500)
      .map(first.enter)
      .rebalance()
      .map((value) => {
        first.leave()
        return second.enter(value)
      })
      .rebalance()
      .map((value) => {
        second.leave()
        return third.enter(value)
      })
      .rebalance()
      .sinkTo(sink)
    await world.until(env.execute('x'))
    for (const { most } of stages) expect(most).toBeLessThanOrEqual(CREDIT + 1)
    expect(sink.committed).toEqual(range(1, 500))
  })

  it('a flatMap of 10,000 elements is interrupted between two of them', async () => {
    const world = newWorld()
    const env = world.env().configure({ 'execution.channel-credit': CREDIT })
    env.enableCheckpointing(10)
    const between = new Between()
    const sink = new Ledger<number>({
      write: (value) => {
        between.leave()
        return value % 20 === 0 ? world.sleep(1) : undefined
      },
    })
    env
      .fromData([0, 1])
      .flatMap(function* (round) {
        for (let index = 0; index < 10_000; index++) yield between.enter(round * 10_000 + index)
      })
      .rebalance()
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(between.most).toBeLessThanOrEqual(CREDIT + 1)
    expect(sink.committed).toEqual(range(0, 19_999))
  })

  it('an array of 10,000 elements is interrupted as well', async () => {
    const world = newWorld()
    const env = world.env().configure({ 'execution.channel-credit': CREDIT })
    const between = new Between()
    const sink = new Ledger<number>({
      write: () => {
        between.leave()
      },
    })
    env
      .fromData([0])
      .flatMap(() => range(1, 10_000))
      .map(between.enter)
      .rebalance()
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(between.most).toBeLessThanOrEqual(CREDIT + 1)
    expect(sink.committed).toEqual(range(1, 10_000))
  })

  it('arrays, nested flatMaps and chains are interrupted as well, and keep their order', async () => {
    const world = newWorld()
    const env = world.env().configure({ 'execution.channel-credit': CREDIT })
    const between = new Between()
    const sink = new Ledger<string>({
      write: () => {
        between.leave()
        return world.sleep(1)
      },
    })
    env
      .fromSequence(1, 3)
      .flatMap((a) => range(1, 10).map((b) => `${a}.${b}`))
      .flatMap(function* (text) {
        for (const c of range(1, 10)) yield `${text}.${c}`
      })
      .map(between.enter)
      .rebalance()
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(between.most).toBeLessThanOrEqual(CREDIT + 1)
    const expected = range(1, 3).flatMap((a) => range(1, 10).flatMap((b) => range(1, 10).map((c) => `${a}.${b}.${c}`)))
    expect(sink.committed).toEqual(expected)
  })

  it('a watermark does not overtake what an interrupted flatMap still has to emit', async () => {
    for (const chained of [true, false]) {
      const world = newWorld()
      const env = world.env().configure({ 'execution.channel-credit': CREDIT })
      const late: number[] = []
      const source = env.fromSource(
        timedSource(world, { a: range(1, 5).map((value) => ({ afterMs: 0, value, timestamp: value * 10 })) }),
        punctuated<number>(),
        'timed',
      )
      const sink = new Ledger<number>({ write: () => world.sleep(1) })
      const spread = (chained ? source : source.rebalance()).flatMap((value) => range(1, 100).map(() => value * 10))
      spread
        .rebalance()
        .process<number>(() => ({
          processElement(value, context, out) {
            // The watermark of the record itself comes behind all that came of it.
            if (context.timerService().currentWatermark() >= value) late.push(value)
            out.collect(value)
          },
        }))
        .sinkTo(sink)
      await world.until(env.execute('x'))
      expect({ chained, late: late.length }).toEqual({ chained, late: 0 })
      expect(sink.committed).toHaveLength(500)
    }
  })

  it('the last watermark does not overtake either', async () => {
    const world = newWorld()
    const env = world.env().configure({ 'execution.channel-credit': CREDIT })
    let late = 0
    env
      .fromSource(
        timedSource(world, { a: [{ afterMs: 0, value: 1, timestamp: 5 }] }),
        WatermarkStrategy.forMonotonousTimestamps(),
        'timed',
      )
      .flatMap(() => range(1, 1_000))
      .rebalance()
      .process<number>(() => ({
        processElement(value, context, out) {
          if (context.timerService().currentWatermark() > 5) late++
          out.collect(value)
        },
      }))
      .sinkTo(new Ledger({ write: () => world.sleep(1) }))
    await world.until(env.execute('x'))
    expect(late).toBe(0)
  })

  it('nor where a reader brings its last record and the end in one call', async () => {
    const world = newWorld()
    const env = world.env().configure({ 'execution.channel-credit': CREDIT })
    const numbers = new DataGeneratorSource((index) => index, { count: 1 })
    let late = 0
    const source: Source<number> = {
      boundedness: 'bounded',
      createEnumerator: (context, restored) => numbers.createEnumerator(context as never, restored as never) as never,
      createReader: () => ({
        start() {},
        pollNext(output) {
          output.collect(1, 5)
          return END_OF_INPUT
        },
        isAvailable: () => Promise.resolve(),
        snapshotState: () => [],
        addSplits() {},
        notifyNoMoreSplits() {},
        close() {},
      }),
    }
    env
      .fromSource(source, WatermarkStrategy.noWatermarks(), 'all at once')
      .flatMap(() => range(1, 1_000))
      .rebalance()
      .process<number>(() => ({
        processElement(value, context, out) {
          if (context.timerService().currentWatermark() > 5) late++
          out.collect(value)
        },
      }))
      .sinkTo(new Ledger({ write: () => world.sleep(1) }))
    await world.until(env.execute('x'))
    expect(late).toBe(0)
  })

  it('barriers still get through while an output has no credit, and checkpoints complete', async () => {
    const world = newWorld()
    const env = world.env().setParallelism(2).configure({ 'execution.channel-credit': CREDIT })
    env.enableCheckpointing(50)
    const sink = new Ledger<number>({ write: () => world.sleep(2) })
    env
      .fromSequence(1, 2_000)
      .keyBy((value) => value % 10)
      .reduce((_, value) => value)
      .rebalance()
      .map((value) => value)
      .rebalance()
      .sinkTo(sink)
    const client = await world.until(env.executeAsync('x'))
    await world.advance(1_000)
    const completed = world.ofType('checkpoint.completed')
    expect(completed.length).toBeGreaterThan(5)
    expect(sink.committed.length).toBeGreaterThan(100)
    await world.until(client.getJobExecutionResult())
    expect(sink.committed.toSorted(byNumber)).toEqual(range(1, 2_000))
  })

  it('a barrier that stands first passes while the output has no credit at all', async () => {
    const world = newWorld()
    const env = world.env().configure({ 'execution.channel-credit': CREDIT })
    env.enableCheckpointing('10 min')
    let stuck = true
    const sink = new Ledger<number>({ write: () => (stuck ? world.sleep(60_000) : undefined) })
    env
      .fromSource(ticks(world, 2, 10), WatermarkStrategy.noWatermarks(), 'ticks')
      .rebalance()
      .flatMap(() => range(1, CREDIT))
      .rebalance()
      .sinkTo(sink)
    const client = await world.until(env.executeAsync('x'))
    await world.advance(15)
    const checkpoint = client.triggerCheckpoint()
    await world.advance(1_000)
    const acknowledged = (task: string) =>
      world.steps.some(({ id, value }) => id.startsWith(task) && id.includes('checkpoint-') && value === 'acknowledged')
    expect([acknowledged('Source'), acknowledged('Flat Map'), acknowledged('Sink')]).toEqual([true, true, false])
    stuck = false
    await world.until(checkpoint)
    await world.until(client.getJobExecutionResult())
    expect(sink.committed).toEqual([...range(1, CREDIT), ...range(1, CREDIT)])
  })

  it('a failure in the middle loses nothing that stood in the channels', async () => {
    const world = newWorld()
    const env = world.env().setParallelism(2).configure({ 'execution.channel-credit': CREDIT })
    env.enableCheckpointing(30).setRestartStrategy(RestartStrategies.fixedDelayRestart(10, 5))
    let failures = 0
    const sink = new Ledger<number>({
      write: async (value) => {
        await world.sleep(1)
        if (value % 150 === 0 && failures < 4) {
          failures++
          throw new Error('down')
        }
      },
    })
    env
      .fromSequence(1, 600)
      .flatMap((value) => [value, value + 10_000])
      .rebalance()
      .map((value) => value)
      .rebalance()
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(failures).toBe(4)
    expect(sink.committed.toSorted(byNumber)).toEqual([...range(1, 600), ...range(10_001, 10_600)])
  })

  it('a branch that is slow holds the other back by no more than the credit', async () => {
    const world = newWorld()
    const env = world.env().configure({ 'execution.channel-credit': CREDIT })
    const [slow, fast] = [new Ledger<number>({ write: () => world.sleep(5) }), new Ledger<number>()]
    const numbers = env.fromSequence(1, 200)
    numbers.rebalance().sinkTo(slow)
    numbers.rebalance().sinkTo(fast)
    const client = await world.until(env.executeAsync('x'))
    await world.advance(300)
    expect(fast.written.length - slow.written.length).toBeLessThanOrEqual(CREDIT + 1)
    await world.until(client.getJobExecutionResult())
    expect([slow.committed, fast.committed]).toEqual([range(1, 200), range(1, 200)])
  })

  it('timers that emit are interrupted between two of them', async () => {
    const world = newWorld()
    const env = world.env().configure({ 'execution.channel-credit': CREDIT })
    const between = new Between()
    const sink = new Ledger<number>({
      write: () => {
        between.leave()
        return world.sleep(1)
      },
    })
    env
      .fromSequence(1, 200)
      .keyBy((value) => value)
      .process<number>(() => ({
        processElement: (value, context) => context.timerService().registerEventTimeTimer(value),
        onTimer: (timestamp, _, out) => out.collect(between.enter(timestamp)),
      }))
      .rebalance()
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(between.most).toBeLessThanOrEqual(CREDIT + 1)
    expect(sink.committed).toEqual(range(1, 200))
  })

  it('is told by the metrics', async () => {
    const world = newWorld()
    const env = world.env().configure({ 'execution.channel-credit': CREDIT })
    env
      .fromSequence(1, 200)
      .rebalance()
      .sinkTo(new Ledger({ write: () => world.sleep(10) }))
    const client = await world.until(env.executeAsync('x'))
    const handle = world.handles[0]
    handle?.metrics()
    await world.advance(1_000)
    expect(handle?.metrics().backPressuredRatio).toBeGreaterThan(0.5)
    await world.until(client.cancel())
  })
})

describeJobs('A turn', (newWorld) => {
  /** Functions take time on the clock; a turn must end all the same. */
  async function turns(costMs: (value: number) => number, spread = 1): Promise<readonly number[]> {
    const clock = new VirtualClock()
    const due: (() => void)[] = []
    const lengths: number[] = []
    const loop = { next: (turn: () => void) => void due.push(turn) }
    const world = newWorld()
    const env = new StreamExecutionEnvironment({
      ports: () => ({ ...world.ports, clock, turns: loop, ids: seededIds(seededRandom(1)) }),
      layers: [],
      run: undefined,
      start: startJob,
    })
    env
      .fromSequence(1, 3_000)
      .flatMap((value) => Array.from({ length: spread }, () => value))
      .map((value) => {
        clock.skip(costMs(value))
        return value
      })
      .rebalance()
      .sinkTo(new Ledger())
    let over = false
    const end = env.execute('x').finally(() => {
      over = true
    })
    while (!over) {
      await promises()
      const turn = due.shift()
      if (turn === undefined) {
        clock.runNext()
        continue
      }
      const startMs = clock.now()
      turn()
      lengths.push(clock.now() - startMs)
    }
    await end
    return lengths
  }

  const longestTurn = async (...of: Parameters<typeof turns>) => Math.max(...(await turns(...of)))

  it('ends after 8 ms, however slow a function is from its first record on', async () => {
    expect(await longestTurn(() => 0.01)).toBeLessThanOrEqual(10)
    expect(await longestTurn(() => 1)).toBeLessThanOrEqual(10)
    // The call in progress is not counted; that calls are so slow is known behind the first step.
    expect(await longestTurn(() => 20)).toBeLessThanOrEqual(40)
  })

  it('is too long once at most when a function becomes slow all of a sudden', async () => {
    const lengths = await turns((value) => (value >= 2_000 ? 5 : 0.001))
    expect(lengths.filter((ms) => ms > 15)).toHaveLength(1)
  })

  it('ends also while one record becomes thousands', async () => {
    expect(await longestTurn(() => 0.1, 300)).toBeLessThanOrEqual(11)
  })

  it('of an endless source leaves room for whoever wants to cancel', async () => {
    const world = newWorld({ roundMs: 1 })
    const env = world.env()
    env
      .fromSource(new DataGeneratorSource((index) => index), WatermarkStrategy.noWatermarks(), 'without end')
      .sinkTo(new Ledger())
    const client = await world.until(env.executeAsync('x'))
    await world.advance(20)
    await world.until(client.cancel())
    expect(await client.getJobStatus()).toBe('CANCELED')
  })
})
