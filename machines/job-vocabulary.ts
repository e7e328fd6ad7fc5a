/** The facts that a job's chart learns, the orders that it gives, and what it remembers in between. No behaviour. */
import type { Cause } from './cause.ts'
import type { ExecutionState } from './task.ts'

/** Flink's names. */
export type JobStatus =
  | 'INITIALIZING'
  | 'CREATED'
  | 'RUNNING'
  | 'FAILING'
  | 'RESTARTING'
  | 'CANCELLING'
  | 'SUSPENDED'
  | 'FINISHED'
  | 'FAILED'
  | 'CANCELED'

export type TerminalStatus = 'SUSPENDED' | 'FINISHED' | 'FAILED' | 'CANCELED'

/** Which checkpoints outlive the job: Flink's externalized checkpoint retention. */
export type Retention = 'NO_EXTERNALIZED_CHECKPOINTS' | 'DELETE_ON_CANCELLATION' | 'RETAIN_ON_CANCELLATION'

export interface JobInput {
  /** By place of a subtask: its region. Those of one region restart together. */
  readonly regions: readonly number[]
  readonly retention: Retention
  /** Whether a suspended job takes one last checkpoint: checkpointing is on and has a directory. */
  readonly suspendsToCheckpoint: boolean
}

export interface JobContext extends JobInput {
  /** The state of each subtask in its attempt, by its place. */
  readonly states: readonly ExecutionState[]
  /** By place: the attempt in which it was deployed last, or is being prepared. What it tells of any other is ignored. */
  readonly attempts: readonly number[]
  /** By place: the next deployment brings it up. At first all, later those that a failure takes along. */
  readonly restarting: readonly boolean[]
  /** By place: only the final checkpoint is missing. */
  readonly awaitFinalCheckpoint: readonly boolean[]
  /** The final checkpoint of this attempt was called for, and nothing has come about since that makes another call necessary. */
  readonly finalCheckpointCalled: boolean
  /** The newest attempt, from 1: that of the tasks that were deployed last, or are being prepared. */
  readonly attempt: number
  readonly backoffOver: boolean
  /** What failed while state is being restored, an enumerator for one: that attempt is never deployed. */
  readonly restoreFailed: { readonly cause: Cause; readonly atMs: number } | null
  /** The newest revision of the job record that was ordered. */
  readonly revision: number
  /** The savepoint that ends the job; from then on no failure is followed by a restart. */
  readonly sealed: Sealed | null
  /** The failure on which the next or last decision rests. */
  readonly cause: Cause | null
  /** Why the restart strategy said no. */
  readonly denied: string | null
  /** Why the record of the end could not be written. The checkpoints stay then. */
  readonly notRecorded: Cause | null
}

/** One subtask, by its place, in one attempt. */
export interface DeployedTask {
  readonly task: number
  readonly attempt: number
}

export interface Sealed {
  readonly savepoint: string
  readonly drained: boolean
}

export type JobFact =
  /** The graph is built, the directory is ours, the epoch is known. */
  | { readonly type: 'job.initialized' }
  | { readonly type: 'record.written'; readonly revision: number }
  | { readonly type: 'record.notWritten'; readonly revision: number; readonly cause: Cause; readonly atMs: number }
  /** State of the named checkpoint is at hand; null: the attempt starts empty. */
  | { readonly type: 'state.restored'; readonly attempt: number; readonly checkpointId: number | null }
  | { readonly type: 'state.notRestored'; readonly attempt: number; readonly cause: Cause; readonly atMs: number }
  | {
      readonly type: 'task.changed'
      readonly attempt: number
      readonly task: number
      readonly state: Exclude<ExecutionState, 'FAILED'>
    }
  /** All its operators have finished: it goes on only for its final checkpoint. */
  | { readonly type: 'finalCheckpoint.awaited'; readonly attempt: number; readonly task: number }
  /** What became of the one that was called for. */
  | { readonly type: 'finalCheckpoint.ended'; readonly attempt: number; readonly outcome: FinalCheckpointOutcome }
  /** The task has failed and nothing of it runs any more. */
  | {
      readonly type: 'task.failed'
      readonly attempt: number
      readonly task: number
      readonly cause: Cause
      readonly atMs: number
    }
  /** Something other than a task failed the job: too many failed checkpoints, an enumerator, the job record. */
  | { readonly type: 'failure.reported'; readonly attempt: number; readonly cause: Cause; readonly atMs: number }
  | { readonly type: 'restart.granted'; readonly attempt: number; readonly delayMs: number }
  | { readonly type: 'restart.denied'; readonly attempt: number; readonly reason: string }
  | { readonly type: 'timer.fired'; readonly timer: JobTimer; readonly attempt: number }
  /** `savepoint`: the path of the savepoint that was taken before, by cancel with savepoint. */
  | { readonly type: 'cancel.requested'; readonly savepoint: string | null }
  | { readonly type: 'suspend.requested'; readonly timeoutMs: number }
  | { readonly type: 'suspension.checkpointed'; readonly attempt: number; readonly checkpointId: number }
  | {
      readonly type: 'suspension.notCheckpointed'
      readonly attempt: number
      readonly cause: Cause
      readonly atMs: number
    }
  /** The job shall end with a savepoint: may it begin? Answered by admitStop or refuseStop. */
  | { readonly type: 'stop.requested' }
  /** That came to nothing, and nothing has stopped for it: the job runs on. */
  | { readonly type: 'stop.abandoned' }
  /**
   * That came to nothing when sources may have stopped for it: a failure, unless every task has come to its end by itself,
   * so that none has.
   */
  | { readonly type: 'stop.failed'; readonly attempt: number; readonly cause: Cause; readonly atMs: number }
  /** The savepoint of stop-with-savepoint is durable; nothing of it is committed. Answered by confirmSeal or denySeal. */
  | {
      readonly type: 'savepoint.published'
      readonly attempt: number
      readonly savepoint: string
      readonly drained: boolean
    }
  /** What the retention policy lets go is deleted, or was left because that failed. */
  | { readonly type: 'checkpoints.settled' }

/**
 * `completed`: every task that was left finishes with it. `missed`: it was given up because a task finished without it, so
 * another has to follow. `failed`: the next periodic one serves as well.
 */
export type FinalCheckpointOutcome = 'completed' | 'missed' | 'failed'

export type JobTimer = 'backoff' | 'suspension'

export type JobOrder =
  /**
   * Make the job record durable; answer record.written or record.notWritten of this revision. Revisions are written one
   * after the other, in order.
   */
  | ({ readonly type: 'writeRecord'; readonly revision: number } & RecordContent)
  /** Find and read what these subtasks start from (attempt 1: what the job was started from; later: the newest checkpoint, else the same). */
  | { readonly type: 'restoreState'; readonly attempt: number; readonly tasks: readonly number[] }
  /** These subtasks, with the state of that checkpoint. */
  | {
      readonly type: 'deployTasks'
      readonly attempt: number
      readonly checkpointId: number | null
      readonly tasks: readonly number[]
    }
  /** Harmless where it was ordered before, where they are gone, and where they never were deployed. */
  | { readonly type: 'cancelTasks'; readonly tasks: readonly DeployedTask[] }
  /** Ask the restart supervisor; answer restart.granted or restart.denied of this attempt. */
  | { readonly type: 'askRestart'; readonly attempt: number; readonly cause: Cause; readonly atMs: number }
  /** Into the history of failures. */
  | {
      readonly type: 'recordFailure'
      readonly attempt: number
      readonly task: number | null
      readonly cause: Cause
      readonly atMs: number
    }
  | { readonly type: 'startTimer'; readonly timer: JobTimer; readonly attempt: number; readonly delayMs: number }
  /** Harmless when it has fired or was never started. */
  | { readonly type: 'stopTimer'; readonly timer: JobTimer }
  /** Periodic checkpoints may be triggered. */
  | { readonly type: 'startScheduler'; readonly attempt: number }
  /** Every task that is left waits for its final checkpoint: trigger one now rather than at the next tick. Answer finalCheckpoint.ended. */
  | { readonly type: 'triggerFinalCheckpoint'; readonly attempt: number }
  /** No periodic checkpoint from now on; pending and queued ones are aborted. Harmless when it does not run. */
  | { readonly type: 'stopScheduler' }
  /** One checkpoint now; answer suspension.checkpointed or suspension.notCheckpointed. */
  | { readonly type: 'takeSuspendCheckpoint'; readonly attempt: number }
  /** Whoever ends the job with a savepoint may go on. */
  | { readonly type: 'admitStop' }
  /** The job does not run, or is on its way to another end. */
  | { readonly type: 'refuseStop' }
  /** The job goes another way: its next attempt or its end is the answer to whoever wanted to end it with a savepoint. */
  | { readonly type: 'overtakeStop' }
  /** From here on the job ends with this savepoint, well or badly. Answers nothing. */
  | { readonly type: 'reportSealed'; readonly savepoint: string }
  /** The record names the savepoint: what it covers may be committed. */
  | { readonly type: 'confirmSeal'; readonly savepoint: string }
  /** Nothing that it covers may be committed in this attempt. */
  | { readonly type: 'denySeal'; readonly savepoint: string }
  /** Delete the checkpoints, or only let go of them; answer checkpoints.settled. */
  | { readonly type: 'settleCheckpoints'; readonly keep: boolean }
  /** The last order: whoever waits for the job gets its result. */
  | {
      readonly type: 'endJob'
      readonly status: TerminalStatus
      readonly cause: Cause | null
      readonly denied: string | null
      readonly sealed: Sealed | null
      readonly notRecorded: Cause | null
    }

export interface RecordContent {
  readonly status: JobStatus
  readonly checkpoints: 'kept' | 'deleting'
  /** The savepoint from which the job goes on, or null. */
  readonly sealed: Sealed | null
  readonly cause: Cause | null
}
