/** The facts that a task's chart learns, the orders that it gives, and what it remembers in between. No behaviour. */
import type { Cause } from './cause.ts'

export type ExecutionState =
  | 'CREATED'
  | 'SCHEDULED'
  | 'DEPLOYING'
  | 'INITIALIZING'
  | 'RUNNING'
  | 'FINISHED'
  | 'CANCELING'
  | 'CANCELED'
  | 'FAILED'

export interface TaskInput {
  /** The place of this subtask in the job's list of tasks, from 0. */
  readonly task: number
  readonly attempt: number
  /** Whether the end waits for a checkpoint: checkpointing is on, also after tasks finished. */
  readonly finalCheckpoint: boolean
  readonly cancellationTimeoutMs: number
}

export interface TaskContext extends TaskInput {
  /** The first checkpoint that this task snapshotted after finish(); null before. */
  readonly finalFrom: number | null
  /** The savepoint that ends the job: the task ends when it is committed, and with no other; null: none is known of. */
  readonly endsWith: number | null
  /** Why the task fails, kept until its operators are disposed of. */
  readonly cause: Cause | null
}

export type TaskFact =
  | { readonly type: 'task.scheduled' }
  | { readonly type: 'deployment.started' }
  /** Operators and channels exist. */
  | { readonly type: 'task.deployed' }
  /** `finished`: the checkpoint says that all operators of this subtask had finished. */
  | { readonly type: 'state.restored'; readonly finished: boolean }
  | { readonly type: 'operators.opened' }
  | { readonly type: 'committables.committed' }
  /** The records that were in flight to this subtask are processed. */
  | { readonly type: 'inFlight.processed' }
  /**
   * The source is exhausted or stopped, or end of data came on every input. `drained`: it is the end of the stream, not
   * only of this run. `savepoint`: the one that follows and ends the job.
   */
  | ({ readonly type: 'data.ended' } & DataEnd)
  | { readonly type: 'operators.finished' }
  /** Downstream has taken everything up to the end of the data out of its channels. */
  | { readonly type: 'output.drained' }
  /** The synchronous part of this checkpoint's snapshot is done. */
  | { readonly type: 'checkpoint.snapshotted'; readonly checkpointId: number }
  /** The checkpoint is complete and everything that this task had to commit for it is committed. */
  | { readonly type: 'checkpoint.committed'; readonly checkpointId: number }
  | { readonly type: 'operators.closed' }
  | { readonly type: 'cancel.requested' }
  | { readonly type: 'operators.disposed' }
  | { readonly type: 'timer.fired'; readonly timer: 'cancellation' }
  | { readonly type: 'task.failed'; readonly cause: Cause }

export type TaskOrder =
  /** Tell the job. FAILED, CANCELED and FINISHED are told when nothing of the task runs any more. */
  | {
      readonly type: 'reportState'
      readonly task: number
      readonly attempt: number
      readonly state: ExecutionState
      readonly cause: Cause | null
    }
  /** Make operators and channels; answer task.deployed. */
  | { readonly type: 'deploy' }
  /** Answer state.restored. */
  | { readonly type: 'restoreState'; readonly attempt: number }
  /** The last of the chain first; answer operators.opened. */
  | { readonly type: 'openOperators' }
  /** Commit what the checkpoint holds uncommitted; answer committables.committed. */
  | { readonly type: 'commitRestored' }
  /** Process the records that the checkpoint holds of the channels, and read no channel; answer inFlight.processed. */
  | { readonly type: 'processInFlight' }
  /** Channels and sources may be read from now on. */
  | { readonly type: 'run' }
  /**
   * Timers are stopped; where the data was drained finish() from first to last; then end of data downstream. Answer
   * operators.finished.
   */
  | ({ readonly type: 'finishOperators' } & DataEnd)
  /** Answer output.drained when nothing that was sent is in flight any more: at once where nobody reads. */
  | { readonly type: 'drainOutput' }
  /** Nothing to do but to go on with checkpoints. */
  | { readonly type: 'awaitFinalCheckpoint' }
  /** End of partition downstream; `withEndOfData`: largest watermark and end of data before it, for nobody else sends them. */
  | { readonly type: 'endPartitions'; readonly withEndOfData: boolean }
  /** Answer operators.closed. */
  | { readonly type: 'closeOperators' }
  /** Stop processing, cut off what waits, close what is open; answer operators.disposed when nothing runs any more. */
  | { readonly type: 'disposeOperators' }
  | { readonly type: 'startTimer'; readonly timer: 'cancellation'; readonly delayMs: number }
  | { readonly type: 'stopTimer'; readonly timer: 'cancellation' }

/** How the data of a task ended. */
export interface DataEnd {
  /** False: the stream goes on in another run. No timer fires, no finish() is called, everything stays in the state. */
  readonly drained: boolean
  /** The savepoint that follows and ends the job; null: none does. */
  readonly savepoint: number | null
}
