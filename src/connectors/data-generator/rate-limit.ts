/** Grants so many records a second on the monotonic clock. What was not used for more than a second is lost: no flood follows a pause. */
import type { Clock, Timer } from '../../base/clock.ts'
import { Availability } from '../availability.ts'
import type { Throttle } from '../sequence/strided-reader.ts'

/** Grants come at most this often, so that a high rate costs no timer a record. */
const SHORTEST_WAIT_MS = 1

export class RateLimit implements Throttle {
  readonly #clock: Clock
  readonly #perMs: number
  readonly #availability = new Availability()
  #accountedMs: number
  /** Part of a record that has accrued. */
  #credit = 0
  #timer: Timer | undefined

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock
    this.#perMs = perSecond / 1000
    this.#accountedMs = clock.monotonic()
  }

  take(): number {
    const nowMs = this.#clock.monotonic()
    const most = Math.max(1, this.#perMs * 1000)
    this.#credit = Math.min(most, this.#credit + (nowMs - this.#accountedMs) * this.#perMs)
    this.#accountedMs = nowMs
    // Sums of fractions: what lies a hair below a whole record is one.
    const granted = Math.floor(this.#credit + 1e-9)
    this.#credit = Math.max(0, this.#credit - granted)
    return granted
  }

  granted(): Promise<void> {
    const waitMs = Math.max(SHORTEST_WAIT_MS, (1 - this.#credit) / this.#perMs)
    this.#timer?.cancel()
    this.#timer = this.#clock.setTimer(waitMs, () => this.#availability.wake())
    return this.#availability.wait()
  }

  close(): void {
    this.#timer?.cancel()
  }
}
