/** How a stream gets its timestamps and watermarks: pure generators, driven by the operator that holds the strategy. */
import { type Duration, toMilliseconds } from '../base/config/duration.ts'
import { MIN_WATERMARK } from '../elements/stream-element.ts'

/** Where a generator says how far the stream has come. */
export interface WatermarkOutput {
  /** No record of this timestamp or an earlier one is expected any more. A lower one than before is ignored. */
  emitWatermark(timestamp: number): void
  /** Nothing will come for a while: this input holds no watermark back. */
  markIdle(): void
  /** Ends `markIdle`. */
  markActive(): void
}

/** One per source split or subtask; it keeps what it has seen. */
export interface WatermarkGenerator<in T> {
  /** Per record. */
  onEvent(value: T, timestamp: number, output: WatermarkOutput): void
  /** Every `pipeline.auto-watermark-interval` (200 ms). */
  onPeriodicEmit(output: WatermarkOutput): void
}

/**
 * The timestamp of a record, in milliseconds since the epoch; `recordTimestamp` is the one that it has already,
 * -Infinity for none. Must be pure.
 */
export type TimestampAssigner<in T> = (value: T, recordTimestamp: number) => number

/** What every strategy may be given. */
export interface WatermarkStrategyOptions<in T> {
  /** Milliseconds since the epoch, from the record and the timestamp that it already has (-Infinity for none). */
  readonly timestampAssigner?: TimestampAssigner<T> | undefined
  /** Without a record for so long, the stream counts as idle and holds no watermark back. */
  readonly idleness?: Duration | undefined
}

/**
 * How records get timestamps, and how the stream tells how far it has come. Given to `fromSource` or
 * `assignTimestampsAndWatermarks`.
 */
export class WatermarkStrategy<in T> {
  /** Undefined: no watermarks before the end of the input. */
  readonly createGenerator: (() => WatermarkGenerator<T>) | undefined
  readonly timestampAssigner: TimestampAssigner<T> | undefined
  readonly idlenessMs: number | undefined

  private constructor(
    createGenerator: (() => WatermarkGenerator<T>) | undefined,
    timestampAssigner: TimestampAssigner<T> | undefined,
    idlenessMs: number | undefined,
  ) {
    this.createGenerator = createGenerator
    this.timestampAssigner = timestampAssigner
    this.idlenessMs = idlenessMs
  }

  /** No watermarks before the end of the input: for jobs without event time. */
  static noWatermarks<T>(options: WatermarkStrategyOptions<T> = {}): WatermarkStrategy<T> {
    return WatermarkStrategy.#of<T>(undefined, options)
  }

  /** Timestamps never fall: the watermark is the latest one seen, less 1 ms. */
  static forMonotonousTimestamps<T>(options: WatermarkStrategyOptions<T> = {}): WatermarkStrategy<T> {
    return WatermarkStrategy.#of<T>(() => boundedOutOfOrderness(0), options)
  }

  /** Records are at most `bound` late: the watermark is the latest timestamp seen, less the bound, less 1 ms. */
  static forBoundedOutOfOrderness<T>(bound: Duration, options: WatermarkStrategyOptions<T> = {}): WatermarkStrategy<T> {
    const boundMs = toMilliseconds(bound, 'forBoundedOutOfOrderness')
    return WatermarkStrategy.#of<T>(() => boundedOutOfOrderness(boundMs), options)
  }

  /** A generator of your own; `create` is called for each split or subtask. */
  static forGenerator<T>(
    create: () => WatermarkGenerator<T>,
    options: WatermarkStrategyOptions<T> = {},
  ): WatermarkStrategy<T> {
    return WatermarkStrategy.#of<T>(create, options)
  }

  static #of<T>(
    create: (() => WatermarkGenerator<T>) | undefined,
    options: WatermarkStrategyOptions<T>,
  ): WatermarkStrategy<T> {
    const idlenessMs = options.idleness === undefined ? undefined : toMilliseconds(options.idleness, 'idleness')
    return new WatermarkStrategy<T>(create, options.timestampAssigner, idlenessMs)
  }

  /** The same strategy; an input without a record for so long holds no watermark back. */
  withIdleness(idleness: Duration): WatermarkStrategy<T> {
    return new WatermarkStrategy<T>(
      this.createGenerator,
      this.timestampAssigner,
      toMilliseconds(idleness, 'withIdleness'),
    )
  }

  /** The same strategy with another timestamp assigner. */
  withTimestampAssigner<U extends T>(assigner: TimestampAssigner<U>): WatermarkStrategy<U> {
    return new WatermarkStrategy<U>(this.createGenerator, assigner, this.idlenessMs)
  }
}

/** Flink's: the largest timestamp seen, less the bound, less 1 ms, since a record of that very timestamp may still come. */
function boundedOutOfOrderness(boundMs: number): WatermarkGenerator<unknown> {
  let largest = MIN_WATERMARK
  return {
    onEvent(_value, timestamp) {
      if (timestamp > largest) largest = timestamp
    },
    onPeriodicEmit(output) {
      if (largest > MIN_WATERMARK) output.emitWatermark(largest - boundMs - 1)
    },
  }
}
