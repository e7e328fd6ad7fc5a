/** The timers of one chart, by the names that the chart gave them. Holds them and decides nothing. */
import type { Clock, Timer } from '../../base/clock.ts'

export class NamedTimers {
  readonly #clock: Clock
  readonly #fired: (name: string) => void
  readonly #timers = new Map<string, Timer>()

  /** `fired` is called with the name of each timer that comes due. */
  constructor(clock: Clock, fired: (name: string) => void) {
    this.#clock = clock
    this.#fired = fired
  }

  /** Replaces a timer of the same name. */
  start(name: string, delayMs: number): void {
    this.cancel(name)
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#timers.delete(name)
      this.#fired(name)
    })
    this.#timers.set(name, timer)
  }

  /** Harmless when there is none. */
  cancel(name: string): void {
    this.#timers.get(name)?.cancel()
    this.#timers.delete(name)
  }

  cancelAll(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }
}
