/**
 * What the hosts of the coordinator and of pending checkpoints need from the rest of the runtime: the work that their
 * charts order. Types alone, all but one; nothing here decides or does anything.
 */
import type {
  AcknowledgeAnswer,
  CheckpointEvent,
  CheckpointKind,
  Completed,
  CoordinatorOrder,
  Json,
  Plan,
  TaskAttempt,
} from '#machines/checkpoint-coordinator-vocabulary'
import type { Acknowledged, PendingOrder, Publication } from '#machines/pending-checkpoint'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { Cause, Causes } from './causes.ts'
import type { ChartTap } from './host-chart.ts'

type OrderOf<Type extends CoordinatorOrder['type']> = Omit<Extract<CoordinatorOrder, { type: Type }>, 'type'>

export type CheckpointPlan = Omit<Plan, 'timestamp'>

/** No plan can be made: one of Flink's failure reasons, `BLOCKING_OUTPUT_EXIST` for one. */
export interface PlanRefusal {
  readonly reason: string
  readonly message: string
}

export interface Published {
  /** All that restoring and deleting it needs. */
  readonly handle: Json
  readonly bytes: number
  /** Where a user finds it; null: in memory. */
  readonly path: string | null
}

/**
 * Promises reject with a StreamError. `details.reason`, where given, is one of Flink's failure reasons and becomes that
 * of the checkpoint; a FILE_ERROR counts as IO_EXCEPTION otherwise.
 */
export interface CheckpointWork {
  readonly clock: Clock
  readonly logger: Logger
  /** Where what the tasks threw is kept. */
  readonly causes: Causes
  readonly tap?: ChartTap | undefined
  /** Who takes part, at this moment. A throw counts as IO_EXCEPTION. */
  plan(kind: CheckpointKind): CheckpointPlan | PlanRefusal
  /** The place for the checkpoint is made, then operator coordinators (split enumerators) write their state: before any barrier. */
  snapshotCoordinators(checkpoint: OrderOf<'snapshotCoordinators'>): Promise<Json>
  /** Best effort, as all three messages to tasks are: what gets lost ends in an expiry. */
  triggerTasks(order: OrderOf<'triggerTasks'>): void
  /** To those that nobody runs before any more, at this moment; whoever has had the barrier ignores it. */
  triggerTasksBehind(order: Omit<Extract<PendingOrder, { type: 'triggerTasksBehind' }>, 'type'>): void
  /** To tasks, then to operator coordinators. */
  notifyComplete(order: OrderOf<'notifyComplete'>): void
  notifyAborted(order: OrderOf<'notifyAborted'>): void
  /**
   * Everything becomes durable and visible, or nothing. Rejects with `details.visible === 'unknown'` when it may have
   * become visible all the same: the job then fails and the store is read again.
   */
  publish(publication: Publication): Promise<Published>
  /** What the store really holds, oldest first, with what the job was restored from. */
  readStore(): Promise<readonly Completed[]>
  discardCheckpoint(completed: Completed): Promise<void>
  /** State of a checkpoint that was given up. */
  discardPending(pending: {
    readonly checkpointId: number
    readonly acknowledged: readonly Acknowledged[]
    readonly coordinators: Json
  }): Promise<void>
  /** State of an acknowledgement that came late or from somebody unknown. */
  discardHandles(handles: { readonly checkpointId: number; readonly handles: Json } & TaskAttempt): Promise<void>
  /** The job is to fail, by way of its restart strategy where a restart helps. May be called again. */
  failJob(failure: Cause): void
  report(event: CheckpointEvent): void
  /** What became of an acknowledgement. */
  acknowledged?(answer: AcknowledgeAnswer): void
}

/** Also when `work` throws before it returns a promise. */
export async function begun<Result>(work: () => Promise<Result>): Promise<Result> {
  return work()
}
