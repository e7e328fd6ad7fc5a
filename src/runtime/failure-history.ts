/**
 * The failures of a job, as Flink's exception history: one entry for each that decided something, with those that came
 * while it was being handled. It hears what the job's chart does and decides nothing.
 */
import type { Cause } from './control/causes.ts'
import type { FailedTask, FailureSnapshot, ThrowableSnapshot } from './execution-graph-snapshot.ts'
import type { JobStatus } from './job-handle.ts'

/** Beside one failure: a job of many tasks may lose them all at once. */
const MOST_CONCURRENT = 100

/** One thing that was thrown. */
export interface Failure {
  readonly atMs: number
  readonly throwable: ThrowableSnapshot
  readonly task: FailedTask | null
}

interface Heard {
  readonly cause: Cause
  readonly failure: Failure
}

/** The first one decided something. */
interface Handling {
  readonly root: Heard
  readonly concurrent: readonly Heard[]
}

export class FailureHistory {
  readonly #most: number
  /** Newest first. */
  #handlings: readonly Handling[] = []
  /** The newest one is being handled: what fails now fails beside it. */
  #isOpen = false
  /** The restart strategy was asked and has not granted anything. */
  #isAsked = false

  /** `most`: how many entries there are. */
  constructor(most: number) {
    this.#most = most
  }

  /** Before the job's fate is decided, where it rests on this one. */
  heard(cause: Cause, failure: Failure): void {
    const one = { cause, failure }
    const [newest, ...older] = this.#handlings
    if (!this.#isOpen || newest === undefined) return this.#begin(one)
    const concurrent = [...newest.concurrent, one].slice(0, MOST_CONCURRENT)
    this.#handlings = [{ ...newest, concurrent }, ...older]
  }

  /** The restart strategy is asked about this one. It may have been heard beside another, while state was being restored. */
  asked(cause: Cause): void {
    this.#isAsked = true
    const [newest, ...older] = this.#handlings
    const joined = newest?.concurrent.find((one) => one.cause === cause)
    if (newest === undefined || joined === undefined) return
    this.#handlings = [{ ...newest, concurrent: newest.concurrent.filter((one) => one !== joined) }, ...older]
    this.#begin(joined)
  }

  granted(): void {
    this.#isAsked = false
  }

  /** Told before what belongs to the new status is heard. */
  statusChanged(status: JobStatus): void {
    if (status === 'RUNNING') this.#isOpen = false
    // Nobody was asked: what is heard next is what ends the job, whatever is being handled.
    if (status === 'FAILING' && !this.#isAsked) this.#isOpen = false
  }

  /** Of those that are still listed. */
  knows(cause: Cause): boolean {
    return this.#handlings.some(({ root, concurrent }) => [root, ...concurrent].some((one) => one.cause === cause))
  }

  /** Newest first. */
  failures(): readonly FailureSnapshot[] {
    return this.#handlings.map(({ root, concurrent }) => ({
      ...root.failure,
      concurrent: concurrent.map(({ failure }) => failure),
    }))
  }

  #begin(root: Heard): void {
    this.#isOpen = true
    this.#handlings = [{ root, concurrent: [] }, ...this.#handlings].slice(0, this.#most)
  }
}
