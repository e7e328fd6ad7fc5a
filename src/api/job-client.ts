/** What the owner of a running job holds. A thin wrapper: the runtime decides, this adds the signal and the events as a stream. */
import { StreamError } from '../base/errors.ts'
import type {
  CheckpointOptions,
  CheckpointStatisticsSnapshot,
  JobEvent,
  JobExecutionResult,
  JobHandle,
  JobStatus,
} from '../runtime/job-handle.ts'
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
   * CHECKPOINT_FAILED where it is not taken, as while a task does not run yet or any more, and with INVALID_ARGUMENT; the
   * job runs on. With `type: 'FULL'` it names no file of an earlier checkpoint.
   */
  async triggerCheckpoint(options: CheckpointOptions = {}): Promise<number> {
    checkCheckpoint(options)
    if (isOver(this.#handle.status())) throw nothingToCheckpoint(this.#handle)
    return this.#handle.triggerCheckpoint({ type: options.type })
  }

  /**
   * Writes a savepoint, a folder that is yours and that any later job can start from (`fromSavepoint`), and resolves with
   * its path; the job runs on. Nothing is committed for it, and no recovery of this job ever uses it. Without
   * `targetDirectory` it lies under `execution.checkpointing.savepoint-dir`. Rejects with CHECKPOINT_FAILED where it is not
   * taken, with STORAGE_LOCATION where no folder is named, and with INVALID_ARGUMENT.
   */
  async triggerSavepoint(targetDirectory?: string, options: SavepointFormat = {}): Promise<string> {
    checkSavepoint('triggerSavepoint', targetDirectory, options)
    if (isOver(this.#handle.status())) throw nothingToCheckpoint(this.#handle)
    return this.#handle.triggerSavepoint({ targetDirectory, formatType: options.formatType })
  }

  /**
   * Stops the sources, takes a savepoint, commits what it covers and ends the job as FINISHED; resolves with the path of
   * the savepoint when that is done. Without `drain` nothing fires early: windows and timers stay in the savepoint, and a
   * job that starts from it goes on as if nothing had been. With `drain` everything that waits comes out first, and there is
   * nothing to go on with. Rejects with CHECKPOINT_FAILED where no savepoint was taken: the job runs on, or goes back to its
   * last checkpoint where its sources had stopped already. Where the savepoint is complete and the job ends otherwise all
   * the same, a failed commit for one, it rejects with JOB_FAILED, JOB_CANCELED or JOB_SUSPENDED, naming the savepoint: go on
   * from that. Also rejects with STORAGE_LOCATION and INVALID_ARGUMENT.
   */
  async stopWithSavepoint(options: StopWithSavepointOptions): Promise<string> {
    if (typeof options !== 'object' || options === null || typeof options.drain !== 'boolean')
      throw refused('stopWithSavepoint', options, 'an object with drain: true or drain: false')
    const { drain, targetDirectory, formatType } = options
    checkSavepoint('stopWithSavepoint', targetDirectory, options)
    if (isOver(this.#handle.status())) throw nothingToCheckpoint(this.#handle)
    return this.#handle.stopWithSavepoint({ drain, targetDirectory, formatType })
  }

  /**
   * Takes a savepoint and ends the job as CANCELED, with nothing completed in between; resolves with the path of the
   * savepoint. Sources do not stop first, and nothing is committed for the savepoint: a job that starts from it commits that.
   * Where the savepoint fails the job runs on. `{ resume: 'latest' }` goes on from it. Rejects as stopWithSavepoint does.
   */
  async cancelWithSavepoint(targetDirectory?: string, options: SavepointFormat = {}): Promise<string> {
    checkSavepoint('cancelWithSavepoint', targetDirectory, options)
    if (isOver(this.#handle.status())) throw nothingToCheckpoint(this.#handle)
    return this.#handle.cancelWithSavepoint({ targetDirectory, formatType: options.formatType })
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

  /**
   * Counts, summaries and the last checkpoints with what each subtask told, as Flink's dashboard shows them; of this moment,
   * also after the end. Plain JSON. Flink's client has no such method.
   */
  checkpoints(): CheckpointStatisticsSnapshot {
    return this.#handle.checkpoints()
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

/** How a savepoint is written. */
export interface SavepointFormat {
  /** CANONICAL (default): any state backend restores it. NATIVE: the backend's own form, for the same backend. */
  readonly formatType?: 'CANONICAL' | 'NATIVE' | undefined
}

/** How a job is stopped. */
export interface StopWithSavepointOptions extends SavepointFormat {
  /** All windows and event-time timers fire first: the job is over, and cannot be resumed. */
  readonly drain: boolean
  /** A folder or file URI; left out: `execution.checkpointing.savepoint-dir`. */
  readonly targetDirectory?: string | undefined
}

/** From plain JavaScript anything may come. */
function checkCheckpoint(options: CheckpointOptions): void {
  if (typeof options !== 'object' || options === null)
    throw refused('triggerCheckpoint', options, 'an object of options, or none')
  const { type } = options
  if (type !== undefined && type !== 'CONFIGURED' && type !== 'FULL' && type !== 'INCREMENTAL')
    throw refused('triggerCheckpoint (type)', type, "'CONFIGURED', 'FULL' or 'INCREMENTAL', or none")
}

function checkSavepoint(method: string, targetDirectory: unknown, options: SavepointFormat): void {
  if (targetDirectory !== undefined && (typeof targetDirectory !== 'string' || targetDirectory === ''))
    throw refused(`${method} (targetDirectory)`, targetDirectory, 'the path of a folder, or none')
  if (typeof options !== 'object' || options === null) throw refused(method, options, 'an object of options, or none')
  const { formatType } = options
  if (formatType !== undefined && formatType !== 'CANONICAL' && formatType !== 'NATIVE')
    throw refused(`${method} (formatType)`, formatType, "'CANONICAL' or 'NATIVE', or none")
}
