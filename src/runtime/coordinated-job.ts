/**
 * The work that the checkpoint coordinator orders, done for one job: plans, triggers, notifications, metadata, deletions.
 * It decides nothing about checkpoints.
 */
import type { Ports } from '../base/ports.ts'
import { RecentIds } from '../checkpoint/recent-ids.ts'
import { handlesIn } from '../checkpoint/stored-handles.ts'
import type { Json } from '../elements/json.ts'
import type { JobGraph } from '../graph/job-graph.ts'
import type { OperatorSubtaskState, StateHandle } from '../state/snapshot.ts'
import { checkpointContents } from './checkpoint-contents.ts'
import type { CheckpointStatistics } from './checkpoint-statistics.ts'
import type { Cause, Causes } from './control/causes.ts'
import { planCheckpoint } from './control/checkpoint-plan.ts'
import type { CheckpointWork } from './control/checkpoint-work.ts'
import type { ChartTap } from './control/host-chart.ts'
import type { JobEvent } from './job-handle.ts'
import type { JobStore } from './job-store.ts'
import type { Link } from './link.ts'
import { published } from './savepoints.ts'
import type { SourceCoordinators } from './source-coordinators.ts'
import type { TaskViews } from './task-views.ts'

export interface CoordinatedJob {
  readonly jobId: string
  readonly jobName: string
  readonly epoch: number
  readonly graph: JobGraph
  readonly checkpointsAfterTasksFinish: boolean
  readonly ports: Ports
  readonly store: JobStore
  readonly link: Link
  readonly causes: Causes
  readonly tap: ChartTap | undefined
  readonly tasks: TaskViews
  readonly statistics: CheckpointStatistics
  /** The attempt in which that task was deployed last. */
  attemptOf(task: number): number
  readonly sources: SourceCoordinators
  /** Makes the folder of a savepoint and tries whether it can be written to. Rejects with FILE_ERROR. */
  prepareFolder(checkpointId: number, directory: string): Promise<void>
  /** The trigger of the savepoint that stops the job is on its way. */
  stopTriggered(): void
  /** Settles when the record of the job names the savepoint that ends it; rejects when nothing of it may be committed. */
  seal(savepoint: string, drained: boolean): Promise<void>
  emit(event: JobEvent): void
  fail(failure: Cause): void
}

type Trigger = Pick<Parameters<CheckpointWork['triggerTasks']>[0], 'barrier' | 'options' | 'tasks'>

export function checkpointWork(job: CoordinatedJob): CheckpointWork {
  const { ports, store, link, causes, tap, graph, tasks } = job
  const givenUp = new RecentIds()
  const plan = () => planCheckpoint({ ...planGraph(job), checkpointsAfterTasksFinish: job.checkpointsAfterTasksFinish })
  const trigger = ({ barrier, options, tasks: triggered }: Trigger) => {
    for (const { task, attempt } of triggered)
      link.toTasks({
        type: 'triggerCheckpoint',
        task: tasks.number(task),
        attempt,
        barrier: { type: 'barrier', ...barrier },
        drain: options?.drain ?? false,
      })
  }
  return {
    clock: ports.clock,
    logger: ports.logger,
    causes,
    ...(tap === undefined ? {} : { tap }),
    plan,
    async snapshotCoordinators({ checkpointId, targetDirectory, options }) {
      if (options?.format === 'native') job.statistics.native(checkpointId)
      store.begin(checkpointId)
      if (targetDirectory !== null) await job.prepareFolder(checkpointId, targetDirectory)
      // Nobody would let go of what its enumerators hold back from here on.
      givenUp.refuse(checkpointId)
      return Object.fromEntries(await job.sources.snapshot(checkpointId)) as Json & object
    },
    triggerTasks(order) {
      const { kind, checkpointId } = order.barrier
      if (kind === 'synchronousSavepoint') job.stopTriggered()
      trigger(order)
      job.sources.triggered(checkpointId)
    },
    triggerTasksBehind(order) {
      const isBehind = (name: string) => graph.edges.some(({ to }) => to === tasks.view(tasks.number(name)).vertex)
      trigger({ ...order, tasks: plan().trigger.filter(({ task }) => isBehind(task)) })
    },
    notifyComplete({ checkpointId, tasks: notified }) {
      for (const { task, attempt } of notified)
        link.toTasks({ type: 'notifyCheckpointComplete', task: tasks.number(task), attempt, checkpointId })
      job.sources.notifyCheckpointComplete(checkpointId)
    },
    notifyAborted({ checkpointId, tasks: notified }) {
      givenUp.add(checkpointId)
      for (const { task, attempt } of notified)
        link.toTasks({ type: 'notifyCheckpointAborted', task: tasks.number(task), attempt, checkpointId })
      job.sources.triggered(checkpointId)
    },
    async publish({ checkpointId, kind, timestamp, targetDirectory, options, acknowledged, coordinators }) {
      const { jobId, jobName, epoch } = job
      const contents = checkpointContents({ jobId, jobName, epoch }, graph, {
        checkpointId,
        kind,
        timestamp,
        acknowledged: new Map(acknowledged.map(({ task, handles }) => [tasks.number(task), statesOf(handles)])),
        coordinators: new Map(Object.entries((coordinators ?? {}) as unknown as Record<string, StateHandle>)),
      })
      if (kind !== 'checkpoint') {
        const { location, bytes } = await published(store.publishSavepoint(targetDirectory as string, contents))
        // Only then is anybody told that it is complete, and commits.
        if (kind === 'synchronousSavepoint') await job.seal(location, options?.drain ?? false)
        return { handle: location, bytes, path: location }
      }
      const { location, bytes } = await store.publish(contents)
      return { handle: location, bytes, path: store.durable ? location : null }
    },
    readStore: async () => (await store.listCompleted()).map(completedAs),
    async discardCheckpoint({ checkpointId, handle }) {
      await store.discard({ checkpointId, location: handle as string })
      job.statistics.discarded(checkpointId)
    },
    discardPending: ({ checkpointId }) => store.discardPending(checkpointId),
    discardHandles: ({ handles }) => store.removeHandles(statesOf(handles).flatMap(handlesIn)),
    failJob: (failure) => job.fail(failure),
    report: (event) => job.emit(eventOf(event, job, ports.clock.now())),
  }
}

/** As the coordinator remembers a checkpoint: its place is all that restoring and deleting it needs. */
export function completedAs({ checkpointId, location }: { readonly checkpointId: number; readonly location: string }) {
  return { checkpointId, kind: 'checkpoint', handle: location, discardable: true } as const
}

function planGraph({ graph, tasks, attemptOf }: CoordinatedJob) {
  const inTheirAttempts = tasks.all.map((view, task) => ({ ...view, attempt: attemptOf(task) }))
  return {
    vertices: graph.vertices.map((_, index) => ({
      tasks: inTheirAttempts
        .filter(({ vertex }) => vertex === index)
        .map(({ name, attempt, state }) => ({ task: name, attempt, state })),
    })),
    edges: graph.edges.map(({ from, to, partitioner }) => {
      const pattern: 'pointwise' | 'allToAll' =
        partitioner.type === 'forward' || partitioner.type === 'rescale' ? 'pointwise' : 'allToAll'
      return { from, to, pattern }
    }),
  }
}

function statesOf(handles: unknown): readonly OperatorSubtaskState[] {
  return handles as readonly OperatorSubtaskState[]
}

/** Remembers what the event is about, and adds what was remembered before. */
function eventOf(
  event: Parameters<CheckpointWork['report']>[0],
  { statistics, tasks }: CoordinatedJob,
  atMs: number,
): JobEvent {
  switch (event.type) {
    case 'checkpoint.triggered': {
      const { type, checkpointId, kind, timestamp } = event
      const finished = tasks.all.filter(({ state }) => state === 'FINISHED')
      statistics.triggered({ checkpointId, kind, triggeredAtMs: timestamp }, finished)
      return { type, checkpointId, kind, atMs }
    }
    case 'checkpoint.completed': {
      const { type, checkpointId, kind, durationMs, bytes, path } = event
      const inFlight = statistics.completed(checkpointId, atMs, path)
      return { type, checkpointId, kind, atMs, durationMs, bytes, path: path ?? undefined, ...inFlight }
    }
    case 'checkpoint.aborted': {
      const { type, checkpointId, reason, message } = event
      statistics.aborted(checkpointId, atMs, { reason, message })
      return { type, checkpointId, reason, message, atMs }
    }
    case 'checkpoint.rejected':
      return { type: 'checkpoint.aborted', checkpointId: undefined, reason: event.reason, message: event.message, atMs }
    default:
      return event satisfies never
  }
}
