/**
 * The words of the checkpoint coordinator: what it is told, what it orders, what it remembers. All of it plain JSON.
 */
import type { Barrier } from './alignment-vocabulary.ts'
import type { Cause } from './cause.ts'
import type { FailureCount } from './checkpoint-coordinator-failures.ts'
import type { Retention } from './checkpoint-coordinator-retention.ts'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined }

export type CheckpointKind = Barrier['kind']

/** How a savepoint is taken. */
export interface SavepointOptions {
  /** Canonical: any backend restores it. Native: the form of the backend that writes it. */
  readonly format: 'canonical' | 'native'
  /** Of one that ends the job: sources end as at the end of their input, and everything that waits comes out. */
  readonly drain: boolean
}

/** One execution of one subtask. A later attempt is another one: what an old one says counts for nothing. */
export interface TaskAttempt {
  readonly task: string
  readonly attempt: number
}

export interface CoordinatorSettings {
  /** null: no periodic checkpoints. The effective interval is never below `minPauseMs`. */
  readonly intervalMs: number | null
  readonly minPauseMs: number
  readonly timeoutMs: number
  readonly maxConcurrent: number
  readonly maxQueued: number
  readonly tolerableFailures: number | 'unlimited'
  readonly unaligned: boolean
  /** Read where `unaligned`: 0 starts unaligned at once. */
  readonly alignedTimeoutMs: number
  /** While a source reports backlog; null: as `intervalMs`; 0: none. */
  readonly intervalDuringBacklogMs: number | null
  readonly numRetained: number
  readonly retention: Retention
}

/** What somebody, or the periodic timer, asked for. */
export interface CheckpointRequest {
  readonly kind: CheckpointKind
  /** The asker's name for it; null: a periodic tick, which nobody waits for. */
  readonly requestId: number | null
  readonly targetDirectory: string | null
  /** Full even where increments are configured. */
  readonly full: boolean
  /** Of a savepoint; null: the defaults. Handed through to those who take and publish it. */
  readonly options: SavepointOptions | null
  readonly atMs: number
}

/** A checkpoint that has an id and is neither completed nor aborted. Who has acknowledged it is its own chart's business. */
export interface Pending {
  readonly checkpointId: number
  readonly kind: CheckpointKind
  readonly requestId: number | null
  /** Wall clock of the trigger. */
  readonly timestamp: number
  readonly startedAtMs: number
  readonly full: boolean
  readonly commitTo: readonly TaskAttempt[]
}

/** What recovery may use, oldest first. */
export interface Completed {
  readonly checkpointId: number
  readonly kind: CheckpointKind
  /** Whatever publishing it returned: enough to restore and to delete it. */
  readonly handle: Json
  /** False for one that belongs to the user: it leaves the list, its files stay. */
  readonly discardable: boolean
}

export interface Plan {
  readonly timestamp: number
  /** Get the trigger message: the others see barriers. */
  readonly trigger: readonly TaskAttempt[]
  readonly waitFor: readonly TaskAttempt[]
  readonly commitTo: readonly TaskAttempt[]
  /** Tasks that ended before; recorded as finished. */
  readonly finished: readonly string[]
  /** Needed, and not RUNNING: the attempt is refused. */
  readonly notRunning: readonly string[]
}

export type EndStatus = 'FINISHED' | 'CANCELED' | 'FAILED' | 'SUSPENDED'

/** `atMs` is monotonic: pauses and timers are reckoned by it. `timestamp` is the wall clock. */
export type CoordinatorFact = { readonly atMs: number } & (
  | { readonly type: 'scheduler.started'; readonly firstDelayMs: number | null }
  | { readonly type: 'scheduler.stopped' }
  | { readonly type: 'timer.fired'; readonly name: string }
  | { readonly type: 'backlog.changed'; readonly source: string; readonly backlog: boolean }
  | ({ readonly type: 'checkpoint.requested' } & Omit<CheckpointRequest, 'atMs'>)
  | ({ readonly type: 'plan.made' } & Plan)
  | { readonly type: 'plan.failed'; readonly reason: string; readonly message: string }
  | { readonly type: 'coordinators.acknowledged'; readonly checkpointId: number; readonly snapshots: Json }
  | {
      readonly type: 'coordinators.failed'
      readonly checkpointId: number
      readonly reason: string
      readonly message: string
    }
  /** Everybody has acknowledged it: it may be made durable when its turn comes. */
  | { readonly type: 'pending.acknowledged'; readonly checkpointId: number }
  | {
      readonly type: 'pending.completed'
      readonly checkpointId: number
      readonly handle: Json
      readonly bytes: number
      readonly path: string | null
    }
  | ({ readonly type: 'pending.aborted' } & AbortReport)
  /** An acknowledgement for a checkpoint that is not pending. */
  | ({ readonly type: 'task.acknowledged'; readonly checkpointId: number; readonly handles: Json } & TaskAttempt)
  | { readonly type: 'job.failedOver' }
  /** Deletions that this coordinator did not order have begun. */
  | { readonly type: 'discards.started'; readonly count: number }
  | { readonly type: 'discards.finished'; readonly count: number }
  | { readonly type: 'store.read'; readonly completed: readonly Completed[] }
  | { readonly type: 'store.notRead'; readonly message: string }
  | { readonly type: 'coordinator.shutDown'; readonly jobStatus: EndStatus }
)

export interface AbortReport {
  readonly checkpointId: number
  readonly reason: string
  readonly message: string
  /** What was thrown in the task that refused; null: nothing was. */
  readonly cause: Cause | null
  /** The task whose refusal it was; null: nobody's on the task side. */
  readonly task: TaskAttempt | null
  /** Whether the metadata may be visible after all: nothing may be deleted then. */
  readonly visible: 'no' | 'unknown'
}

export type AcknowledgeResult = 'SUCCESS' | 'DUPLICATE' | 'UNKNOWN' | 'DISCARDED'

export type CoordinatorOrder =
  | { readonly type: 'startTimer'; readonly name: string; readonly delayMs: number }
  | { readonly type: 'cancelTimer'; readonly name: string }
  /** Answer plan.made or plan.failed. */
  | { readonly type: 'makePlan'; readonly kind: CheckpointKind }
  /** Register the actor of this checkpoint, then start it. */
  | ({ readonly type: 'startPending' } & PendingStart)
  /** Make the place for it, then let the coordinators of operators write their state. Answer coordinators.*. */
  | ({ readonly type: 'snapshotCoordinators' } & Pick<
      PendingStart,
      'checkpointId' | 'kind' | 'timestamp' | 'full' | 'targetDirectory' | 'options'
    >)
  | { readonly type: 'acknowledgeCoordinators'; readonly checkpointId: number; readonly snapshots: Json }
  | {
      readonly type: 'triggerTasks'
      readonly barrier: Barrier
      readonly full: boolean
      readonly options: SavepointOptions | null
      readonly tasks: readonly TaskAttempt[]
    }
  /** It is this checkpoint's turn to be made durable. */
  | { readonly type: 'finalizeCheckpoint'; readonly checkpointId: number }
  | {
      readonly type: 'abortPending'
      readonly checkpointId: number
      readonly reason: string
      readonly message: string
    }
  /** Its end is dealt with: the actor may go. */
  | { readonly type: 'releasePending'; readonly checkpointId: number }
  | {
      readonly type: 'notifyComplete'
      readonly checkpointId: number
      readonly timestamp: number
      readonly tasks: readonly TaskAttempt[]
      readonly subsumedId: number | null
    }
  | {
      readonly type: 'notifyAborted'
      readonly checkpointId: number
      readonly timestamp: number
      readonly tasks: readonly TaskAttempt[]
      readonly latestCompletedId: number | null
    }
  /** Answer discards.finished. */
  | ({ readonly type: 'discardCheckpoint' } & Completed)
  /** State of a late or unknown acknowledgement. Answers nothing. */
  | ({ readonly type: 'discardHandles'; readonly checkpointId: number; readonly handles: Json } & TaskAttempt)
  | ({ readonly type: 'answerAcknowledgement' } & AcknowledgeAnswer)
  /** Which completed checkpoints there really are. Answer store.read or store.notRead. */
  | { readonly type: 'readStore' }
  | {
      readonly type: 'failJob'
      readonly reason: string
      readonly message: string
      /** Of the refusal that was one too many; null: nothing was thrown in a task. */
      readonly cause: Cause | null
      readonly checkpointId: number | null
      readonly task: TaskAttempt | null
    }
  /** It is complete. */
  | {
      readonly type: 'answerRequest'
      readonly requestId: number
      readonly checkpointId: number
      readonly handle: Json
      readonly path: string | null
    }
  /** It never became a checkpoint (`checkpointId` null), or that was aborted. */
  | {
      readonly type: 'rejectRequest'
      readonly requestId: number
      readonly checkpointId: number | null
      readonly kind: CheckpointKind
      readonly reason: string
      readonly message: string
    }
  | { readonly type: 'report'; readonly event: CheckpointEvent }

export interface AcknowledgeAnswer extends TaskAttempt {
  readonly checkpointId: number
  readonly result: AcknowledgeResult
  /** Whether the checkpoint is pending, or expired not long ago. */
  readonly known: boolean
}

/** Everything that the actor of a pending checkpoint starts with. */
export interface PendingStart {
  readonly checkpointId: number
  readonly kind: CheckpointKind
  readonly timestamp: number
  readonly timeoutMs: number
  readonly full: boolean
  readonly targetDirectory: string | null
  readonly options: SavepointOptions | null
  readonly waitFor: readonly TaskAttempt[]
  readonly finished: readonly string[]
}

/** For those who watch the job. `timestamp` is the wall clock of the trigger. */
export type CheckpointEvent =
  /** A request, or a tick (`periodic`), that never became a checkpoint. */
  | {
      readonly type: 'checkpoint.rejected'
      readonly kind: CheckpointKind
      readonly periodic: boolean
      readonly reason: string
      readonly message: string
    }
  | {
      readonly type: 'checkpoint.triggered'
      readonly checkpointId: number
      readonly kind: CheckpointKind
      readonly timestamp: number
      readonly full: boolean
    }
  | {
      readonly type: 'checkpoint.completed'
      readonly checkpointId: number
      readonly kind: CheckpointKind
      readonly timestamp: number
      readonly durationMs: number
      readonly bytes: number
      readonly path: string | null
    }
  | {
      readonly type: 'checkpoint.aborted'
      readonly checkpointId: number
      readonly kind: CheckpointKind
      readonly timestamp: number
      readonly durationMs: number
      readonly reason: string
      readonly message: string
    }

export interface CoordinatorInput {
  readonly settings: CoordinatorSettings
  readonly nextCheckpointId: number
  /** As the store has them, oldest first; what the job was restored from included. */
  readonly completed: readonly Completed[]
  readonly restoredFrom: { readonly checkpointId: number; readonly claimMode: 'NO_CLAIM' | 'CLAIM' } | null
}

export interface CoordinatorContext {
  readonly settings: CoordinatorSettings
  readonly nextCheckpointId: number
  /** The next to run first. */
  readonly queue: readonly CheckpointRequest[]
  /** How often the queue is still to be looked at for what has happened; one look drops one request at most. */
  readonly looks: number
  /** The request being triggered, and, once it has an id, whom to trigger. */
  readonly triggering: Triggering | null
  readonly pending: readonly Pending[]
  /** Acknowledged by everybody, waiting for their turn, in order. */
  readonly ready: readonly number[]
  /** The one whose metadata is being written: nothing aborts it until that is settled. */
  readonly finalizing: number | null
  readonly completed: readonly Completed[]
  readonly recentlyExpired: readonly number[]
  readonly recentlyCompleted: readonly number[]
  /** Checkpoints, or parts of them, that are being deleted. */
  readonly cleaning: number
  readonly lastCompletionAtMs: number | null
  /** When the periodic timer is due; null: it is not set. */
  readonly plannedAtMs: number | null
  readonly backlogged: readonly string[]
  readonly failures: FailureCount
  /** Until a checkpoint completes nothing may refer to files of the snapshot that the job was restored from. */
  readonly forceFull: boolean
  /** How the job ended; null: it has not. */
  readonly endStatus: EndStatus | null
}

interface Triggering {
  readonly request: CheckpointRequest
  readonly checkpointId: number | null
  readonly timestamp: number
  readonly tasks: readonly TaskAttempt[]
}

export interface CoordinatorStep {
  readonly next: Partial<CoordinatorContext>
  readonly orders: readonly CoordinatorOrder[]
}
