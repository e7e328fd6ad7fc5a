/**
 * Counts what a run meets of records in flight, by what the job itself tells: which completed checkpoints hold some, and
 * which restores begin from one that does. A run that meets neither proves nothing of unaligned checkpoints.
 */
import type { JobEvent, JobHandle } from '../../../src/runtime/job-handle.ts'
import type { Tally } from './trouble.ts'

interface Completed {
  readonly persistedBytes: number
  /** The process that took it. */
  readonly lived: number
}

/** Of all processes of one plan. */
export class InFlightTally {
  readonly #tally: Tally
  /** Whether two processes run the graph at the same parallelism. */
  readonly #isSame: (one: number, other: number) => boolean
  readonly #completed = new Map<number, Completed>()
  #restores = 0

  constructor(tally: Tally, isSame: (one: number, other: number) => boolean) {
    this.#tally = tally
    this.#isSame = isSame
  }

  /** A process has a job; to be called before it runs. */
  watch(job: JobHandle, lived: number): void {
    this.#restores = 0
    job.subscribe((event) => this.#take(event, job, lived))
  }

  #take(event: JobEvent, job: JobHandle, lived: number): void {
    if (event.type === 'checkpoint.completed') {
      const { checkpointId, persistedBytes, unaligned } = event
      this.#completed.set(checkpointId, { persistedBytes, lived })
      if (unaligned) this.#tally.add('in flight: checkpoints that overtook')
      if (persistedBytes > 0) this.#tally.add('in flight: checkpoints that captured')
      this.#tally.add('in flight: bytes', persistedBytes)
    }
    // Between two restores there is always one of these.
    const tells = ['checkpoint.triggered', 'restart.scheduled', 'job.status']
    if (tells.includes(event.type)) this.#lookForRestore(job, lived)
  }

  #lookForRestore(job: JobHandle, lived: number): void {
    const { counts, latest } = job.checkpoints()
    if (counts.restored === this.#restores || latest.restored === null) return
    this.#restores = counts.restored
    const from = this.#completed.get(latest.restored.checkpointId)
    if (from === undefined || from.persistedBytes === 0) return
    this.#tally.add(`in flight: restores at ${this.#isSame(from.lived, lived) ? 'the same' : 'another'} parallelism`)
  }
}
