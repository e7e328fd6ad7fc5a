/**
 * A clock that stands still until it is driven. Timers run at their own times, also those that timers set, and
 * equal deadlines in the order in which they were set (or as `random` says).
 */
import type { Clock, Timer } from './clock.ts'
import type { Random } from './random.ts'

interface Deadline {
  readonly atMs: number
  readonly tieBreak: number
  readonly sequence: number
  readonly fired: () => void
}

export class VirtualClock implements Clock {
  #nowMs: number
  #sequence = 0
  /** Sorted, the next one last. */
  readonly #deadlines: Deadline[] = []
  readonly #random: Random | undefined

  constructor(options: { readonly startMs?: number | undefined; readonly random?: Random | undefined } = {}) {
    this.#nowMs = options.startMs ?? 0
    this.#random = options.random
  }

  now(): number {
    return this.#nowMs
  }

  monotonic(): number {
    return this.#nowMs
  }

  setTimer(delayMs: number, fired: () => void): Timer {
    const deadline: Deadline = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      tieBreak: this.#random?.next() ?? 0,
      sequence: this.#sequence++,
      fired,
    }
    let low = 0
    let high = this.#deadlines.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isBefore(deadline, this.#deadlines[middle] as Deadline)) low = middle + 1
      else high = middle
    }
    this.#deadlines.splice(low, 0, deadline)
    return {
      cancel: () => {
        const index = this.#deadlines.indexOf(deadline)
        if (index >= 0) this.#deadlines.splice(index, 1)
      },
    }
  }

  /** When the next timer is due, or undefined when none is set. */
  nextDeadlineMs(): number | undefined {
    return this.#deadlines.at(-1)?.atMs
  }

  /** Moves to the next deadline and runs that one timer. False when none is set. */
  runNext(): boolean {
    const next = this.#deadlines.pop()
    if (next === undefined) return false
    this.#nowMs = Math.max(this.#nowMs, next.atMs)
    next.fired()
    return true
  }

  /** Runs every timer due within `ms`, each at its own time, then stands at the end of that span. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (let atMs = this.nextDeadlineMs(); atMs !== undefined && atMs <= untilMs; atMs = this.nextDeadlineMs())
      this.runNext()
    this.#nowMs = untilMs
  }

  /** Moves the time without running a timer: they are late then, and run at the next `advance`. */
  skip(ms: number): void {
    this.#nowMs += ms
  }
}

function isBefore(one: Deadline, other: Deadline): boolean {
  if (one.atMs !== other.atMs) return one.atMs < other.atMs
  if (one.tieBreak !== other.tieBreak) return one.tieBreak < other.tieBreak
  return one.sequence < other.sequence
}
