/** Lets the event loop have its turn while much state is decoded. */
import type { Clock } from '../base/clock.ts'
import type { Turns } from '../base/turns.ts'

const SLICE_MS = 5

export class RestorePace {
  readonly #clock: Clock
  readonly #turns: Turns | undefined
  #begunMs: number | undefined

  /** Without `turns` everything is done in one go. */
  constructor(clock: Clock, turns: Turns | undefined) {
    this.#clock = clock
    this.#turns = turns
  }

  /** The slice of time is used up; the first call begins one. */
  isUsedUp(): boolean {
    if (this.#turns === undefined) return false
    const nowMs = this.#clock.monotonic()
    this.#begunMs ??= nowMs
    return nowMs - this.#begunMs >= SLICE_MS
  }

  /** Everything else that is due has been done; a new slice begins. */
  async nextTurn(): Promise<void> {
    await new Promise<void>((goOn) => this.#turns?.next(goOn))
    this.#begunMs = this.#clock.monotonic()
  }
}
