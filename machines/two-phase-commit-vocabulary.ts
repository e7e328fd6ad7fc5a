/** The facts that a sink transaction learns, the orders that it gives, and what it remembers in between. No behaviour. */
import type { Cause } from './cause.ts'

export interface TwoPhaseCommitInput {
  /** How often a committable that asks for it is tried again. */
  readonly retries: number
  readonly commitTimeoutMs: number
  /** A restored transaction older than this may fail to commit without failing the task; null: never. */
  readonly ignoreFailuresAfterMs: number | null
  /** When the transaction began. */
  readonly startedAtMs: number
}

export interface TwoPhaseCommitContext extends TwoPhaseCommitInput {
  /** The checkpoint that it was pre-committed with; -1 while it is open. */
  readonly checkpointId: number
  /** How many committables were announced, and how many are here. */
  readonly announced: number
  readonly arrived: number
  /** The committables not committed yet, by their place in the transaction. */
  readonly pending: readonly number[]
  /** How often the pending ones were tried before. */
  readonly tried: number
  readonly restored: boolean
}

export type TwoPhaseCommitFact =
  /** Its barrier came: everything written is safe, nothing is visible. */
  | {
      readonly type: 'transaction.preCommitted'
      readonly checkpointId: number
      readonly announced: number
      readonly arrived: number
    }
  /** Further committables of the same checkpoint. */
  | { readonly type: 'committables.arrived'; readonly count: number }
  /** It stood uncommitted in the checkpoint that is restored. */
  | { readonly type: 'transaction.restored'; readonly checkpointId: number; readonly count: number }
  | { readonly type: 'checkpoint.completed'; readonly checkpointId: number }
  /** The input is at its end and no checkpoint will follow. */
  | { readonly type: 'input.ended' }
  /** The older transactions of the subtask have been dealt with. */
  | { readonly type: 'turn.came' }
  /** The committer has answered. `retryLater`: places; all others are committed, unless `failed` says why some are not. */
  | {
      readonly type: 'commit.answered'
      readonly retryLater: readonly number[]
      readonly failed: { readonly places: readonly number[]; readonly cause: Cause } | null
    }
  /** The committer threw: nothing is known to be committed. */
  | { readonly type: 'commit.failed'; readonly cause: Cause; readonly atMs: number }
  | { readonly type: 'timer.fired'; readonly timer: 'commit' }
  /** The sink is closed, or the transaction stood open in the checkpoint that is restored. */
  | { readonly type: 'transaction.closed' }

export type TwoPhaseCommitOrder =
  /** Commit these places in one call; answer commit.answered or commit.failed. `attempt`: how often they were tried before. */
  | {
      readonly type: 'commit'
      readonly checkpointId: number
      readonly places: readonly number[]
      readonly attempt: number
    }
  | { readonly type: 'startTimer'; readonly timer: 'commit'; readonly delayMs: number }
  | { readonly type: 'stopTimer'; readonly timer: 'commit' }
  /** These have become visible. */
  | { readonly type: 'reportCommitted'; readonly checkpointId: number; readonly places: readonly number[] }
  /** Take back what was written. */
  | { readonly type: 'abortTransaction' }
  /** A restored transaction that is too old to insist on is given up. */
  | { readonly type: 'reportExpired'; readonly checkpointId: number; readonly cause: Cause }
  | { readonly type: 'failTask'; readonly checkpointId: number; readonly cause: Cause }
