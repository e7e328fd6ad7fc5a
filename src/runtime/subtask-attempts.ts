/** The attempts of one subtask, as the job's side hears of them: the current one and the last that are over. */
import type { AttemptSnapshot, SubtaskSnapshot, ThrowableSnapshot } from './execution-graph-snapshot.ts'
import type { TaskStatus } from './job-handle.ts'

/** Of those that are over. */
const KEPT = 16

export class SubtaskAttempts {
  readonly #index: number
  /** Replaced, never changed: whoever was shown it keeps what it saw. */
  #current: AttemptSnapshot
  #previous: readonly AttemptSnapshot[] = []

  constructor(index: number, atMs: number) {
    this.#index = index
    this.#current = created(0, atMs)
  }

  get current(): AttemptSnapshot {
    return this.#current
  }

  /** What it goes on from is looked for. The attempt that begins then stays when that fails, for it was never deployed. */
  restoring(atMs: number): void {
    if (this.#current.executionAttempt === 0) return
    this.#previous = [...this.#previous, this.#current].slice(-KEPT)
    this.#current = created(this.#current.attempt + 1, atMs)
  }

  deployed(executionAttempt: number, atMs: number): void {
    this.#current = { ...this.#current, executionAttempt }
    this.changed('SCHEDULED', atMs, null)
  }

  changed(status: TaskStatus, atMs: number, failure: ThrowableSnapshot | null): void {
    if (status === this.#current.status) return
    this.#current = {
      ...this.#current,
      status,
      statusAtMs: { ...this.#current.statusAtMs, [status]: atMs },
      endedAtMs: isOver(status) ? atMs : null,
      failure,
    }
  }

  /** The job is over: what never ran, or could not tell of its end, does not run any more. */
  jobEnded(atMs: number): void {
    if (!isOver(this.#current.status)) this.changed('CANCELED', atMs, null)
  }

  snapshot(): SubtaskSnapshot {
    return { index: this.#index, current: this.#current, previous: this.#previous }
  }
}

function created(attempt: number, atMs: number): AttemptSnapshot {
  return {
    attempt,
    executionAttempt: 0,
    status: 'CREATED',
    statusAtMs: { CREATED: atMs },
    endedAtMs: null,
    failure: null,
  }
}

function isOver(status: TaskStatus): boolean {
  return status === 'FINISHED' || status === 'CANCELED' || status === 'FAILED'
}
