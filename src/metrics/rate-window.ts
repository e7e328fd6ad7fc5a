/** What growing totals grew by per second of late, made of looks that come when somebody asks. Pure. */

/** So many marks at most divide a window: a look that comes sooner after a mark than that makes none. */
const MARKS = 12

interface Look {
  readonly atMs: number
  readonly totals: readonly number[]
}

export class RateWindow {
  readonly #windowMs: number
  /** Oldest first; the first may be older than the window. */
  #marks: readonly Look[]
  #newest: Look

  /** `startedAtMs`, on the clock of the looks: when all totals were 0. */
  constructor(windowMs: number, startedAtMs: number) {
    this.#windowMs = windowMs
    this.#newest = { atMs: startedAtMs, totals: [] }
    this.#marks = [this.#newest]
  }

  /** How many looks are kept beside the newest. */
  get marks(): number {
    return this.#marks.length
  }

  /** Looks come in the order of time. Places of totals never change; one that comes later was 0 before. */
  add(atMs: number, totals: readonly number[]): void {
    const last = this.#marks.at(-1)
    if (last === undefined || this.#newest.atMs - last.atMs >= this.#windowMs / MARKS)
      this.#marks = [...this.#marks, this.#newest]
    this.#newest = { atMs, totals }
    const from = this.#marks.findIndex((mark) => atMs - mark.atMs <= this.#windowMs)
    this.#marks = from < 0 ? this.#marks.slice(-1) : this.#marks.slice(from)
  }

  /**
   * By place: from the oldest mark within the window to the newest look; without such a mark from the newest before it, be
   * that long ago. 0 as long as no time has passed.
   */
  perSecond(): readonly number[] {
    const base = this.#marks[0]
    const newest = this.#newest
    const seconds = base === undefined ? 0 : (newest.atMs - base.atMs) / 1000
    return newest.totals.map((total, place) =>
      seconds > 0 ? Math.max(0, total - (base?.totals[place] ?? 0)) / seconds : 0,
    )
  }
}
