/**
 * Says when the work on one element has gone on for long enough: the rest is for a later step, so that one record that
 * becomes thousands, or thousands of timers, hold no turn. It looks at the clock seldom.
 */
import type { Clock } from '../base/clock.ts'

const SLICE_MS = 0.5
/** Looks at the clock behind the 1st, 4th, 16th and 64th piece, and then behind every 64th. */
const FIRST_LOOKS = 64

export class Slice {
  readonly #clock: Clock
  #pieces = 0
  #look = 1
  #startMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** In front of the first piece of a step. */
  begin(): void {
    this.#pieces = 0
    this.#look = 1
  }

  /** Asked once a piece; the first one always goes. */
  isOver(): boolean {
    if (this.#pieces++ < this.#look) return false
    const nowMs = this.#clock.monotonic()
    if (this.#look === 1) this.#startMs = nowMs
    else if (nowMs - this.#startMs >= SLICE_MS) return true
    this.#look = this.#look < FIRST_LOOKS ? this.#look * 4 : this.#look + FIRST_LOOKS
    return false
  }
}
