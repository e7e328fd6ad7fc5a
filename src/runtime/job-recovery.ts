/**
 * How tasks of a job come up, at its start and after a failure, and how they are taken down: finds what they start from,
 * makes the enumerators of their sources from it and has them deployed. Tasks that are not named run on. Decides nothing.
 */
import { StreamError } from '../base/errors.ts'
import type { Ports } from '../base/ports.ts'
import type { CheckpointMetadata } from '../checkpoint/checkpoint-metadata.ts'
import type { JobGraph } from '../graph/job-graph.ts'
import type { SnapshotReader } from '../state/snapshot.ts'
import type { CheckpointStatistics } from './checkpoint-statistics.ts'
import type { CheckpointCoordinator } from './control/checkpoint-coordinator.ts'
import type { Job, JobOrderOf } from './control/job.ts'
import { restorable } from './in-flight-records.ts'
import type { JobSettings } from './job-settings.ts'
import type { JobStore, StoredCheckpoint } from './job-store.ts'
import type { Link } from './link.ts'
import { assignState } from './restore-assignment.ts'
import { SourceCoordinators } from './source-coordinators.ts'
import type { TaskViews } from './task-views.ts'

export interface JobRecoveryOptions {
  readonly jobName: string
  readonly graph: JobGraph
  readonly settings: Pick<JobSettings, 'cancellationTimeoutMs' | 'dropInFlightOf'>
  readonly ports: Ports
  readonly store: JobStore
  /** What the job was started from. */
  readonly startedFrom: (StoredCheckpoint & { readonly owned: boolean; readonly drained: boolean }) | undefined
  readonly nextCheckpointId: number
  readonly link: Link
  readonly tasks: TaskViews
  readonly statistics: CheckpointStatistics
  coordinator(): CheckpointCoordinator
  job(): Job
  enumeratorFailed(cause: unknown): void
}

export class JobRecovery {
  readonly sources: SourceCoordinators
  readonly #options: JobRecoveryOptions
  /** What the tasks that were restored last start from. */
  #restored:
    | {
        readonly location: string
        /** It is the job's own: later checkpoints may refer to its files. */
        readonly mayReuse: boolean
        readonly metadata: CheckpointMetadata
        readonly reader: SnapshotReader
      }
    | undefined

  constructor(options: JobRecoveryOptions) {
    const { graph, ports, store, settings, link, tasks } = options
    this.#options = options
    this.sources = new SourceCoordinators({
      graph,
      environment: { clock: ports.clock, files: ports.files, logger: ports.logger },
      snapshotWriter: store.snapshotWriter,
      closeTimeoutMs: settings.cancellationTimeoutMs,
      send: (vertex, subtask, event) => {
        const task = tasks.numberAt(vertex, subtask)
        link.toTasks({ type: 'sendSourceEvent', task, attempt: options.job().attemptOf(task), event })
      },
      backlogChanged: (source, backlog) => options.coordinator().backlogChanged(source, backlog),
      fail: (cause) => options.enumeratorFailed(cause),
    })
  }

  /** Enumerators make no calls while a restart waits; whoever needs them gone waits for this later. */
  cancel({ tasks }: JobOrderOf<'cancelTasks'>): void {
    void this.sources.close(this.#verticesOf(tasks.map(({ task }) => task)))
    for (const { task, attempt } of tasks) this.#options.link.toTasks({ type: 'cancelTask', task, attempt })
  }

  async restore({ attempt, tasks }: JobOrderOf<'restoreState'>): Promise<number | null> {
    const { ports, store, settings, startedFrom, nextCheckpointId, statistics, coordinator, job } = this.#options
    const vertices = this.#verticesOf(tasks)
    if (!(await this.sources.close(vertices))) throw this.#enumeratorStuck()
    if (attempt > 1) {
      await coordinator().failOver()
      await store.stillOurs()
    }
    const latest = coordinator().latestCompleted()
    // Whatever is older than this run: the job was started from one of it, which need not be the newest.
    const isOfThisRun = latest !== undefined && latest.checkpointId >= nextCheckpointId
    const location = isOfThisRun ? (latest.handle as string) : startedFrom?.location
    const isForeign = startedFrom !== undefined && !startedFrom.owned && location === startedFrom.location
    this.#restored =
      location === undefined
        ? undefined
        : {
            location,
            mayReuse: !isForeign,
            metadata: restorable(await store.load(location), settings.dropInFlightOf),
            reader: store.reader(location),
          }
    await this.sources.restore(vertices, this.#restored)
    // The job ended meanwhile: nobody else would close them.
    if (job().hasEnded()) await this.sources.close()
    else await this.sources.start(vertices)
    if (this.#restored === undefined) return null
    const { checkpointId, kind } = this.#restored.metadata
    const path = isOfThisRun && !store.durable ? null : this.#restored.location
    statistics.restored({ checkpointId, kind, restoredAtMs: ports.clock.now(), path })
    return checkpointId
  }

  deploy({ attempt, checkpointId, tasks }: JobOrderOf<'deployTasks'>): void {
    const { graph, link, startedFrom } = this.#options
    const deployed = new Set(tasks)
    this.#options.tasks.deployed(deployed)
    link.toTasks({
      type: 'deployTasks',
      attempt,
      checkpointId,
      location: this.#restored?.location ?? null,
      mayReuse: this.#restored?.mayReuse ?? false,
      drained: startedFrom?.drained ?? false,
      restores: assignState(graph, this.#restored?.metadata).filter(({ task }) => deployed.has(task)),
    })
  }

  /** At the end of the job. */
  async close(): Promise<void> {
    if (!(await this.sources.close())) this.#options.ports.logger.warn(this.#enumeratorStuck().message)
  }

  #verticesOf(tasks: readonly number[]): ReadonlySet<number> {
    return new Set(tasks.map((task) => this.#options.tasks.view(task).vertex))
  }

  /** A second one would run beside it: no restart may follow. */
  #enumeratorStuck(): StreamError {
    const { jobName, settings } = this.#options
    return new StreamError('TASK_CANCELLATION_TIMED_OUT', {
      message: `A split enumerator of job "${jobName}" did not close within ${settings.cancellationTimeoutMs} ms.`,
      hint: 'Its close() never settles. Have it settle, or allow more time with task.cancellation.timeout.',
    })
  }
}
