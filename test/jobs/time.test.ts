/** Event time and processing time through whole jobs: watermarks combine, timers fire in order, silence holds nothing back. */
import { expect, it } from 'vitest'
import {
  CollectSink,
  type DataStream,
  type JobClient,
  RestartStrategies,
  type StreamExecutionEnvironment,
  WatermarkStrategy,
} from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { byNumber, Ledger, punctuated, range, type Timed, ticks, timedSource } from './parts.ts'

const NONE = Number.NEGATIVE_INFINITY
const END = Number.MAX_SAFE_INTEGER

/** Watermarks as they pass, one of each. */
const watermarksOf = <T>(stream: DataStream<T>, seen: number[]) =>
  stream
    .keyBy(() => 0)
    .process<T>(() => ({
      processElement(value, context, out) {
        note(seen, context.timerService().currentWatermark())
        out.collect(value)
      },
    }))

function note(seen: number[], watermark: number): void {
  if (seen.at(-1) !== watermark) seen.push(watermark)
}

const stamped = (timestamps: readonly number[], everyMs: number): readonly Timed<number>[] =>
  timestamps.map((timestamp, index) => ({ afterMs: index * everyMs, value: timestamp, timestamp }))

describeJobs('Event time', (newWorld) => {
  it('fires all due timers in order, before the watermark goes on', async () => {
    const world = newWorld()
    const env = world.env()
    const log: string[] = []
    env
      .fromSource(timedSource(world, { a: stamped([10, 20, 30, 40], 1) }), punctuated<number>(), 'a')
      .keyBy((value) => value)
      .process<number>(() => ({
        processElement(value, context) {
          for (const offset of [25, 5, 15]) context.timerService().registerEventTimeTimer(value + offset)
        },
        onTimer(timestamp, context, out) {
          log.push(`${timestamp} of ${context.getCurrentKey()} at ${context.timerService().currentWatermark()}`)
          expect(context.timeDomain()).toBe('event-time')
          expect(context.timestamp()).toBe(timestamp)
          out.collect(timestamp)
        },
      }))
      .process<number>(() => ({
        processElement: (value, context) =>
          void log.push(`${value} arrives at ${context.timerService().currentWatermark()}`),
      }))
      .sinkTo(new CollectSink())
    await world.until(env.execute('x'))
    const fired = log.filter((line) => line.includes(' of ')).map((line) => Number(line.split(' ')[0]))
    expect(fired).toEqual(fired.toSorted(byNumber))
    expect(fired).toHaveLength(12)
    expect(log.slice(0, 4)).toEqual(['15 of 10 at 20', '15 arrives at 10', '25 of 10 at 30', '25 arrives at 20'])
  })

  it('ends with all timers: those set by timers, too', async () => {
    const world = newWorld()
    const env = world.env().setParallelism(2)
    const sink = new CollectSink<string>()
    env
      .fromSequence(1, 4)
      .keyBy((value) => value)
      .process<string>(() => ({
        processElement: (value, context) => context.timerService().registerEventTimeTimer(value * 1e12),
        onTimer(timestamp, context, out) {
          out.collect(`${context.getCurrentKey()}@${timestamp}`)
          if (timestamp % 2 === 0 && timestamp < 1e13)
            context.timerService().registerEventTimeTimer(timestamp + 1e13 + 1)
        },
      }))
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(sink.results().toSorted()).toEqual(
      range(1, 4)
        .flatMap((value) => [`${value}@${value * 1e12}`, `${value}@${value * 1e12 + 1e13 + 1}`])
        .toSorted(),
    )
  })

  it('stands at the slowest of several inputs', async () => {
    const world = newWorld()
    const env = world.env()
    const seen: number[] = []
    const slow = env.fromSource(timedSource(world, { s: stamped([1, 2, 3, 4], 100) }), punctuated<number>(), 'slow')
    const fast = env.fromSource(
      timedSource(world, { f: stamped([100, 200, 300, 400], 50) }),
      punctuated<number>(),
      'fast',
    )
    watermarksOf(fast.union(slow), seen).sinkTo(new CollectSink())
    await world.until(env.execute('x'))
    expect(seen.slice(0, 4)).toEqual([NONE, 1, 2, 3])
    expect(seen).toEqual(seen.toSorted(byNumber))
  })

  it('is not held back by an input that has gone idle, and never goes back when that comes to life', async () => {
    const world = newWorld()
    const env = world.env()
    const seen: number[] = []
    const idle = env.fromSource(
      timedSource(world, {
        i: [
          { afterMs: 0, value: 1, timestamp: 1 },
          { afterMs: 2_500, value: 2, timestamp: 2 },
        ],
      }),
      WatermarkStrategy.forMonotonousTimestamps<number>().withIdleness('1 s'),
      'idle',
    )
    const active = env.fromSource(
      timedSource(world, {
        a: stamped(
          range(1, 40).map((index) => index * 1_000),
          100,
        ),
      }),
      WatermarkStrategy.forMonotonousTimestamps<number>(),
      'active',
    )
    watermarksOf(idle.union(active), seen).sinkTo(new CollectSink())
    await world.until(env.execute('x'))
    // Up to 1 s it stands at the first record of the idle one; then it follows the active one.
    expect(seen[1]).toBe(0)
    expect(seen[2]).toBeGreaterThan(9_000)
    expect(seen.length).toBeGreaterThan(10)
    expect(seen).toEqual(seen.toSorted(byNumber))
  })

  it('passes through a union, a chain and an exchange of any kind', async () => {
    for (const exchange of ['rebalance', 'rescale', 'shuffle', 'global', 'broadcast', 'forward'] as const) {
      const world = newWorld()
      const env = world.env().setParallelism(3)
      const fired = new CollectSink<number>()
      env
        .fromSource(
          timedSource(world, { a: stamped([1, 2], 10), b: stamped([1, 2], 10), c: stamped([1, 2], 10) }),
          punctuated<number>(),
          'a',
        )
        [exchange]()
        .map((value) => value)
        .keyBy((value) => value)
        .process<number>(() => ({
          processElement: (value, context) => context.timerService().registerEventTimeTimer(value),
          onTimer: (timestamp, _, out) => out.collect(timestamp),
        }))
        .sinkTo(fired)
      await world.until(env.execute(exchange))
      expect({ exchange, fired: [...fired.results()].toSorted(byNumber) }).toEqual({ exchange, fired: [1, 2] })
    }
  })

  it('can be made anew in the middle of a stream', async () => {
    const world = newWorld()
    const env = world.env()
    const seen: number[] = []
    const stream = env
      .fromSource(ticks(world, 10, 100), WatermarkStrategy.noWatermarks(), 'ticks')
      .assignTimestampsAndWatermarks(
        WatermarkStrategy.forBoundedOutOfOrderness<number>(5, { timestampAssigner: (value) => value * 10 }),
      )
    watermarksOf(stream, seen).sinkTo(new CollectSink())
    await world.until(env.execute('x'))
    expect(seen[0]).toBe(NONE)
    // The largest timestamp less the bound less 1.
    for (const watermark of seen.slice(1)) expect((watermark + 6) % 10).toBe(0)
    expect(seen.length).toBeGreaterThan(3)
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, undefined as unknown as number])(
    'refuses %s as a timestamp, from a source and in the middle of a stream',
    async (timestamp) => {
      const strategy = WatermarkStrategy.forMonotonousTimestamps<number>({ timestampAssigner: () => timestamp })
      for (const inTheMiddle of [false, true]) {
        const world = newWorld()
        const env = world.env()
        const source = env
          .fromSource(ticks(world, 1, 1), inTheMiddle ? WatermarkStrategy.noWatermarks() : strategy, 'source')
          .name('clockwork')
        const stream = inTheMiddle ? source.assignTimestampsAndWatermarks(strategy).name('clockwork') : source
        stream.sinkTo(new CollectSink())
        const failure = await world.failure(env.execute('x'))
        expect({ inTheMiddle, cause: failure.cause }).toMatchObject({
          inTheMiddle,
          cause: { code: 'TIMESTAMP_INVALID' },
        })
        expect((failure.cause as Error).message).toContain('clockwork')
      }
    },
  )

  it('sends the last watermark to whoever was restored as finished, and behind it', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(30).setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 10))
    const fired = new Ledger<number>()
    // Finishes long before the failure, and must not hold the watermark back afterwards.
    const early = env.fromSource(timedSource(world, { e: stamped([1, 2], 10) }), punctuated<number>(), 'early')
    const late = env.fromSource(ticks(world, 40, 10), punctuated<number>(), 'late')
    const seen: number[] = []
    early
      .union(late)
      .process<number>(({ attemptNumber }) => ({
        processElement(value, context, out) {
          if (attemptNumber === 0 && value === 30) throw new Error('down')
          if (attemptNumber === 1) note(seen, context.timerService().currentWatermark())
          out.collect(value)
        },
      }))
      .sinkTo(fired)
    await world.until(env.execute('x'))
    expect(world.ofType('restart.scheduled')).toHaveLength(1)
    expect(fired.committed.toSorted(byNumber)).toEqual([1, 2, ...range(0, 39)].toSorted(byNumber))
    // It begins anew, and follows the other input alone.
    expect(seen[0]).toBe(NONE)
    expect(seen.slice(1).length).toBeGreaterThan(5)
    expect(seen.every((watermark) => watermark < END)).toBe(true)
  })
})

describeJobs('Processing time', (newWorld) => {
  const reminded = (env: StreamExecutionEnvironment, world: World, log: string[], failAt: number | undefined) =>
    env
      .fromSource(ticks(world, 10, 100), WatermarkStrategy.noWatermarks(), 'ticks')
      .keyBy((value) => value % 2)
      .process<string>(({ attemptNumber }) => ({
        processElement(value, context) {
          if (value === failAt && attemptNumber === 0) throw new Error('down')
          context.timerService().registerProcessingTimeTimer(context.timerService().currentProcessingTime() + 250)
        },
        onTimer(timestamp, context, out) {
          expect(context.timeDomain()).toBe('processing-time')
          expect(context.timestamp()).toBe(undefined)
          expect(context.timerService().currentProcessingTime()).toBeGreaterThanOrEqual(timestamp)
          log.push(`${context.getCurrentKey()}@${timestamp - 1_000_000}`)
          out.collect(`${timestamp - 1_000_000}`)
        },
      }))

  it('fires timers at their time, and at the end drops those that are not due', async () => {
    const world = newWorld()
    const env = world.env()
    const log: string[] = []
    reminded(env, world, log, undefined).sinkTo(new CollectSink())
    await world.until(env.execute('x'))
    expect(log).toEqual(
      range(0, 7)
        .map((index) => `${index % 2}@${350 + index * 100}`)
        .slice(0, log.length),
    )
    expect(log.length).toBeGreaterThanOrEqual(7)
    expect(world.timersLeft()).toBe(0)
  })

  it('fires past timers at once behind a restart', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(20).setRestartStrategy(RestartStrategies.fixedDelayRestart(1, '10 s'))
    const log: string[] = []
    const sink = new Ledger<string>()
    reminded(env, world, log, 5).sinkTo(sink)
    const client: JobClient = await world.until(env.executeAsync('x'))
    await world.until(client.getJobExecutionResult())
    // Set before the failure, and due while nothing ran: at 650 or earlier.
    for (const due of ['450', '550', '650']) expect(sink.committed).toContain(due)
    expect(new Set(sink.committed).size).toBe(sink.committed.length)
  })
})
