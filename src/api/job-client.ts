/** What the owner of a running job holds. A thin wrapper: the runtime decides, this adds the signal and the events as a stream. */
import { StreamError } from '../base/errors.ts'
import type { JobEvent, JobExecutionResult, JobHandle, JobStatus } from '../runtime/job-handle.ts'
import { isOver, nothingToCheckpoint } from './ended-job.ts'
import { streamOfEvents } from './job-events.ts'
import { refused } from './operator-settings.ts'

export interface JobClientOptions {
  readonly signal: AbortSignal | undefined
  /** A checkpoint directory is there: what ends the job early suspends it, otherwise it cancels. */
  readonly canSuspend: boolean
}

/** What the owner of a running job holds. */
export class JobClient implements AsyncDisposable {
  /** 32 hexadecimal digits. */
  readonly jobId: string
  readonly #handle: JobHandle
  readonly #canSuspend: boolean
  /** The program has asked for the end itself. */
  #endIsAsked = false
  readonly #result: Promise<JobExecutionResult>
  #abortedBy: AbortSignal | undefined

  constructor(handle: JobHandle, { signal, canSuspend }: JobClientOptions) {
    this.jobId = handle.jobId
    this.#handle = handle
    this.#canSuspend = canSuspend
    const onAbort = () => this.#abort(signal)
    this.#result = handle.result
      .finally(() => signal?.removeEventListener('abort', onAbort))
      .catch((failure) => {
        throw this.#explained(failure)
      })
    // Nobody has to ask for the result.
    this.#result.catch(() => {})
    if (signal?.aborted === true) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
  }

  /** Of this moment. Answers after the end too. */
  async getJobStatus(): Promise<JobStatus> {
    return this.#handle.status()
  }

  /**
   * Takes a checkpoint beside the periodic ones, and resolves with its id when it is complete. Rejects with
   * CHECKPOINT_FAILED where it is not taken, as while a task does not run yet or any more; the job runs on.
   */
  async triggerCheckpoint(): Promise<number> {
    if (isOver(this.#handle.status())) throw nothingToCheckpoint(this.#handle)
    return this.#handle.triggerCheckpoint()
  }

  /** Rejects with UNSUPPORTED: this version writes no savepoints. */
  async triggerSavepoint(_targetDirectory?: string): Promise<string> {
    throw noSavepoints('triggerSavepoint')
  }

  /** Rejects with UNSUPPORTED: this version writes no savepoints. */
  async stopWithSavepoint(_options: StopWithSavepointOptions): Promise<string> {
    throw noSavepoints('stopWithSavepoint')
  }

  /**
   * Ends the job as SUSPENDED, so that `{ resume: 'latest' }` goes on from there: with a checkpoint directory it takes a
   * last checkpoint, which is kept whatever the retention. Waits `timeoutMs` (10,000) for that checkpoint at most.
   * Resolves when the job is over, also when it has ended in another way: getJobStatus says how. Rejects with
   * INVALID_ARGUMENT for a `timeoutMs` that is no number from 0.
   */
  async suspend(options: { readonly timeoutMs?: number | undefined } = {}): Promise<void> {
    const { timeoutMs } = options
    if (timeoutMs !== undefined && !(Number.isFinite(timeoutMs) && timeoutMs >= 0))
      throw refused('suspend', timeoutMs, 'a timeoutMs that is a number of milliseconds from 0, or none')
    this.#endIsAsked = true
    return this.#handle.suspend(options)
  }

  /**
   * Ends the job as CANCELED; what happens to its checkpoints says the retention. Resolves when the job is over, also when
   * it has ended in another way: getJobStatus says how.
   */
  cancel(): Promise<void> {
    this.#endIsAsked = true
    return this.#handle.cancel()
  }

  /** Rejects with JOB_FAILED (`cause`: what the user's code threw), JOB_CANCELED or JOB_SUSPENDED. */
  getJobExecutionResult(): Promise<JobExecutionResult> {
    return this.#result
  }

  /**
   * What happens from the call on; ends with the job, however that ends, and for a job that is over at once. Each call is
   * an iterator of its own. The job waits for no reader: 10,000 events are kept for one that is behind, and then it gets
   * EVENTS_LOST. Leave the loop, or call `return`, when no more are wanted.
   */
  events(): AsyncIterableIterator<JobEvent> {
    return streamOfEvents(this.#handle)
  }

  /** Suspends where there is a checkpoint directory, else cancels; waits for the end and never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#endIsAsked = true
    await this.#end()
  }

  #abort(signal: AbortSignal | undefined): void {
    // Whoever asked first has ended the job.
    if (!this.#endIsAsked) this.#abortedBy = signal
    void this.#end()
  }

  /** Never rejects: how the job ended, `getJobExecutionResult` says. */
  async #end(): Promise<void> {
    const cancel = () => this.#handle.cancel()
    const ending = this.#canSuspend ? this.#handle.suspend().catch(cancel) : cancel()
    // A job that has ended already may refuse to be ended.
    await ending.catch(() => {})
    await this.#result.catch(() => {})
  }

  /** The reason of an aborted signal is the cause of the end. */
  #explained(failure: unknown): unknown {
    if (this.#abortedBy === undefined || !StreamError.is(failure)) return failure
    if (failure.code !== 'JOB_CANCELED' && failure.code !== 'JOB_SUSPENDED') return failure
    const { message, hint, details } = failure
    return new StreamError(failure.code, { message, hint, details, cause: this.#abortedBy.reason })
  }
}

/** How a job is stopped. */
export interface StopWithSavepointOptions {
  /** All windows and timers fire first: the job is over, and cannot be resumed. */
  readonly drain: boolean
  readonly targetDirectory?: string | undefined
}

function noSavepoints(method: string): StreamError {
  return new StreamError('UNSUPPORTED', {
    message: `${method}: this version of Millrace writes no savepoints.`,
    hint: 'Use suspend(), which keeps a last checkpoint, and go on with { resume: "latest" }.',
  })
}
