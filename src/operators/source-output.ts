/**
 * Where a source's reader puts its records: assigns timestamps, feeds the watermark generators (one a split, one for
 * records of no split) and passes records on. Per record two calls and no allocation.
 */
import type { Clock } from '../base/clock.ts'
import { NO_TIMESTAMP } from '../elements/stream-element.ts'
import { assignedTimestamp } from './assigned-timestamp.ts'
import { BehindRecords } from './behind-records.ts'
import type { OutputTag } from './functions.ts'
import { withIdleness } from './idleness.ts'
import type { Gate, Input, OperatorContext, OperatorCounters } from './operator.ts'
import type { ReaderOutput } from './source.ts'
import { SplitWatermarks } from './split-watermarks.ts'
import type { TimestampAssigner, WatermarkGenerator, WatermarkOutput, WatermarkStrategy } from './watermark-strategy.ts'

export interface SourceOutputParts<T> {
  readonly target: Input<T>
  readonly counters: OperatorCounters
  readonly gate: Gate
  readonly resumeLater: OperatorContext['resumeLater']
  readonly clock: Clock
  readonly strategy: WatermarkStrategy<T>
  readonly operatorName: string
  readonly sideOutput: OperatorContext['sideOutput']
  /** Notes that the user's function threw, and gives back what it threw. */
  blame(thrown: unknown): unknown
}

export class SourceOutput<T> {
  readonly #parts: SourceOutputParts<T>
  readonly #watermarks: SplitWatermarks
  readonly #main: AssigningOutput<T>
  readonly #splits = new Map<string, AssigningOutput<T>>()

  constructor(parts: SourceOutputParts<T>) {
    this.#parts = parts
    this.#watermarks = new SplitWatermarks(new BehindRecords(parts.target, parts.gate, parts.resumeLater))
    const untilUsed = { emitWatermark() {}, markIdle: () => this.#watermarks.silent(), markActive() {} }
    this.#main = new AssigningOutput(parts, this.#watermarks.main, this, untilUsed)
  }

  /** What the reader is given: the same object for ever. */
  get reader(): ReaderOutput<T> {
    return this.#main
  }

  createOutputForSplit(splitId: string): ReaderOutput<T> {
    const existing = this.#splits.get(splitId)
    if (existing !== undefined) return existing
    const output = new AssigningOutput(this.#parts, this.#watermarks.add(splitId), this, undefined)
    this.#splits.set(splitId, output)
    return output
  }

  releaseOutputForSplit(splitId: string): void {
    const output = this.#splits.get(splitId)
    if (output === undefined) return
    output.emitPeriodically()
    this.#splits.delete(splitId)
    this.#watermarks.remove(splitId)
  }

  emitPeriodically(): void {
    for (const output of this.#splits.values()) output.emitPeriodically()
    this.#main.emitPeriodically()
  }
}

/** The output of one split, or of the records of no split. */
class AssigningOutput<T> implements ReaderOutput<T> {
  readonly #target: Input<T>
  readonly #counters: OperatorCounters
  readonly #assigner: TimestampAssigner<T> | undefined
  readonly #generator: WatermarkGenerator<T> | undefined
  readonly #watermarks: WatermarkOutput
  /** Takes the periodic emissions as long as there was no record, where that makes a difference. */
  #untilUsed: WatermarkOutput | undefined
  readonly #owner: SourceOutput<T>
  readonly #parts: SourceOutputParts<T>

  constructor(
    parts: SourceOutputParts<T>,
    watermarks: WatermarkOutput,
    owner: SourceOutput<T>,
    untilUsed: WatermarkOutput | undefined,
  ) {
    const { strategy, clock, gate } = parts
    const generator = strategy.createGenerator?.()
    this.#target = parts.target
    this.#counters = parts.counters
    this.#assigner = strategy.timestampAssigner
    this.#generator =
      strategy.idlenessMs === undefined
        ? generator
        : withIdleness(generator, { idlenessMs: strategy.idlenessMs, clock, isBlocked: () => gate.closed !== 0 })
    this.#watermarks = watermarks
    this.#owner = owner
    this.#untilUsed = untilUsed
    this.#parts = parts
  }

  collect(value: T, timestamp: number = NO_TIMESTAMP): void {
    const assigned = this.#assigner === undefined ? timestamp : this.#assign(this.#assigner, value, timestamp)
    this.#counters.recordsOut++
    this.#target.processElement(value, assigned)
    if (this.#generator === undefined) return
    this.#untilUsed = undefined
    // After the record: a watermark that it causes must not overtake it.
    this.#generator.onEvent(value, assigned, this.#watermarks)
  }

  output<S>(tag: OutputTag<S>, value: S, timestamp: number = NO_TIMESTAMP): void {
    this.#parts.sideOutput(tag.id)?.processElement(value, timestamp)
  }

  emitWatermark(timestamp: number): void {
    this.#watermarks.emitWatermark(timestamp)
  }

  markIdle(): void {
    this.#watermarks.markIdle()
  }

  markActive(): void {
    this.#watermarks.markActive()
  }

  createOutputForSplit(splitId: string): ReaderOutput<T> {
    return this.#owner.createOutputForSplit(splitId)
  }

  releaseOutputForSplit(splitId: string): void {
    this.#owner.releaseOutputForSplit(splitId)
  }

  emitPeriodically(): void {
    this.#generator?.onPeriodicEmit(this.#untilUsed ?? this.#watermarks)
  }

  #assign(assigner: TimestampAssigner<T>, value: T, timestamp: number): number {
    let assigned: number
    try {
      assigned = assigner(value, timestamp)
    } catch (thrown) {
      throw this.#parts.blame(thrown)
    }
    return assignedTimestamp(assigned, this.#parts.operatorName)
  }
}
