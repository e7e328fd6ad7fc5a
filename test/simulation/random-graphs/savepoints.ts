/** The savepoints of one process of a plan: asks for each when it is due, and remembers what became of it. */
import { StreamError } from '../../../src/base/errors.ts'
import type { JobHandle } from '../../../src/runtime/job-handle.ts'
import type { LifePlan, Moment, SavepointPlan } from './plan.ts'
import type { Tally } from './trouble.ts'

/** A job that restarts, or ends, refuses them. */
const MOST_TRIES = 8
/** Between two tries, of the clock. */
const PAUSE_MS = 8

export class Savepoints {
  /** Once it runs. */
  job: JobHandle | undefined
  /** The format of the savepoint with which it was stopped. */
  stopped: SavepointPlan['format'] | undefined
  readonly #end: LifePlan['end']
  readonly #due: SavepointPlan[]
  readonly #tally: Tally
  readonly #folder: string
  #stops = 0
  #nextStopMs = 0
  #isStopping = false

  constructor({ end, savepointsAt }: LifePlan, tally: Tally, folder: string) {
    this.#end = end
    this.#due = [...savepointsAt]
    this.#tally = tally
    this.#folder = folder
  }

  /** It will not be stopped any more. */
  get hasGivenUp(): boolean {
    return !this.#isStopping && this.stopped === undefined && this.#stops === MOST_TRIES
  }

  /** Asks for what is due and was not asked for. */
  look(nowMs: number, isDue: (at: Moment) => boolean): void {
    const { job } = this
    if (job === undefined || job.status() !== 'RUNNING') return
    for (const savepoint of this.#due.filter(({ at }) => isDue(at))) {
      this.#due.splice(this.#due.indexOf(savepoint), 1)
      void this.#take(job, savepoint)
    }
    if (this.#end.type === 'stop' && this.#mayStop(nowMs) && isDue(this.#end.at)) {
      this.#nextStopMs = nowMs + PAUSE_MS
      void this.#stop(job, this.#end)
    }
  }

  #mayStop(nowMs: number): boolean {
    return !this.#isStopping && this.#stops < MOST_TRIES && nowMs >= this.#nextStopMs
  }

  async #take(job: JobHandle, { format }: SavepointPlan): Promise<void> {
    try {
      await job.triggerSavepoint({ targetDirectory: this.#folder, formatType: format })
      this.#tally.add(`savepoints: ${format} taken`)
    } catch (thrown) {
      this.#refused(`${format} refused`, thrown)
    }
  }

  async #stop(job: JobHandle, { format }: SavepointPlan): Promise<void> {
    this.#isStopping = true
    this.#stops++
    try {
      await job.stopWithSavepoint({ drain: false, targetDirectory: this.#folder, formatType: format })
      this.stopped = format
      this.#tally.add(`savepoints: stopped with ${format}`)
    } catch (thrown) {
      this.#refused(`stop with ${format} refused`, thrown)
      this.#isStopping = false
    }
  }

  /** The job says the same of itself: whether it is as it must be is seen there. */
  #refused(what: string, thrown: unknown): void {
    if (!StreamError.is(thrown)) throw thrown
    this.#tally.add(`savepoints: ${what}`)
  }
}
