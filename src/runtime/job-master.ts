/**
 * The job's side: joins the charts of the job, of its restarts and of its checkpoints with storage, enumerators and the
 * link to the tasks. Each order of a chart becomes one call here; nothing is decided here.
 */
import type { ErrorCode } from '../base/error-codes.ts'
import { StreamError } from '../base/errors.ts'
import type { Ports } from '../base/ports.ts'
import type { CheckpointMetadata } from '../checkpoint/checkpoint-metadata.ts'
import type { JobGraph } from '../graph/job-graph.ts'
import type { SnapshotReader } from '../state/snapshot.ts'
import type { Cause, Causes } from './control/causes.ts'
import { type CheckpointCoordinator, hostCheckpointCoordinator } from './control/checkpoint-coordinator.ts'
import type { ChartTap } from './control/host-chart.ts'
import { hostJob, type Job, type JobOrderOf } from './control/job.ts'
import { type RestartSupervisor, restartSupervisor } from './control/restart-supervisor.ts'
import { checkpointWork, completedAs } from './coordinated-job.ts'
import type { JobEvent, JobStatus, SavepointOptions, StopOptions } from './job-handle.ts'
import type { JobSettings } from './job-settings.ts'
import type { JobStore, StoredCheckpoint } from './job-store.ts'
import type { Link, TaskFact } from './link.ts'
import { assignState } from './restore-assignment.ts'
import { JobSavepoints } from './savepoints.ts'
import { SourceCoordinators } from './source-coordinators.ts'
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
  #sources: SourceCoordinators | undefined
  /** What the attempt starts from. */
  #restored:
    | {
        readonly location: string
        /** It is the job's own: later checkpoints may refer to its files. */
        readonly mayReuse: boolean
        readonly metadata: CheckpointMetadata
        readonly reader: SnapshotReader
      }
    | undefined
  /** For reports. */
  #lastFailure: Cause | undefined

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
    this.#coordinator = hostCheckpointCoordinator(
      'job/checkpoints',
      {
        settings: {
          ...settings.coordinator,
          maxQueued: 1000,
          unaligned: false,
          alignedTimeoutMs: 0,
          intervalDuringBacklogMs: null,
        },
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
        attempt: () => this.#job.attempt(),
        sources: () => this.#sources,
        prepareFolder: (checkpointId, directory) => this.#savepoints.prepareFolder(checkpointId, directory),
        stopTriggered: () => this.#savepoints.tasksTriggered(),
        seal: (savepoint, drained) => this.#savepoints.seal(savepoint, drained),
        fail: (failure) => this.#reportFailure(this.#job.attempt(), failure),
      }),
    )
    this.#job = hostJob({
      id: 'job',
      tasks: this.#tasks.all.length,
      retention: settings.coordinator.retention,
      suspendsToCheckpoint: settings.checkpointing && options.store.durable,
      clock: ports.clock,
      causes,
      tap,
      writeRecord: (order) => options.store.writeRecord(order),
      restoreState: (order) => this.#restore(order.attempt),
      deployTasks: (order) => this.#deploy(order),
      cancelTasks: ({ attempt }) => {
        // Enumerators make no calls while a restart waits; whoever needs them gone waits for this later.
        void this.#sources?.close()
        for (const task of this.#tasks.all.keys()) options.link.toTasks({ type: 'cancelTask', task, attempt })
      },
      askRestart: ({ attempt, atMs }) => this.#restarts.ask({ attempt, atMs }),
      recordFailure: ({ cause }) => {
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
    return this.#job.status()
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
    return this.#job.hasEnded()
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

  async triggerCheckpoint(): Promise<number> {
    this.#savepoints.refuseWithinStop('checkpoint')
    return (await this.#coordinator.trigger({ kind: 'checkpoint' })).checkpointId
  }

  learn(fact: TaskFact): void {
    const { ports, link: _, causes, emit } = this.#options
    const atMs = ports.clock.now()
    if ('attempt' in fact && fact.attempt !== this.#job.attempt()) return this.#learnLate(fact)
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
        const { task, attempt, checkpointId, handles } = fact
        return this.#coordinator.acknowledge({ task: this.#tasks.view(task).name, attempt, checkpointId, handles })
      }
      case 'checkpoint.declined': {
        const { type: _, task, ...refusal } = fact
        return this.#coordinator.decline({ ...refusal, task: this.#tasks.view(task).name })
      }
      case 'reader.registered':
        return this.#sources?.readerRegistered(...this.#place(fact.task))
      case 'split.requested':
        return this.#sources?.splitRequested(...this.#place(fact.task))
      case 'finalCheckpoint.awaited':
        return this.#job.send({ type: 'finalCheckpoint.awaited', attempt: fact.attempt, task: fact.task })
      case 'records.counted':
        return this.#options.counted(fact.name, fact.added)
      case 'executor.failed':
        return this.#job.send({ type: 'failure.reported', attempt: fact.attempt, cause: fact.cause, atMs })
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

  async #restore(attempt: number): Promise<number | null> {
    const { store, startedFrom, nextCheckpointId, graph, ports, settings } = this.#options
    const closed = (await this.#sources?.close()) ?? true
    this.#sources = undefined
    if (!closed) throw this.#enumeratorStuck()
    if (attempt > 1) {
      await this.#coordinator.failOver()
      await store.stillOurs()
    }
    const latest = this.#coordinator.latestCompleted()
    // Whatever is older than this run: the job was started from one of it, which need not be the newest.
    const isOfThisRun = latest !== undefined && latest.checkpointId >= nextCheckpointId
    const location = isOfThisRun ? (latest.handle as string) : startedFrom?.location
    const isForeign = startedFrom !== undefined && !startedFrom.owned && location === startedFrom.location
    this.#restored =
      location === undefined
        ? undefined
        : { location, mayReuse: !isForeign, metadata: await store.load(location), reader: store.reader(location) }
    this.#sources = await SourceCoordinators.restore(
      {
        graph,
        environment: { clock: ports.clock, files: ports.files, logger: ports.logger },
        snapshotWriter: store.snapshotWriter,
        closeTimeoutMs: settings.cancellationTimeoutMs,
        send: (vertex, subtask, event) => {
          this.#options.link.toTasks({
            type: 'sendSourceEvent',
            task: this.#tasks.numberAt(vertex, subtask),
            attempt,
            event,
          })
        },
        fail: (cause) => this.#failed(attempt, cause, 'USER_FUNCTION_FAILED'),
      },
      this.#restored,
    )
    // The job ended meanwhile: nobody else would close them.
    if (this.#job.hasEnded()) await this.#sources.close()
    else await this.#sources.start()
    return this.#restored?.metadata.checkpointId ?? null
  }

  #deploy({ attempt, checkpointId }: JobOrderOf<'deployTasks'>): void {
    this.#tasks.deployed()
    const restores = assignState(this.#options.graph, this.#restored?.metadata)
    this.#options.link.toTasks({
      type: 'deployTasks',
      attempt,
      checkpointId,
      location: this.#restored?.location ?? null,
      mayReuse: this.#restored?.mayReuse ?? false,
      drained: this.#options.startedFrom?.drained ?? false,
      restores,
    })
  }

  #failed(attempt: number, cause: unknown, code: ErrorCode): void {
    this.#reportFailure(attempt, this.#options.causes.of(cause, code))
  }

  #reportFailure(attempt: number, cause: Cause): void {
    this.#job.send({ type: 'failure.reported', attempt, cause, atMs: this.#options.ports.clock.now() })
  }

  async #end(order: JobOrderOf<'endJob'>): Promise<void> {
    if ((await this.#sources?.close()) === false) this.#options.ports.logger.warn(this.#enumeratorStuck().message)
    this.#restarts.stop()
    this.#job.stop()
    this.#savepoints.jobEnded(order)
    this.#options.ended(order)
  }

  /** A second one would run beside it: no restart may follow. */
  #enumeratorStuck(): StreamError {
    const { jobName, settings } = this.#options
    return new StreamError('TASK_CANCELLATION_TIMED_OUT', {
      message: `A split enumerator of job "${jobName}" did not close within ${settings.cancellationTimeoutMs} ms.`,
      hint: 'Its close() never settles. Have it settle, or allow more time with task.cancellation.timeout.',
    })
  }

  #broken(cause: Error): void {
    this.#failed(this.#job.attempt(), brokenBy(cause), 'INTERNAL')
  }

  /** The job's own chart takes no fact any more, so nobody would end the job: it ends here, and its record says no more. */
  async #endBroken(cause: Error): Promise<void> {
    const { link, causes } = this.#options
    const attempt = this.#job.attempt()
    try {
      for (const task of this.#tasks.all.keys()) link.toTasks({ type: 'cancelTask', task, attempt })
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
