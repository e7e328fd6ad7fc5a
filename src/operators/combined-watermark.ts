/**
 * Event time of an operator with several inputs, by Flink's rule for operators: the minimum over the inputs that are not
 * idle, and never back. Each input's own channels were combined before (`WatermarkValve`). Pure bookkeeping.
 */
import { MAX_WATERMARK, MIN_WATERMARK } from '../elements/stream-element.ts'

/** Where event time goes. */
export interface TimeTarget {
  processWatermark(timestamp: number): void
  processWatermarkStatus(idle: boolean): void
}

interface InputTime {
  watermark: number
  idle: boolean
}

export class CombinedWatermark {
  readonly #inputs: readonly InputTime[]
  readonly #target: TimeTarget
  #emitted = MIN_WATERMARK
  #idle = false

  constructor(inputs: number, target: TimeTarget) {
    this.#inputs = Array.from({ length: inputs }, () => ({ watermark: MIN_WATERMARK, idle: false }))
    this.#target = target
  }

  /** What one input is to be told. A watermark makes it active. */
  input(index: number): TimeTarget {
    const input = this.#inputs[index] as InputTime
    return {
      processWatermark: (timestamp) => {
        if (timestamp <= input.watermark && !input.idle) return
        if (timestamp > input.watermark) input.watermark = timestamp
        input.idle = false
        this.#combine()
      },
      processWatermarkStatus: (idle) => {
        if (input.idle === idle) return
        input.idle = idle
        this.#combine()
      },
    }
  }

  /**
   * An input that becomes active again holds the watermark until it has caught up, however far behind it is. The last one
   * that goes idle moves nothing: what it had not reached, nobody has.
   */
  #combine(): void {
    let minimum = MAX_WATERMARK
    let idle = true
    for (const input of this.#inputs) {
      if (input.idle) continue
      idle = false
      if (input.watermark < minimum) minimum = input.watermark
    }
    if (idle !== this.#idle) {
      // Active first: downstream takes no watermark from an idle input.
      this.#idle = idle
      this.#target.processWatermarkStatus(idle)
    }
    if (idle || minimum <= this.#emitted) return
    this.#emitted = minimum
    this.#target.processWatermark(minimum)
  }
}
