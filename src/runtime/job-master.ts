/**
 * The job's side: joins the charts of the job, of its restarts and of its checkpoints with storage, enumerators and the
 * link to the tasks. Each order of a chart becomes one call here; nothing is decided here.
 */
import type { ErrorCode } from '../base/error-codes.ts'
import { StreamError } from '../base/errors.ts'
import type { Ports } from '../base/ports.ts'
import type { JobGraph } from '../graph/job-graph.ts'
import type { CheckpointStatistics } from './checkpoint-statistics.ts'
import type { Cause, Causes } from './control/causes.ts'
import { type CheckpointCoordinator, hostCheckpointCoordinator } from './control/checkpoint-coordinator.ts'
import { regionsOf } from './control/failover-regions.ts'
import type { ChartTap } from './control/host-chart.ts'
import { hostJob, type Job, type JobOrderOf } from './control/job.ts'
import { type RestartSupervisor, restartSupervisor } from './control/restart-supervisor.ts'
import { checkpointWork, completedAs } from './coordinated-job.ts'
import type { ExecutionGraph } from './execution-graph.ts'
import type { CheckpointOptions, JobEvent, JobStatus, SavepointOptions, StopOptions } from './job-handle.ts'
import { JobRecovery } from './job-recovery.ts'
import type { JobSettings } from './job-settings.ts'
import type { JobStore, StoredCheckpoint } from './job-store.ts'
import type { Link, TaskFact } from './link.ts'
import { JobSavepoints } from './savepoints.ts'
import { TaskViews } from './task-views.ts'

export interface JobMasterOptions {
  readonly jobId: string
  readonly jobName: string
  readonly epoch: number
  readonly graph: JobGraph
  readonly settings: JobSettings
  readonly ports: Ports
  readonly store: JobStore
  /** What the job was started from. */
  readonly startedFrom:
    | (StoredCheckpoint & { readonly owned: boolean; readonly claimed: boolean; readonly drained: boolean })
    | undefined
  /** Of this job, found at the start, oldest first. */
  readonly completed: readonly StoredCheckpoint[]
  readonly nextCheckpointId: number
  readonly link: Link
  readonly causes: Causes
  readonly tap: ChartTap | undefined
  readonly statistics: CheckpointStatistics
  readonly executionGraph: ExecutionGraph
  emit(event: JobEvent): void
  counted(name: string, added: number): void
  /** Once, at the end. */
  ended(end: JobOrderOf<'endJob'>): void
}

export class JobMaster {
  readonly #options: JobMasterOptions
  readonly #tasks: TaskViews
  readonly #job: Job
  readonly #restarts: RestartSupervisor
  readonly #coordinator: CheckpointCoordinator
  readonly #savepoints: JobSavepoints
  readonly #recovery: JobRecovery
  /** For reports. */
  #lastFailure: Cause | undefined
  /** Its chart takes no fact any more, so it never says that the job has ended. */
  #isBroken = false

  constructor(options: JobMasterOptions) {
    this.#options = options
    this.#tasks = new TaskViews(options.graph)
    const { settings, ports, causes, tap, completed, startedFrom } = options
    const broken = (cause: Error) => this.#broken(cause)
    this.#restarts = restartSupervisor({
      id: 'job/restarts',
      strategy: settings.restartStrategy,
      random: ports.random,
      tap,
      granted: ({ attempt, delayMs }) => {
        const cause = this.#lastFailure
        options.emit({
          type: 'restart.scheduled',
          delayMs,
          atMs: ports.clock.now(),
          error: cause === undefined ? undefined : causes.thrown(cause),
        })
        this.#job.send({ type: 'restart.granted', attempt, delayMs })
      },
      denied: ({ attempt, reason }) => this.#job.send({ type: 'restart.denied', attempt, reason }),
      failed: broken,
    })
    this.#savepoints = new JobSavepoints({
      ...options,
      defaultDirectory: settings.storage.savepointDirectory,
      coordinator: () => this.#coordinator,
      job: () => this.#job,
      lastFailure: () => this.#lastFailure,
      stopFailed: (cause) =>
        this.#job.send({ type: 'stop.failed', attempt: this.#job.attempt(), cause, atMs: ports.clock.now() }),
      broken,
    })
    this.#recovery = new JobRecovery({
      ...options,
      tasks: this.#tasks,
      coordinator: () => this.#coordinator,
      job: () => this.#job,
      enumeratorFailed: (cause) => this.#failed(this.#job.attempt(), cause, 'USER_FUNCTION_FAILED'),
    })
    this.#coordinator = hostCheckpointCoordinator(
      'job/checkpoints',
      {
        settings: { ...settings.coordinator, maxQueued: 1000 },
        nextCheckpointId: options.nextCheckpointId,
        completed: completed.map(completedAs),
        restoredFrom:
          startedFrom === undefined || startedFrom.owned
            ? null
            : { checkpointId: startedFrom.checkpointId, claimMode: startedFrom.claimed ? 'CLAIM' : 'NO_CLAIM' },
      },
      checkpointWork({
        ...options,
        checkpointsAfterTasksFinish: settings.checkpointsAfterTasksFinish,
        tasks: this.#tasks,
        attemptOf: (task) => this.#job.attemptOf(task),
        sources: this.#recovery.sources,
        prepareFolder: (checkpointId, directory) => this.#savepoints.prepareFolder(checkpointId, directory),
        stopTriggered: () => this.#savepoints.tasksTriggered(),
        seal: (savepoint, drained) => this.#savepoints.seal(savepoint, drained),
        fail: (failure) => this.#reportFailure(this.#job.attempt(), failure),
      }),
    )
    this.#job = hostJob({
      id: 'job',
      regions: regionsOf(options.graph, this.#tasks.all, settings.failoverStrategy),
      retention: settings.coordinator.retention,
      suspendsToCheckpoint: settings.checkpointing && options.store.durable,
      clock: ports.clock,
      causes,
      tap,
      writeRecord: (order) => options.store.writeRecord(order),
      restoreState: (order) => {
        options.executionGraph.restoring(order.tasks)
        return this.#recovery.restore(order)
      },
      deployTasks: (order) => {
        options.executionGraph.deployed(order.tasks, order.attempt)
        this.#recovery.deploy(order)
      },
      cancelTasks: (order) => this.#recovery.cancel(order),
      askRestart: ({ attempt, cause, atMs }) => {
        options.executionGraph.asked(cause)
        this.#restarts.ask({ attempt, atMs })
      },
      recordFailure: ({ task, cause, atMs }) => {
        options.executionGraph.failed({ task, cause, atMs })
        this.#lastFailure = cause
      },
      startScheduler: () => settings.checkpointing && this.#coordinator.startScheduler(),
      triggerFinalCheckpoint: () =>
        this.#coordinator.trigger({ kind: 'checkpoint' }).then(() => 'completed', finalCheckpointFailure),
      stopScheduler: () => void this.#coordinator.stopScheduler().catch(() => {}),
      admitStop: () => this.#savepoints.admitted(),
      refuseStop: () => this.#savepoints.refused(),
      overtakeStop: () => this.#savepoints.overtaken(),
      reportSealed: ({ savepoint }) => this.#savepoints.sealed(savepoint),
      confirmSeal: () => this.#savepoints.confirmSeal(),
      denySeal: () => this.#savepoints.denySeal(),
      takeSuspendCheckpoint: async () => (await this.#coordinator.trigger({ kind: 'checkpoint' })).checkpointId,
      settleCheckpoints: ({ keep }) => this.#coordinator.shutDown(keep ? 'SUSPENDED' : 'FINISHED'),
      endJob: (order) => void this.#end(order),
      statusChanged: (status) => {
        options.emit({ type: 'job.status', status, atMs: ports.clock.now() })
        this.#savepoints.statusChanged(status)
      },
      failed: (cause) => void this.#endBroken(cause),
    })
  }

  start(): void {
    this.#restarts.start()
    this.#coordinator.start()
    this.#savepoints.start()
    this.#job.start()
    this.#job.send({ type: 'job.initialized' })
  }

  status(): JobStatus {
    return this.#isBroken ? 'FAILED' : this.#job.status()
  }

  cancel(): void {
    this.#job.send({ type: 'cancel.requested', savepoint: null })
  }

  suspend(timeoutMs: number): void {
    this.#job.send({ type: 'suspend.requested', timeoutMs })
  }

  /** Something other than a task has failed the job. */
  fail(cause: unknown, code: ErrorCode): void {
    this.#failed(this.#job.attempt(), cause, code)
  }

  /** The last word about the job was said. */
  hasEnded(): boolean {
    return this.#isBroken || this.#job.hasEnded()
  }

  triggerSavepoint(options: SavepointOptions): Promise<string> {
    return this.#savepoints.trigger(options)
  }

  stopWithSavepoint(options: StopOptions): Promise<string> {
    return this.#savepoints.stop(options)
  }

  cancelWithSavepoint(options: SavepointOptions): Promise<string> {
    return this.#savepoints.cancel(options)
  }

  async triggerCheckpoint({ type }: CheckpointOptions): Promise<number> {
    this.#savepoints.refuseWithinStop('checkpoint')
    return (await this.#coordinator.trigger({ kind: 'checkpoint', full: type === 'FULL' })).checkpointId
  }

  learn(fact: TaskFact): void {
    const { ports, link: _, causes, statistics, emit } = this.#options
    const atMs = ports.clock.now()
    if ('task' in fact && fact.attempt !== this.#job.attemptOf(fact.task)) return this.#learnLate(fact)
    switch (fact.type) {
      case 'task.changed': {
        const { task, attempt, state, cause } = fact
        const view = this.#tasks.view(task)
        view.state = state
        emit({
          type: 'task.status',
          vertex: view.name,
          subtask: view.subtask,
          attempt,
          status: state,
          atMs,
          ...(cause === null ? {} : { error: causes.thrown(cause) }),
        })
        if (state === 'FINISHED') this.#coordinator.taskFinished({ task: view.name, attempt })
        if (state !== 'FAILED') return this.#job.send({ type: 'task.changed', attempt, task, state })
        const failure =
          cause ??
          causes.of(new StreamError('INTERNAL', { message: `${view.name} failed without a cause.` }), 'INTERNAL')
        this.#coordinator.taskFailed({ task: view.name, attempt, message: failure.message })
        return this.#job.send({ type: 'task.failed', attempt, task, cause: failure, atMs })
      }
      case 'checkpoint.acknowledged': {
        const { type, task, attempt, checkpointId, handles, metrics } = fact
        const { name, subtask } = this.#tasks.view(task)
        statistics.acknowledged(checkpointId, this.#tasks.view(task), atMs, metrics)
        emit({ type, checkpointId, vertex: name, subtask, attempt, atMs, ...metrics })
        return this.#coordinator.acknowledge({ task: name, attempt, checkpointId, handles })
      }
      case 'checkpoint.declined': {
        const { type: _, task, ...refusal } = fact
        return this.#coordinator.decline({ ...refusal, task: this.#tasks.view(task).name })
      }
      case 'reader.registered':
        return this.#recovery.sources.readerRegistered(...this.#place(fact.task))
      case 'split.requested':
        return this.#recovery.sources.splitRequested(...this.#place(fact.task))
      case 'finalCheckpoint.awaited':
        return this.#job.send({ type: 'finalCheckpoint.awaited', attempt: fact.attempt, task: fact.task })
      case 'records.counted':
        return this.#options.counted(fact.name, fact.added)
      case 'executor.failed':
        // Of whichever tasks: as long as one of that attempt is left, all may be in doubt.
        if (!this.#tasks.all.some((_, task) => this.#job.attemptOf(task) === fact.attempt)) return
        return this.#reportFailure(this.#job.attempt(), fact.cause)
      default:
        return fact satisfies never
    }
  }

  /** State that an old attempt wrote is deleted; everything else that it says is old news. */
  #learnLate(fact: TaskFact): void {
    if (fact.type !== 'checkpoint.acknowledged') return
    const { task, attempt, checkpointId, handles } = fact
    this.#coordinator.acknowledge({ task: this.#tasks.view(task).name, attempt, checkpointId, handles })
  }

  #failed(attempt: number, cause: unknown, code: ErrorCode): void {
    this.#reportFailure(attempt, this.#options.causes.of(cause, code))
  }

  #reportFailure(attempt: number, cause: Cause): void {
    this.#job.send({ type: 'failure.reported', attempt, cause, atMs: this.#options.ports.clock.now() })
  }

  async #end(order: JobOrderOf<'endJob'>): Promise<void> {
    await this.#recovery.close()
    this.#restarts.stop()
    this.#job.stop()
    this.#savepoints.jobEnded(order)
    this.#options.ended(order)
  }

  #broken(cause: Error): void {
    this.#failed(this.#job.attempt(), brokenBy(cause), 'INTERNAL')
  }

  /** The job's own chart takes no fact any more, so nobody would end the job: it ends here, and its record says no more. */
  async #endBroken(cause: Error): Promise<void> {
    const { link, causes } = this.#options
    this.#isBroken = true
    try {
      for (const task of this.#tasks.all.keys())
        link.toTasks({ type: 'cancelTask', task, attempt: this.#job.attemptOf(task) })
    } catch {
      // Perhaps it was the link that broke: what waits for the job must hear of it all the same.
    }
    void this.#coordinator.stopScheduler().catch(() => {})
    const end = { status: 'FAILED', denied: null, sealed: null, notRecorded: null } as const
    await this.#end({ ...end, cause: causes.of(brokenBy(cause), 'INTERNAL') })
  }

  #place(task: number): [vertex: number, subtask: number] {
    const { vertex, subtask } = this.#tasks.view(task)
    return [vertex, subtask]
  }
}

/** `thrown`: why the checkpoint that was to be the final one came to nothing. */
function finalCheckpointFailure(thrown: StreamError): 'missed' | 'failed' {
  return thrown.details.reason === 'CHECKPOINT_DECLINED_TASK_CLOSING' ? 'missed' : 'failed'
}

function brokenBy(cause: Error): StreamError {
  return StreamError.is(cause)
    ? cause
    : new StreamError('INTERNAL', { message: `The control plane broke: ${cause.message}`, cause })
}
