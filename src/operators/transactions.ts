/**
 * What an exactly-once sink needs from the two-phase commit of its subtask. The operator says what is ready and when a
 * checkpoint is complete; when something is committed, tried again or given up is decided behind this door.
 *
 * It serves two kinds of sinks. One with a single open transaction: `begin`, then at each barrier `preCommitOpen` and
 * `begin` again. And one whose writer hands over committables: `preCommit` at each barrier.
 *
 * Commits run one at a time, in the order of checkpoint ids, while records go on. A promise returned here rejects with
 * what failed the commit, and whoever called must then fail the task. Nobody need catch it: an unobserved one is silent.
 */
export interface Transactions<C> {
  /** Transactions: this one is open from now on. There must be no other open one. */
  begin(transaction: C): void
  /** Transactions, at the barrier, once everything written is safe: the open one waits for its checkpoint. Nothing when none is open. */
  preCommitOpen(checkpointId: number): void
  /**
   * Committables, at the barrier: these wait for their checkpoint. `announced` says how many there will be in all when more
   * follow in further calls for the same checkpoint; a checkpoint that completes before they are here is an error.
   */
  preCommit(checkpointId: number, committables: readonly C[], announced?: number): void
  /**
   * Once, before the first record. Commits everything that stood pending in the checkpoint and aborts what stood open in
   * it. The task may run when the promise resolves.
   */
  restored(pending: readonly PendingCommittable<C>[], open?: readonly C[]): Promise<void>
  /**
   * This checkpoint is complete: commits all that was pre-committed with it or with an older one. Resolves when all of
   * that is committed, and what is under way already; at once when there is nothing. An aborted checkpoint is not told: its
   * transactions are covered by the next completed one.
   */
  complete(checkpointId: number): Promise<void>
  /** What a snapshot must hold: pre-committed and not yet known to be committed. By checkpoint id. */
  pending(): readonly PendingCommittable<C>[]
  /** The input has ended. Without checkpointing everything pre-committed is committed; with it nothing happens: the final checkpoint commits. */
  endInput(): Promise<void>
  /** Aborts the open transaction, begins no further commit, and resolves when nothing of the subtask is under way any more. */
  close(): Promise<void>
}

export interface PendingCommittable<C> {
  readonly checkpointId: number
  readonly committable: C
  /** When its transaction began: milliseconds since the epoch. */
  readonly startedAtMs: number
}

/** The checkpoint id of what is pre-committed at the end of an input without checkpoints: above all others. */
export const END_OF_INPUT = Number.MAX_SAFE_INTEGER
