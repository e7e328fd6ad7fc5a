/** A job with windows of its own making, for tests of savepoints: what it gives does not depend on when it is interrupted. */
import {
  type KeyedContext,
  MapStateDescriptor,
  type OnTimerContext,
  type Sink,
  type StreamExecutionEnvironment,
  WatermarkStrategy,
} from '../../src/index.ts'
import type { World } from './harness.ts'
import { punctuated, range, ticks } from './parts.ts'

export const EVERY_MS = 10
const SIZE = 10
const KEYS = 3

export interface SumsOptions {
  readonly count?: number | undefined
  readonly parallelism?: number | undefined
  readonly strategy?: WatermarkStrategy<number> | undefined
  /** Watermarks are made behind the source, by an operator of its own. */
  readonly assignLater?: boolean | undefined
  /** Called for each record, before it is counted. */
  readonly at?: ((value: number, attempt: number) => void) | undefined
}

/** One number each 10 ms; per key the sum of ten in a row, which comes out by an event-time timer. */
export function sums(env: StreamExecutionEnvironment, world: World, sink: Sink<string>, options: SumsOptions = {}) {
  const { count = 60, parallelism = 2, strategy = punctuated<number>(), assignLater = false, at } = options
  const source = ticks(world, count, EVERY_MS)
  const numbers = assignLater
    ? env
        .fromSource(source, WatermarkStrategy.noWatermarks(), 'ticks')
        .uid('ticks')
        .assignTimestampsAndWatermarks(strategy)
    : env.fromSource(source, strategy, 'ticks').uid('ticks')
  return numbers
    .keyBy((value) => value % KEYS)
    .process<string>((context) => {
      const sum = context.getMapState(new MapStateDescriptor<number, number>('sums'))
      return {
        processElement(value, ctx: KeyedContext<number>) {
          at?.(value, context.attemptNumber)
          const start = value - (value % SIZE)
          sum.set(start, (sum.get(start) ?? 0) + value)
          ctx.timerService().registerEventTimeTimer(start + SIZE - 1)
        },
        onTimer(timestamp, ctx: OnTimerContext<number>, out) {
          const start = timestamp - SIZE + 1
          out.collect(named(ctx.getCurrentKey(), start, sum.get(start) ?? 0))
          sum.delete(start)
        },
      }
    })
    .setParallelism(parallelism)
    .uid('sums')
    .sinkTo(sink)
    .uid('ledger')
}

/** What it gives for the numbers 0 to `count` - 1, sorted: what is left at the end comes out with it. */
export function sumsOf(count: number): readonly string[] {
  const totals = new Map<string, number>()
  for (const value of range(0, count - 1)) {
    const id = `${value % KEYS}@${value - (value % SIZE)}`
    totals.set(id, (totals.get(id) ?? 0) + value)
  }
  return [...totals].map(([id, total]) => `${id}=${total}`).toSorted()
}

const named = (key: number, start: number, total: number) => `${key}@${start}=${total}`
