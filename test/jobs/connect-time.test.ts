/** Event time of two inputs through whole jobs: the slower one decides, a silent one holds nothing back, and nothing is passed by what comes behind it. */
import { expect, test } from 'vitest'
import { CollectSink, type DataStream, WatermarkStrategy } from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { byNumber, Ledger, punctuated, range, type Timed, timedSource } from './parts.ts'

const stamped = (timestamps: readonly number[], everyMs: number): readonly Timed<number>[] =>
  timestamps.map((timestamp, index) => ({ afterMs: index * everyMs, value: timestamp, timestamp }))

/** The watermarks that are seen behind a stream, one of each. */
function watermarksOf(stream: DataStream<number>): readonly number[] {
  const seen: number[] = []
  stream
    .rebalance()
    .process<never>(() => ({
      processElement(_, at) {
        const watermark = at.timerService().currentWatermark()
        if (seen.at(-1) !== watermark) seen.push(watermark)
      },
    }))
    .sinkTo(new CollectSink())
  return seen
}

const connected = (first: DataStream<number>, second: DataStream<number>): DataStream<number> =>
  first.connect(second).map(
    (value) => value,
    (value) => value,
  )

/** Idle when nothing came for a second. */
const withIdleness = (world: World, values: readonly Timed<number>[], untilMs = 0) =>
  [
    timedSource(world, { s: values }, untilMs),
    WatermarkStrategy.forMonotonousTimestamps<number>().withIdleness('1 s'),
  ] as const

describeJobs('The event time of connected streams', (newWorld) => {
  test('stands at the slower one', async () => {
    const world = newWorld()
    const env = world.env()
    const slow = env.fromSource(timedSource(world, { s: stamped([1, 2, 3, 4], 100) }), punctuated<number>(), 'slow')
    const fast = env.fromSource(timedSource(world, { f: stamped([100, 200, 300, 400], 50) }), punctuated<number>(), 'f')
    const seen = watermarksOf(connected(fast, slow))
    await world.until(env.execute('x'))
    expect(seen.slice(0, 4)).toEqual([Number.NEGATIVE_INFINITY, 1, 2, 3])
    expect(seen).toEqual(seen.toSorted(byNumber))
  })

  test('is not held back by one that has gone idle, whichever it is, and never goes back when that comes to life', async () => {
    for (const idleIsFirst of [true, false]) {
      const world = newWorld()
      const env = world.env()
      const values = [
        { afterMs: 0, value: 1, timestamp: 1 },
        { afterMs: 2_500, value: 2, timestamp: 2 },
      ]
      const idle = env.fromSource(...withIdleness(world, values, 4_500), 'idle')
      const active = env.fromSource(
        timedSource(world, {
          a: stamped(
            range(1, 60).map((index) => index * 1_000),
            100,
          ),
        }),
        WatermarkStrategy.forMonotonousTimestamps<number>(),
        'active',
      )
      const seen = watermarksOf(idleIsFirst ? connected(idle, active) : connected(active, idle))
      await world.until(env.execute('x'))
      expect({ idleIsFirst, second: seen[1] }).toEqual({ idleIsFirst, second: 0 })
      expect(seen[2]).toBeGreaterThan(9_000)
      expect(seen).toEqual(seen.toSorted(byNumber))
      // Alive and far behind, it holds the watermark from 2.5 s until it has been silent for a second again.
      const steps = seen.slice(3).map((watermark, index) => watermark - (seen[index + 2] as number))
      const jump = steps.findIndex((step) => step >= 9_000)
      expect(seen[jump + 2]).toBeGreaterThan(20_000)
      expect(seen[jump + 3]).toBeLessThan(40_000)
    }
  })

  test('is idle when both are: a third stream goes on by itself', async () => {
    const world = newWorld()
    const env = world.env()
    const silent = (value: number) =>
      env.fromSource(...withIdleness(world, [{ afterMs: 0, value, timestamp: value }], 5_000), `silent ${value}`)
    const [one, other] = [silent(1), silent(2)]
    const third = env.fromSource(
      timedSource(world, {
        a: stamped(
          range(1, 40).map((index) => index * 1_000),
          100,
        ),
      }),
      WatermarkStrategy.forMonotonousTimestamps<number>(),
      'third',
    )
    const seen = watermarksOf(connected(one, other).union(third))
    await world.until(env.execute('x'))
    expect(seen.filter((watermark) => watermark > 10_000 && watermark < 40_000).length).toBeGreaterThan(10)
  })

  test('fires every timer before it goes on, though the output has room for few', async () => {
    const world = newWorld()
    const env = world.env().setParallelism(2).configure({ 'execution.channel-credit': 2 })
    const order: string[] = []
    const sink = new Ledger<number>({ write: () => world.sleep(1) })
    const first = env.fromSource(timedSource(world, { s: stamped([1, 2, 3], 1) }), punctuated<number>(), 'first')
    const second = env.fromSource(timedSource(world, { t: stamped([1, 2, 500], 1) }), punctuated<number>(), 'second')
    first
      .connect(second)
      .keyBy(
        () => 'k',
        () => 'k',
      )
      .process<number>(() => ({
        processElement1(value, at) {
          for (let ms = 0; ms < 100; ms++) at.timerService().registerEventTimeTimer(value + 3 + ms)
        },
        processElement2: () => {},
        onTimer: (timestamp, _, out) => out.collect(timestamp),
      }))
      .process<number>(() => ({
        processElement(timestamp, at, out) {
          order.push(timestamp > at.timerService().currentWatermark() ? 'in time' : 'late')
          out.collect(timestamp)
        },
      }))
      .rebalance()
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(sink.written.toSorted(byNumber)).toEqual(range(4, 105))
    expect(new Set(order)).toEqual(new Set(['in time']))
  })
})
