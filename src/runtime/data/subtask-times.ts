/**
 * How a subtask spends its time: at work, waiting for credit, or waiting for a promise. Told where one becomes the other;
 * the three never overlap, and what is in none of them it is idle.
 */
export class SubtaskTimes {
  readonly #monotonicMs: () => number
  #state: 'free' | 'outputFull' | 'paused' = 'free'
  /** What came before is in the sums. */
  #sinceMs = 0
  #stepsMs = 0
  #outputFullMs = 0
  #pausedMs = 0

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs
  }

  /** Between two steps or inside one. An output without credit counts more than a promise. */
  waitsFor(outputFull: boolean, paused: boolean): void {
    const state = outputFull ? 'outputFull' : paused ? 'paused' : 'free'
    if (state === this.#state) return
    const nowMs = this.#monotonicMs()
    this.#outputFullMs = this.#until(nowMs, 'outputFull', this.#outputFullMs)
    this.#pausedMs = this.#until(nowMs, 'paused', this.#pausedMs)
    this.#state = state
    this.#sinceMs = nowMs
  }

  /** It did something from then to then: that was no waiting, whatever it waits for since. */
  stepped(startMs: number, endMs: number): void {
    this.#stepsMs += endMs - startMs
    this.#sinceMs += endMs - Math.max(this.#sinceMs, startMs)
  }

  /** A user's function that waits for its promise is at work as one that blocks. */
  busyMs(nowMs: number): number {
    return this.#stepsMs + this.#until(nowMs, 'paused', this.#pausedMs)
  }

  outputFullMs(nowMs: number): number {
    return this.#until(nowMs, 'outputFull', this.#outputFullMs)
  }

  #until(nowMs: number, state: 'outputFull' | 'paused', sumMs: number): number {
    return this.#state === state ? sumMs + Math.max(0, nowMs - this.#sinceMs) : sumMs
  }
}
