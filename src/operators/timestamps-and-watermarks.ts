/** assignTimestampsAndWatermarks in the middle of a stream: gives records their time and makes the watermarks anew. */
import type { Timer } from '../base/clock.ts'
import { MAX_WATERMARK, MIN_WATERMARK } from '../elements/stream-element.ts'
import { assignedTimestamp, checkedWatermark } from './assigned-timestamp.ts'
import { BehindRecords } from './behind-records.ts'
import { withIdleness } from './idleness.ts'
import { type Input, type Operator, type OperatorContext, type OperatorFactory, oneToOne } from './operator.ts'
import type { TimestampAssigner, WatermarkGenerator, WatermarkOutput, WatermarkStrategy } from './watermark-strategy.ts'

/** Periodic emission every `autoWatermarkIntervalMs`; 0 turns it off. */
export function timestampsAndWatermarksOperator<T>(
  strategy: WatermarkStrategy<T>,
  autoWatermarkIntervalMs: number,
): OperatorFactory {
  return oneToOne(
    (context) => new TimestampsAndWatermarks(strategy, autoWatermarkIntervalMs, context as OperatorContext<T>),
  )
}

class TimestampsAndWatermarks<T> implements Operator, Input<T>, WatermarkOutput {
  readonly inputs = [this]
  inputWatermark = MIN_WATERMARK
  readonly #context: OperatorContext<T>
  readonly #time: BehindRecords
  readonly #assigner: TimestampAssigner<T> | undefined
  readonly #generator: WatermarkGenerator<T> | undefined
  readonly #intervalMs: number
  #timer: Timer | undefined
  #emitted = MIN_WATERMARK
  #idle = false
  #stopped = false

  constructor(strategy: WatermarkStrategy<T>, intervalMs: number, context: OperatorContext<T>) {
    const { idlenessMs, createGenerator } = strategy
    const { clock, gate } = context
    this.#context = context
    this.#time = new BehindRecords(context.output, gate, context.resumeLater)
    this.#assigner = strategy.timestampAssigner
    this.#generator =
      idlenessMs === undefined
        ? createGenerator?.()
        : withIdleness(createGenerator?.(), { idlenessMs, clock, isBlocked: () => gate.closed !== 0 })
    this.#intervalMs = this.#generator === undefined ? 0 : intervalMs
  }

  open(): void {
    this.#arm()
  }

  finish(): void {
    this.#generator?.onPeriodicEmit(this)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  close(): void {
    this.#timer?.cancel()
  }

  processElement(value: T, timestamp: number): void {
    const assigned = this.#assigner === undefined ? timestamp : this.#assign(this.#assigner, value, timestamp)
    this.#context.output.processElement(value, assigned)
    this.#generator?.onEvent(value, assigned, this)
  }

  /** Time is made here: of what comes from upstream only the end counts. */
  processWatermark(timestamp: number): void {
    this.inputWatermark = timestamp
    if (timestamp === MAX_WATERMARK) this.emitWatermark(MAX_WATERMARK)
  }

  processWatermarkStatus(_idle: boolean): void {}

  emitWatermark(timestamp: number): void {
    checkedWatermark(timestamp)
    this.markActive()
    if (timestamp <= this.#emitted) return
    this.#emitted = timestamp
    this.#time.processWatermark(timestamp)
  }

  markIdle(): void {
    if (this.#idle) return
    this.#idle = true
    this.#time.processWatermarkStatus(true)
  }

  markActive(): void {
    if (!this.#idle) return
    this.#idle = false
    this.#time.processWatermarkStatus(false)
  }

  #arm(): void {
    if (this.#intervalMs <= 0) return
    this.#timer = this.#context.clock.setTimer(this.#intervalMs, () =>
      this.#context.mail(() => {
        if (this.#stopped) return
        this.#generator?.onPeriodicEmit(this)
        this.#arm()
      }),
    )
  }

  #assign(assigner: TimestampAssigner<T>, value: T, timestamp: number): number {
    let assigned: number
    try {
      assigned = assigner(value, timestamp)
    } catch (thrown) {
      throw this.#context.blame(thrown)
    }
    return assignedTimestamp(assigned, this.#context.task.operatorName)
  }
}
