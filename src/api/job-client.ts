/** What the owner of a running job holds. A thin wrapper: the runtime decides, this adds the signal and the events as a stream. */
import { StreamError } from '../base/errors.ts'
import type { JobEvent, JobExecutionResult, JobHandle, JobStatus } from '../runtime/job-handle.ts'
import { streamOfEvents } from './job-events.ts'

export interface JobClientOptions {
  readonly signal: AbortSignal | undefined
  /** A checkpoint directory is there: what ends the job early suspends it, otherwise it cancels. */
  readonly canSuspend: boolean
}

export class JobClient implements AsyncDisposable {
  /** 32 hexadecimal digits. */
  readonly jobId: string
  readonly #handle: JobHandle
  readonly #canSuspend: boolean
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

  async getJobStatus(): Promise<JobStatus> {
    return this.#handle.status()
  }

  /** Resolves with the id when the checkpoint is complete. */
  triggerCheckpoint(): Promise<number> {
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
   */
  suspend(options?: { readonly timeoutMs?: number | undefined }): Promise<void> {
    return this.#handle.suspend(options)
  }

  /** Ends the job as CANCELED; what happens to its checkpoints says the retention. */
  cancel(): Promise<void> {
    return this.#handle.cancel()
  }

  /** Rejects with JOB_FAILED (`cause`: what the user's code threw), JOB_CANCELED or JOB_SUSPENDED. */
  getJobExecutionResult(): Promise<JobExecutionResult> {
    return this.#result
  }

  /** What happens from now on; ends with the job. Several may listen. */
  events(): AsyncIterableIterator<JobEvent> {
    return streamOfEvents(this.#handle)
  }

  /** Suspends where there is a checkpoint directory, else cancels; waits for the end and never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end()
  }

  #abort(signal: AbortSignal | undefined): void {
    this.#abortedBy = signal
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
