/** Makes a watermark generator say when its stream has been silent for too long. Counts no time while the stream is blocked. */
import type { Clock } from '../base/clock.ts'
import type { WatermarkGenerator, WatermarkOutput } from './watermark-strategy.ts'

export interface IdlenessOptions {
  readonly idlenessMs: number
  readonly clock: Clock
  /** True while records cannot flow, for lack of credit downstream for one: silence means nothing then. */
  isBlocked(): boolean
}

/** Judged at each periodic emission: silent for `idlenessMs` on the monotonic clock is idle, the next record active. */
export function withIdleness<T>(
  generator: WatermarkGenerator<T> | undefined,
  options: IdlenessOptions,
): WatermarkGenerator<T> {
  return new IdleGenerator(generator, options)
}

class IdleGenerator<T> implements WatermarkGenerator<T> {
  readonly #generator: WatermarkGenerator<T> | undefined
  readonly #options: IdlenessOptions
  #events = 0
  #eventsSeen = 0
  #silentSinceMs: number
  #idle = false

  constructor(generator: WatermarkGenerator<T> | undefined, options: IdlenessOptions) {
    this.#generator = generator
    this.#options = options
    this.#silentSinceMs = options.clock.monotonic()
  }

  onEvent(value: T, timestamp: number, output: WatermarkOutput): void {
    this.#events++
    if (this.#idle) {
      this.#idle = false
      output.markActive()
    }
    this.#generator?.onEvent(value, timestamp, output)
  }

  onPeriodicEmit(output: WatermarkOutput): void {
    const nowMs = this.#options.clock.monotonic()
    if (this.#events !== this.#eventsSeen || this.#options.isBlocked()) {
      this.#eventsSeen = this.#events
      this.#silentSinceMs = nowMs
    }
    const isSilent = nowMs - this.#silentSinceMs >= this.#options.idlenessMs
    // What it has seen before the silence still counts; an idle one says nothing.
    if (!this.#idle) this.#generator?.onPeriodicEmit(output)
    if (!isSilent) return
    this.#idle = true
    output.markIdle()
  }
}
