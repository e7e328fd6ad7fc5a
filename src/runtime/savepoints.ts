/**
 * Savepoints of one job: those that leave it running and those that end it. Joins the chart of the stop with the charts of
 * the job and of its checkpoints; decides nothing.
 */
import { StreamError } from '../base/errors.ts'
import { localPath } from '../base/paths.ts'
import type { Cause, Causes } from './control/causes.ts'
import type { CheckpointCoordinator } from './control/checkpoint-coordinator.ts'
import type { ChartTap } from './control/host-chart.ts'
import type { Job, JobOrderOf } from './control/job.ts'
import { hostStopWithSavepoint, type StopHost, type StopWish } from './control/stop-with-savepoint.ts'
import type { JobStatus, SavepointOptions, StopOptions } from './job-handle.ts'
import type { JobStore } from './job-store.ts'
import { directoryMissing, folderRefused, notWithinStop, sealDenied, stopRefusal } from './savepoint-errors.ts'

export interface JobSavepointsOptions {
  readonly jobName: string
  /** `execution.checkpointing.savepoint-dir` */
  readonly defaultDirectory: string | undefined
  readonly store: Pick<JobStore, 'prepareSavepointFolder'>
  readonly causes: Causes
  readonly tap: ChartTap | undefined
  coordinator(): CheckpointCoordinator
  job(): Job
  /** For messages. */
  lastFailure(): Cause | undefined
  /** Tells the job's chart: sources may have stopped for a savepoint that will not be. */
  stopFailed(cause: Cause): void
  broken(cause: Error): void
}

export class JobSavepoints {
  readonly #options: JobSavepointsOptions
  readonly #stop: StopHost
  /** Of the publication that waits until the record names it. */
  #seal: { readonly confirm: () => void; readonly deny: () => void } | undefined
  /** Why the trigger of that savepoint did not leave, for whoever asked: the coordinator knows failures in words alone. */
  #folderRefused: { readonly checkpointId: number; readonly error: unknown } | undefined
  /** How the job ended, for messages. */
  #end: JobOrderOf<'endJob'> | undefined

  constructor(options: JobSavepointsOptions) {
    const { jobName, causes, tap, coordinator, job } = options
    this.#options = options
    this.#stop = hostStopWithSavepoint({
      id: 'job/stop',
      tap,
      askJob: () => job().send({ type: 'stop.requested' }),
      stopScheduler: () => coordinator().stopScheduler(),
      triggerSavepoint: ({ ends, ...wish }) => this.#take(ends === 'stop' ? 'synchronousSavepoint' : 'savepoint', wish),
      abandonStop: () => job().send({ type: 'stop.abandoned' }),
      cancelJob: ({ savepoint }) => job().send({ type: 'cancel.requested', savepoint }),
      failJob: ({ cause }) => options.stopFailed(cause),
      causeOf: (thrown) => causes.of(thrown, 'CHECKPOINT_FAILED'),
      refusal: (ends, why) =>
        stopRefusal({ jobName, ends, why, end: this.#end, lastFailure: options.lastFailure(), causes }),
      failed: (cause) => options.broken(cause),
    })
  }

  start(): void {
    this.#stop.start()
  }

  /** Throws CHECKPOINT_FAILED while the job is being ended with a savepoint: nothing may complete beside that one. */
  refuseWithinStop(what: 'checkpoint' | 'savepoint'): void {
    if (this.#stop.isUnderWay()) throw notWithinStop(this.#options.jobName, what)
  }

  /** Resolves with the path of the savepoint; the job runs on. */
  async trigger(options: SavepointOptions): Promise<string> {
    this.refuseWithinStop('savepoint')
    return this.#take('savepoint', { ...this.#wish(options), drain: false })
  }

  /** Resolves with the path of the savepoint with which the job has ended. */
  async stop({ drain, ...options }: StopOptions): Promise<string> {
    return this.#stop.request({ ends: 'stop', drain, ...this.#wish(options) })
  }

  async cancel(options: SavepointOptions): Promise<string> {
    return this.#stop.request({ ends: 'cancel', drain: false, ...this.#wish(options) })
  }

  /** Before the trigger leaves: no source stops for a folder that cannot be written to. Rejects with FILE_ERROR. */
  async prepareFolder(checkpointId: number, directory: string): Promise<void> {
    const { jobName, store } = this.#options
    try {
      await store.prepareSavepointFolder(directory)
    } catch (thrown) {
      const error = folderRefused(jobName, directory, thrown)
      this.#folderRefused = { checkpointId, error }
      throw error
    }
  }

  /** The trigger of the savepoint that stops the job is on its way to the tasks. */
  tasksTriggered(): void {
    this.#stop.send({ type: 'tasks.triggered' })
  }

  /** The job's chart has answered, or goes its own way. */
  admitted(): void {
    this.#stop.send({ type: 'stop.admitted' })
  }

  refused(): void {
    this.#stop.send({ type: 'stop.refused' })
  }

  overtaken(): void {
    this.#stop.send({ type: 'stop.overtaken' })
  }

  sealed(savepoint: string): void {
    this.#stop.send({ type: 'savepoint.sealed', savepoint })
  }

  statusChanged(status: JobStatus): void {
    if (status === 'RESTARTING') this.#stop.send({ type: 'restart.begun' })
  }

  jobEnded(end: JobOrderOf<'endJob'>): void {
    this.#end = end
    this.denySeal()
    this.#stop.send({ type: 'job.ended', status: end.status, recorded: end.notRecorded === null })
  }

  /** Settles when the job's record names the savepoint. Rejects when nothing that it covers may be committed. */
  seal(savepoint: string, drained: boolean): Promise<void> {
    const job = this.#options.job()
    return new Promise((resolve, reject) => {
      this.#seal = { confirm: resolve, deny: () => reject(sealDenied(this.#options.jobName, savepoint)) }
      job.send({ type: 'savepoint.published', attempt: job.attempt(), savepoint, drained })
    })
  }

  confirmSeal(): void {
    this.#takeSeal()?.confirm()
  }

  denySeal(): void {
    this.#takeSeal()?.deny()
  }

  #takeSeal() {
    const seal = this.#seal
    this.#seal = undefined
    return seal
  }

  async #take(
    kind: 'savepoint' | 'synchronousSavepoint',
    { targetDirectory, format, drain }: Omit<StopWish, 'ends'>,
  ): Promise<string> {
    try {
      const { path } = await this.#options.coordinator().trigger({ kind, targetDirectory, options: { format, drain } })
      return path as string
    } catch (thrown) {
      const refused = this.#folderRefused
      const isIts = StreamError.is(thrown) && thrown.details.checkpointId === refused?.checkpointId
      throw refused !== undefined && isIts ? refused.error : thrown
    }
  }

  /** Throws STORAGE_LOCATION where there is no folder to write into. */
  #wish({ targetDirectory, formatType = 'CANONICAL' }: SavepointOptions): Pick<StopWish, 'targetDirectory' | 'format'> {
    const { jobName, defaultDirectory } = this.#options
    const directory = targetDirectory ?? defaultDirectory
    if (directory === undefined) throw directoryMissing(jobName)
    return { targetDirectory: localPath(directory), format: formatType === 'NATIVE' ? 'native' : 'canonical' }
  }
}

/** Whether it is certain that nothing became visible matters for checkpoints alone: no recovery ever looks for savepoints. */
export async function published<Published>(publishing: Promise<Published>): Promise<Published> {
  try {
    return await publishing
  } catch (thrown) {
    if (!StreamError.is(thrown) || thrown.details.visible !== 'unknown') throw thrown
    const { code, message, hint, details } = thrown
    throw new StreamError(code, { message, hint, details: { ...details, visible: 'no' }, cause: thrown })
  }
}
