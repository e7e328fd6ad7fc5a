/** Connected streams through whole jobs: both inputs reach one operator, share its keyed state, and are exact over failures. */
import { expect, test } from 'vitest'
import {
  CollectSink,
  type DataStream,
  type JobClient,
  OutputTag,
  RestartStrategies,
  type StreamExecutionEnvironment,
  ValueStateDescriptor,
} from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { byNumber, Ledger, punctuated, range, type Timed, timedSource } from './parts.ts'

interface Order {
  readonly id: string
  readonly n: number
}
interface Payment {
  readonly orderId: string
  readonly cents: number
}

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
const keyOf = (index: number) => KEYS[index % KEYS.length] as string

const orders: readonly Timed<Order>[] = range(0, 119).map((n) => ({
  afterMs: n * 2,
  value: { id: keyOf(n), n },
  timestamp: n * 2,
}))
/** Slower. */
const payments: readonly Timed<Payment>[] = range(0, 49).map((n) => ({
  afterMs: n * 6,
  value: { orderId: keyOf(n * 3), cents: n },
  timestamp: n * 6,
}))

const streams = (env: StreamExecutionEnvironment, world: World) => ({
  orders: env.fromSource(timedSource(world, { orders }), punctuated<Order>(), 'orders'),
  payments: env.fromSource(timedSource(world, { payments }), punctuated<Payment>(), 'payments'),
})

/** Each record, the how-manieth of its key it is over both inputs, and a timer for each, 10 ms behind it. */
function ledger(env: StreamExecutionEnvironment, world: World, failAt: Set<string>, parallelism: number) {
  const { orders: first, payments: second } = streams(env, world)
  return first
    .connect(second)
    .keyBy(
      ({ id }) => id,
      ({ orderId }) => orderId,
    )
    .process<string>((context) => {
      const count = context.getState(new ValueStateDescriptor('count', { default: () => 0 }))
      const note = (record: string, key: string): readonly string[] => {
        if (failAt.delete(record)) throw new Error(`down at ${record}`)
        count.update(count.value() + 1)
        return [record, `${key} has ${count.value()}`]
      }
      return {
        processElement1(order, at, out) {
          for (const line of note(`order ${order.n}`, at.getCurrentKey())) out.collect(line)
          at.timerService().registerEventTimeTimer(order.n * 2 + 10)
        },
        processElement2(payment, at, out) {
          for (const line of note(`payment ${payment.cents}`, at.getCurrentKey())) out.collect(line)
          at.timerService().registerEventTimeTimer(payment.cents * 6 + 10)
        },
        onTimer(timestamp, at, out) {
          out.collect(`${at.getCurrentKey()} at ${timestamp}`)
        },
      }
    })
    .setParallelism(parallelism)
}

const perKey = new Map<string, number>()
for (const key of [...orders.map(({ value }) => value.id), ...payments.map(({ value }) => value.orderId)])
  perKey.set(key, (perKey.get(key) ?? 0) + 1)
const expected = [
  ...orders.map(({ value }) => `order ${value.n}`),
  ...payments.map(({ value }) => `payment ${value.cents}`),
  ...[...perKey].flatMap(([key, count]) => range(1, count).map((n) => `${key} has ${n}`)),
  // One timer a key and time, whichever input set it.
  ...new Set([
    ...orders.map(({ value }) => `${value.id} at ${value.n * 2 + 10}`),
    ...payments.map(({ value }) => `${value.orderId} at ${value.cents * 6 + 10}`),
  ]),
].toSorted()

describeJobs('Connected streams', (newWorld) => {
  test('with keys share state and timers of a key, exactly, whatever fails in between', async () => {
    for (const parallelism of [1, 2, 3]) {
      const failAt = new Set(['order 3', 'payment 7', 'order 58', 'order 59', 'payment 31', 'payment 49', 'order 119'])
      const world = newWorld({ stepsPerTurn: parallelism })
      const env = world.env().enableCheckpointing(10)
      env.setRestartStrategy(RestartStrategies.fixedDelayRestart(100, 15))
      const sink = new Ledger<string>()
      ledger(env, world, failAt, parallelism).sinkTo(sink)
      await world.until(env.execute('x'))
      expect(failAt).toEqual(new Set())
      expect({ parallelism, lines: sink.committed.toSorted() }).toEqual({ parallelism, lines: expected })
      expect(world.ofType('checkpoint.completed').length).toBeGreaterThan(5)
    }
  })

  test('go on at another parallelism with the state of both inputs', async () => {
    for (const [from, to] of [
      [1, 3],
      [3, 1],
      [2, 3],
    ] as const) {
      const world = newWorld()
      const sink = new Ledger<string>()
      const start = (parallelism: number, options: { readonly resume?: 'latest' } = {}): PromiseLike<JobClient> => {
        const env = world.env().enableCheckpointing(20)
        env.getCheckpointConfig().setCheckpointStorage('/checkpoints')
        ledger(env, world, new Set(), parallelism).setMaxParallelism(128).sinkTo(sink).setParallelism(1)
        return world.until(env.executeAsync('x', options))
      }
      const before = await start(from)
      await world.advance(115)
      await world.until(before.suspend())
      const committed = sink.committed.length
      const after = await start(to, { resume: 'latest' })
      await world.until(after.getJobExecutionResult())
      expect(committed).toBeGreaterThan(20)
      expect(sink.committed.length).toBeGreaterThan(committed)
      expect({ from, to, lines: sink.committed.toSorted() }).toEqual({ from, to, lines: expected })
    }
  })

  test('are two keyed streams connected, or connected streams keyed: it is the same', async () => {
    const world = newWorld()
    const env = world.env().setParallelism(2)
    const { orders: first, payments: second } = streams(env, world)
    const sums = new CollectSink<string>()
    first
      .keyBy(({ id }) => [id, 'x'])
      .connect(second.keyBy(({ orderId }) => [orderId, 'x']))
      .process<string>((context) => {
        const count = context.getState(new ValueStateDescriptor('count', { default: () => 0 }))
        const add = (key: readonly string[]) => {
          count.update(count.value() + 1)
          return `${key[0]} has ${count.value()}`
        }
        return {
          processElement1: (_, at, out) => out.collect(add(at.getCurrentKey())),
          processElement2: (_, at, out) => out.collect(add(at.getCurrentKey())),
        }
      })
      .sinkTo(sums)
    await world.until(env.execute('x'))
    expect(sums.results().toSorted()).toEqual(expected.filter((line) => line.includes('has')))
  })

  test('without keys are one function object in each subtask', async () => {
    const world = newWorld()
    const env = world.env().setParallelism(2)
    const { orders: first, payments: second } = streams(env, world)
    const log = new CollectSink<string>()
    const rest = new OutputTag<number>('rest')
    const process = first
      .rebalance()
      .connect(second.rebalance())
      .process<string>(() => {
        let count = 0
        return {
          processElement1(order, at, out) {
            expect(at.timestamp()).toBe(order.n * 2)
            out.collect(`${++count}`)
          },
          processElement2(payment, at) {
            count++
            at.output(rest, payment.cents)
          },
        }
      })
    process.sinkTo(log)
    const cents = new CollectSink<number>()
    process.getSideOutput(rest).sinkTo(cents)
    await world.until(env.execute('x'))
    expect(log.results()).toHaveLength(120)
    expect(Math.max(...log.results().map(Number))).toBeGreaterThan(60)
    expect(cents.results().toSorted(byNumber)).toEqual(range(0, 49))
  })

  test('map and flatMap each input by a function of its own', async () => {
    const world = newWorld()
    const env = world.env().setParallelism(3)
    const mapped = new CollectSink<number>()
    const flat = new CollectSink<number>()
    const connected = env.fromSequence(1, 50).connect(env.fromData(['100', '200']))
    connected.map((value) => -value, Number).sinkTo(mapped)
    connected
      .flatMap(
        (value) => (value % 2 === 0 ? [] : [value, value]),
        function* (text) {
          for (let index = 0; index < 3; index++) yield Number(text) + index
        },
      )
      .sinkTo(flat)
    await world.until(env.execute('x'))
    expect(mapped.results().toSorted(byNumber)).toEqual([...range(-50, -1), 100, 200])
    const odd = range(1, 50).filter((value) => value % 2 === 1)
    expect(flat.results().toSorted(byNumber)).toEqual([...odd, ...odd, 100, 101, 102, 200, 201, 202].toSorted(byNumber))
  })

  test('flatMap makes no more than its output has room for, and loses nothing', async () => {
    const world = newWorld()
    const env = world.env().configure({ 'execution.channel-credit': 4 })
    let ahead = 0
    let furthest = 0
    const made = (base: number) =>
      function* () {
        for (let index = 0; index < 200; index++) {
          furthest = Math.max(furthest, ++ahead)
          yield base + index
        }
      }
    const sink = new Ledger<number>({
      write: () => {
        ahead--
        return world.sleep(1)
      },
    })
    env
      .fromData([1])
      .connect(env.fromData(['x']))
      .flatMap(made(0), made(1_000))
      .rebalance()
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(sink.written.toSorted(byNumber)).toEqual([...range(0, 199), ...range(1_000, 1_199)])
    expect(furthest).toBeLessThanOrEqual(8)
  })

  test('may be one and the same stream, a union, and a side output', async () => {
    const world = newWorld()
    const env = world.env()
    const log = new CollectSink<string>()
    const odd = new OutputTag<number>('odd')
    const numbers = env.fromSequence(1, 6)
    const split = numbers.process<number>(() => ({
      processElement: (value, at, out) => (value % 2 === 1 ? at.output(odd, value) : out.collect(value)),
    }))
    numbers
      .connect(numbers)
      .map(
        (value) => `same ${value}`,
        (value) => `again ${value}`,
      )
      .sinkTo(log)
    const both: DataStream<number> = env.fromData([10, 20]).union(env.fromData([30]))
    both
      .connect(split.getSideOutput(odd))
      .map(
        (value) => `union ${value}`,
        (value) => `odd ${value}`,
      )
      .sinkTo(log)
    split
      .connect(split.getSideOutput(odd))
      .map(
        (value) => `main ${value}`,
        (value) => `side ${value}`,
      )
      .sinkTo(log)
    await world.until(env.execute('x'))
    expect(log.results().toSorted()).toEqual(
      [
        ...range(1, 6).flatMap((value) => [`same ${value}`, `again ${value}`]),
        ...[10, 20, 30].map((value) => `union ${value}`),
        ...[1, 3, 5].flatMap((value) => [`odd ${value}`, `side ${value}`]),
        ...[2, 4, 6].map((value) => `main ${value}`),
      ].toSorted(),
    )
  })

  test('wait in a checkpoint for the barrier of the slower input: nothing of the faster one counts twice', async () => {
    /** How many records are counted that should not be, over failures at these records of the slow input. */
    const tooMany = async (mode: 'EXACTLY_ONCE' | 'AT_LEAST_ONCE') => {
      let surplus = 0
      for (const failAt of [8, 15, 22, 29, 36]) {
        const world = newWorld({ roundMs: 1, stepsPerTurn: 1 })
        const env = world.env().enableCheckpointing(10, mode).configure({ 'execution.channel-credit': 4 })
        env.setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 5))
        const sink = new Ledger<string>()
        const hop = (stream: DataStream<number>) => stream.rebalance().flatMap((value) => [value])
        const slow = hop(hop(hop(env.fromSequence(1, 40))))
          .rebalance()
          .flatMap((value) => [value, value, value])
        env
          .fromSequence(1, 400)
          .connect(slow)
          .keyBy(
            (value) => value % 5,
            (value) => value % 5,
          )
          .process<string>((context) => {
            const count = context.getState(new ValueStateDescriptor('count', { default: () => 0 }))
            const next = (key: number) => {
              count.update(count.value() + 1)
              return `${key}:${count.value()}`
            }
            return {
              processElement1: (_, at, out) => out.collect(next(at.getCurrentKey())),
              processElement2(value, at, out) {
                if (value === failAt && context.attemptNumber === 0) throw new Error('down')
                out.collect(next(at.getCurrentKey()))
              },
            }
          })
          .sinkTo(sink)
        await world.until(env.execute('x'))
        expect(world.ofType('restart.scheduled')).toHaveLength(1)
        const counts = range(0, 4).flatMap((key) => range(1, 80 + 24).map((count) => `${key}:${count}`))
        expect(sink.committed).toEqual(expect.arrayContaining(counts))
        surplus += sink.committed.length - counts.length
      }
      return surplus
    }
    expect(await tooMany('EXACTLY_ONCE')).toBe(0)
    // Without waiting it would be seen.
    expect(await tooMany('AT_LEAST_ONCE')).toBeGreaterThan(0)
  })
})
