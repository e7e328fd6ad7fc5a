/** How a stream gets its timestamps and watermarks: pure generators, driven by the operator that holds the strategy. */
import { type Duration, toMilliseconds } from '../base/config/duration.ts'
import { MIN_WATERMARK } from '../elements/stream-element.ts'

export interface WatermarkOutput {
  emitWatermark(timestamp: number): void
  markIdle(): void
  markActive(): void
}

/** One per source split or subtask; it keeps what it has seen. */
export interface WatermarkGenerator<in T> {
  /** Per record. */
  onEvent(value: T, timestamp: number, output: WatermarkOutput): void
  /** Every `pipeline.auto-watermark-interval` (200 ms). */
  onPeriodicEmit(output: WatermarkOutput): void
}

export type TimestampAssigner<in T> = (value: T, recordTimestamp: number) => number

export interface WatermarkStrategyOptions<in T> {
  /** Milliseconds since the epoch, from the record and the timestamp that it already has (-Infinity for none). */
  readonly timestampAssigner?: TimestampAssigner<T> | undefined
  /** Without a record for so long, the stream counts as idle and holds no watermark back. */
  readonly idleness?: Duration | undefined
}

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

  static noWatermarks<T>(options: WatermarkStrategyOptions<T> = {}): WatermarkStrategy<T> {
    return WatermarkStrategy.#of<T>(undefined, options)
  }

  static forMonotonousTimestamps<T>(options: WatermarkStrategyOptions<T> = {}): WatermarkStrategy<T> {
    return WatermarkStrategy.#of<T>(() => boundedOutOfOrderness(0), options)
  }

  static forBoundedOutOfOrderness<T>(bound: Duration, options: WatermarkStrategyOptions<T> = {}): WatermarkStrategy<T> {
    const boundMs = toMilliseconds(bound, 'forBoundedOutOfOrderness')
    return WatermarkStrategy.#of<T>(() => boundedOutOfOrderness(boundMs), options)
  }

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

  withIdleness(idleness: Duration): WatermarkStrategy<T> {
    return new WatermarkStrategy<T>(
      this.createGenerator,
      this.timestampAssigner,
      toMilliseconds(idleness, 'withIdleness'),
    )
  }

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
