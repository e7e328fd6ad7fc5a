/**
 * Drives work on a clock that stands still: turns run until there are none, what they settled is told, and then the clock
 * moves to its next deadline. Nothing real is waited for, so that what can never come is known at once.
 */
import { StreamError } from '../base/errors.ts'
import { eventLoopTurns, type Turns } from '../base/turns.ts'
import type { VirtualClock } from '../base/virtual-clock.ts'

export interface DriverOptions {
  readonly clock: VirtualClock
  /** What a round of turns takes on the clock; 0 when left out. */
  readonly roundMs?: number | undefined
  /** Rounds between two deadlines, at most: work that never ends does not hold the time. Left out: as many as there are. */
  readonly roundsAtOnce?: number | undefined
  /** What is due at once runs by itself, also while nobody drives. */
  readonly byItself?: boolean | undefined
  /** What is going on, for the error of a wait that never ends. */
  readonly describe: () => string
}

/** Rounds after which what is waited for counts as something that never comes. */
const MOST_ROUNDS = 200_000
/** What is still not done after so many counts as work that never ends. */
const ROUNDS_TO_SETTLE = 500

const eventLoop = eventLoopTurns()

export class Driver implements Turns {
  readonly #clock: VirtualClock
  readonly #roundMs: number
  readonly #roundsAtOnce: number
  readonly #byItself: boolean
  readonly #describe: () => string
  #turns: (() => void)[] = []
  #roundComes = false

  constructor({ clock, roundMs = 0, roundsAtOnce = MOST_ROUNDS, byItself = false, describe }: DriverOptions) {
    this.#clock = clock
    this.#roundMs = roundMs
    this.#roundsAtOnce = roundsAtOnce
    this.#byItself = byItself
    this.#describe = describe
  }

  next(turn: () => void): void {
    this.#turns.push(turn)
    if (!this.#byItself || this.#roundComes) return
    this.#roundComes = true
    eventLoop.next(() => {
      this.#roundComes = false
      this.#runTurns()
    })
  }

  /** Drives until it settles, and settles as it. SIMULATION_STUCK when it never does. */
  async until<R>(promise: PromiseLike<R>): Promise<R> {
    let settled = false
    const over = () => {
      settled = true
    }
    promise.then(over, over)
    await this.when(() => settled)
    return promise
  }

  /** Drives until the condition holds. SIMULATION_STUCK when it never does. */
  async when(condition: () => boolean): Promise<void> {
    let atOnce = 0
    for (let round = 0; round < MOST_ROUNDS; round++) {
      await told()
      if (condition()) return
      if (atOnce++ < this.#roundsAtOnce && this.#runTurns()) continue
      atOnce = 0
      if (!this.#clock.runNext() && this.#turns.length === 0) throw this.#stuck('Nothing is left to do')
    }
    throw this.#stuck(`No end after ${MOST_ROUNDS} rounds`)
  }

  /** Drives for so long on the clock; what is due at the end of it has been done. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#clock.now() + ms
    await this.#settle(untilMs)
    for (let atMs = this.#nextMs(); atMs <= untilMs; atMs = this.#nextMs()) {
      this.#clock.runNext()
      await this.#settle(untilMs)
    }
    if (untilMs > this.#clock.now()) this.#clock.advance(untilMs - this.#clock.now())
  }

  /** Drives for so many rounds, or until it holds. */
  async rounds(count: number, done: () => boolean): Promise<void> {
    let left = count
    await this.when(() => done() || left-- <= 0)
  }

  /** Runs what is due now, without moving the clock to a deadline. */
  settle(): Promise<void> {
    return this.#settle(Number.POSITIVE_INFINITY)
  }

  /** Where rounds take time, work that never ends stops at `untilMs`. */
  async #settle(untilMs: number): Promise<void> {
    for (let round = 0; round < Math.min(this.#roundsAtOnce, ROUNDS_TO_SETTLE); round++) {
      await told()
      if ((this.#roundMs > 0 && this.#clock.now() >= untilMs) || !this.#runTurns()) return
    }
  }

  #nextMs(): number {
    return this.#clock.nextDeadlineMs() ?? Number.POSITIVE_INFINITY
  }

  #runTurns(): boolean {
    const turns = this.#turns
    this.#turns = []
    for (const turn of turns) turn()
    if (turns.length > 0 && this.#roundMs > 0) this.#clock.advance(this.#roundMs)
    return turns.length > 0
  }

  #stuck(what: string): StreamError {
    return new StreamError('SIMULATION_STUCK', {
      message: `${what}, and what was waited for has not come.\n${this.#describe()}`,
      hint: 'Look for a source or a function that waits for the real clock, or for an event that had come before.',
    })
  }
}

/** Everything that is settled has been told. */
export function told(): Promise<void> {
  return new Promise((resolve) => void eventLoop.next(resolve))
}
