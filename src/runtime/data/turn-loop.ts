/**
 * Runs all subtasks of a thread in fair turns and gives the event loop back at least every 8 ms. It sleeps when nobody
 * has anything to do and is woken by whoever brings something.
 */
import type { Clock } from '../../base/clock.ts'
import type { Turns } from '../../base/turns.ts'

export interface Runnable {
  /** Does at most about `budget` records of work. True when something was done. Never throws. */
  step(budget: number): boolean
  /** The last step worked until there was nothing more to do: it may have taken long, though it gave false. */
  readonly workedInVain?: boolean | undefined
  /** Behind a step that did something, or worked in vain: when it began and ended, on the monotonic clock. Never throws. */
  stepped?(startMs: number, endMs: number): void
}

/** Work beside the records: a snapshot that is being written. */
export interface BackgroundWork {
  /** Goes on until `untilMs` on the monotonic clock. True when it is done for good. Never throws. */
  step(untilMs: number): boolean
}

export interface TurnLimits {
  /** The event loop is given back after this long. */
  readonly turnMs: number
  /** The same while files are being written or read: their answers come through the event loop. */
  readonly turnMsWithControlWork: number
  /** How much of a turn background work may take while records flow. A walk that ends sooner meets fewer changes, and so costs less. */
  readonly backgroundMs: number
  /** A virtual clock stands still during a turn; there a turn ends after so many steps. */
  readonly stepsPerTurn: number
}

export const DEFAULT_TURN_LIMITS: TurnLimits = {
  turnMs: 8,
  turnMsWithControlWork: 2,
  backgroundMs: 5,
  stepsPerTurn: 1_000_000,
}

/** Records per step: doubled while steps are quick, cut to what is quick when one takes long: a slow function cannot hold a turn. */
const LARGEST_BUDGET = 512
const QUICK_STEP_MS = 0.4
const SLOW_STEP_MS = 1.5

interface Member {
  readonly runnable: Runnable
  budget: number
}

export class TurnLoop {
  readonly #clock: Clock
  readonly #turns: Turns
  readonly #limits: TurnLimits
  #members: Member[] = []
  /** Whose turn it is, where time ran out before all had theirs. */
  #first = 0
  #background: BackgroundWork[] = []
  #controlWork = 0
  #state: 'asleep' | 'scheduled' | 'running' | 'stopped' = 'asleep'
  #wokenWhileRunning = false

  constructor(clock: Clock, turns: Turns, limits: TurnLimits = DEFAULT_TURN_LIMITS) {
    this.#clock = clock
    this.#turns = turns
    this.#limits = limits
  }

  add(runnable: Runnable): void {
    this.#members.push({ runnable, budget: 1 })
    this.wake()
  }

  remove(runnable: Runnable): void {
    this.#members = this.#members.filter((member) => member.runnable !== runnable)
  }

  addBackground(work: BackgroundWork): void {
    this.#background.push(work)
    this.wake()
  }

  removeBackground(work: BackgroundWork): void {
    this.#background = this.#background.filter((other) => other !== work)
  }

  /** Turns are short until it settles. */
  async controlWork<T>(work: Promise<T>): Promise<T> {
    this.#controlWork++
    try {
      return await work
    } finally {
      this.#controlWork--
    }
  }

  /** Somebody has something to do. */
  wake(): void {
    if (this.#state === 'running') this.#wokenWhileRunning = true
    if (this.#state !== 'asleep') return
    this.#state = 'scheduled'
    this.#turns.next(() => this.#turn())
  }

  stop(): void {
    this.#state = 'stopped'
    this.#members = []
    this.#background = []
  }

  #turn(): void {
    if (this.#state === 'stopped') return
    this.#state = 'running'
    this.#wokenWhileRunning = false
    const startMs = this.#clock.monotonic()
    const turnMs = this.#controlWork > 0 ? this.#limits.turnMsWithControlWork : this.#limits.turnMs
    const backgroundMs = this.#background.length > 0 ? (this.#limits.backgroundMs * turnMs) / this.#limits.turnMs : 0
    const recordsUntilMs = startMs + turnMs - backgroundMs
    const more = this.#runMembers(recordsUntilMs)
    // A slow function may have used up the turn.
    const left = this.#runBackground(Math.max(startMs + turnMs, this.#clock.monotonic() + backgroundMs))
    // A stop may come from inside a turn.
    if ((this.#state as string) === 'stopped') return
    this.#state = 'asleep'
    if (more || left || this.#wokenWhileRunning) this.wake()
  }

  /** True when the turn ended before the work did: then the next one begins with the member whose turn it is. */
  #runMembers(untilMs: number): boolean {
    let steps = 0
    let nowMs = this.#clock.monotonic()
    /** Whose steps since then are not told yet: those of a member that runs alone follow each other by the thousand. */
    let untold: Runnable | undefined
    let sinceMs = nowMs
    for (;;) {
      const members = this.#members
      const first = this.#first
      let progressed = false
      for (let count = 0; count < members.length; count++) {
        const place = (first + count) % members.length
        const member = members[place] as Member
        const { runnable } = member
        const worked = runnable.step(member.budget)
        if (!worked && runnable.workedInVain !== true) continue
        const afterMs = this.#clock.monotonic()
        const tookMs = afterMs - nowMs
        adapt(member, tookMs, worked)
        const isToldAlone = tookMs > SLOW_STEP_MS || !worked
        if (runnable !== untold || isToldAlone) {
          if (nowMs > sinceMs) untold?.stepped?.(sinceMs, nowMs)
          sinceMs = nowMs
          untold = runnable
        }
        if (isToldAlone) {
          runnable.stepped?.(nowMs, afterMs)
          sinceMs = afterMs
        }
        nowMs = afterMs
        progressed ||= worked
        if (nowMs < untilMs) continue
        this.#first = (place + 1) % members.length
        if (nowMs > sinceMs) untold.stepped?.(sinceMs, nowMs)
        return true
      }
      steps++
      if (progressed && steps < this.#limits.stepsPerTurn) continue
      if (nowMs > sinceMs) untold?.stepped?.(sinceMs, nowMs)
      return progressed
    }
  }

  #runBackground(untilMs: number): boolean {
    for (const work of [...this.#background]) {
      if (work.step(untilMs)) this.removeBackground(work)
      if (this.#clock.monotonic() >= untilMs) break
    }
    return this.#background.length > 0
  }
}

/** `usedUp`: there was as much to do as the budget allowed, or it is not known that there was less. */
function adapt(member: Member, tookMs: number, usedUp: boolean): void {
  if (usedUp && tookMs < QUICK_STEP_MS) member.budget = Math.min(LARGEST_BUDGET, member.budget * 2)
  else if (tookMs > SLOW_STEP_MS) member.budget = Math.max(1, Math.floor((member.budget * SLOW_STEP_MS) / tookMs))
}
