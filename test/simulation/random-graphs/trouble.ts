/** What one process meets: counts the calls of user code, makes those fail that the plan names, and keeps what really happened. */
import type { Interference, SimulatedOperation } from '../../../src/base/simulated-file-system.ts'
import type { LifePlan, Moment } from './plan.ts'
import type { Sabotage } from './sabotage.ts'

/** How often each thing has happened, over all plans of a run. */
export class Tally {
  readonly #counts = new Map<string, number>()

  add(what: string, count = 1): void {
    this.#counts.set(what, this.#get(what) + count)
  }

  /** Of everything whose name begins so. */
  of(prefix: string): number {
    return [...this.#counts].reduce((sum, [what, count]) => (what.startsWith(prefix) ? sum + count : sum), 0)
  }

  /** One line a group; names are `group: thing`. */
  lines(): readonly string[] {
    const groups = new Map<string, string[]>()
    for (const [what, count] of [...this.#counts].sort(([one], [other]) => (one < other ? -1 : 1))) {
      const [group = '', thing = ''] = what.split(': ')
      groups.set(group, [...(groups.get(group) ?? []), thing === '' ? String(count) : `${thing} ${count}`])
    }
    return [...groups].map(([group, things]) => `${group}: ${things.join(', ')}`)
  }

  #get(what: string): number {
    return this.#counts.get(what) ?? 0
  }
}

export class Trouble {
  readonly tally: Tally
  /** What user code saw that must never be. */
  readonly complaints: string[] = []
  /** A mistake that is made on purpose. */
  readonly sabotage: Sabotage | undefined
  readonly #plan: LifePlan
  #completed = 0
  #completedAtMs: number
  /** Since the newest completed checkpoint. */
  #calls = 0
  #operations = 0
  #commits = 0
  #steps = 0

  constructor(plan: LifePlan, tally: Tally, startMs: number, sabotage?: Sabotage) {
    this.#plan = plan
    this.tally = tally
    this.sabotage = sabotage
    this.#completedAtMs = startMs
  }

  /** A function of the user is called for a record. */
  call(where: string): void {
    const nth = this.#calls++
    if (this.#plan.throwsAt.some((at) => at.nth === nth && at.behind === this.#completed)) this.#throw(`call: ${where}`)
  }

  /** One that is not called for a record: open, initializeState, snapshotState, prepareCommit. */
  step(where: string): void {
    if (this.#plan.stepsFailAt.includes(this.#steps++)) this.#throw(`step: ${where}`)
  }

  /** A committer is called. True: it asks for another try. */
  commit(where: string): boolean {
    const nth = this.#commits++
    if (!this.#plan.commitFailsAt.includes(nth)) return false
    if (nth % 2 === 0) this.#throw(`commit: ${where}`)
    this.tally.add(`commit tried again: ${where}`)
    return true
  }

  checkpointCompleted(nowMs: number): void {
    this.#completed++
    this.#completedAtMs = nowMs
    this.#calls = 0
    this.#operations = 0
  }

  /** Whether it is time for something that happens once. */
  isDue({ behind, nth }: Moment, nowMs: number): boolean {
    return this.#completed > behind || (this.#completed === behind && nowMs >= this.#completedAtMs + nth)
  }

  complain(what: string): void {
    if (this.complaints.length < 10) this.complaints.push(what)
  }

  interfere({ index, type }: SimulatedOperation): Interference | undefined {
    const { end, diskFailsAt, diskWaitsAt } = this.#plan
    const nth = this.#operations++
    if (end.type === 'crash' && end.at.nth === nth && end.at.behind === this.#completed) return { type: 'stop' }
    if (diskFailsAt.includes(index)) {
      this.tally.add(`disk refused: ${type}`)
      return { type: 'fail', code: index % 2 === 0 ? 'EIO' : 'ENOSPC' }
    }
    if (!diskWaitsAt.includes(index)) return undefined
    this.tally.add(`disk waited: ${type}`)
    return { type: 'delay', delayMs: 25 }
  }

  #throw(what: string): never {
    this.tally.add(`thrown in ${what}`)
    throw new Error(`thrown in ${what}, as the plan wants it`)
  }
}
