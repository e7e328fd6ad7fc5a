/**
 * Sinks as in Flink's Sink V2. What `prepareCommit` hands over becomes visible when its checkpoint is complete, is
 * committed again on a restore, and must bear being committed twice.
 */
import type { Clock } from '../base/clock.ts'
import type { FileSystem } from '../base/file-system.ts'
import type { Ids } from '../base/ids.ts'
import type { Logger } from '../base/logger.ts'
import type { Serializer } from '../elements/serializer.ts'

/** Where records leave the job. At least once by itself; exactly once as a `TwoPhaseCommittingSink`. */
export interface Sink<in T> {
  /**
   * Names the place that it writes to, for sinks that may meet there: those of one job that name the same restart together,
   * so that what one of them finds there of an older attempt is nobody's any more. Left out: the sink itself.
   */
  readonly place?: string | undefined
  /** Once a subtask and attempt. May wait. */
  createWriter(context: WriterContext): SinkWriter<T> | Promise<SinkWriter<T>>
}

/** Writes the records of one subtask in one attempt. */
export interface SinkWriter<in T> {
  /** Per record. A returned promise pauses this subtask until it settles. */
  write(value: T, context: WriteContext): void | Promise<void>
  /** Before each snapshot, and with `endOfInput` at the end of a bounded input. */
  flush(endOfInput: boolean): void | Promise<void>
  /**
   * Settles when everything that was handed over with this snapshot is safe. It delays the acknowledgement of the
   * checkpoint, not the records. A rejection fails the task: what was handed over cannot be written once more. Also asked
   * where `flush` or `prepareCommit` failed: whether the task can go on without this checkpoint.
   */
  readonly makeDurable?: ((checkpointId: number) => void | Promise<void>) | undefined
  /** Once at the end, whatever happened. Does not make anything visible. */
  close(): void | Promise<void>
}

/** What `write` is given beside the record. */
export interface WriteContext {
  /** Undefined where the record has none. */
  timestamp(): number | undefined
  /** -Infinity before the first one. */
  currentWatermark(): number
}

/** A writer with state of its own in the checkpoint. */
export interface StatefulSinkWriter<in T, out State> extends SinkWriter<T> {
  /**
   * What the writer must get back after a restore, asked before the barrier leaves, behind `flush` and `prepareCommit`. A
   * promise delays the barrier: what takes long belongs into `makeDurable`.
   */
  snapshotState(checkpointId: number): readonly State[] | Promise<readonly State[]>
}

/** A sink whose writers keep state. */
export interface StatefulSink<in T, State> extends Sink<T> {
  /** Instead of createWriter when there is state to restore. */
  restoreWriter(
    context: WriterContext,
    states: readonly State[],
  ): StatefulSinkWriter<T, State> | Promise<StatefulSinkWriter<T, State>>
  readonly stateSerializer?: Serializer<State> | undefined
  /** `union`: every subtask gets the states of all. `split` (the default): they are dealt out. */
  readonly stateDistribution?: 'split' | 'union' | undefined
}

/** A writer that hands over what is to be committed. */
export interface CommittingSinkWriter<in T, out C> extends SinkWriter<T> {
  /** After `flush`, before the barrier leaves: what is to be committed with this checkpoint. */
  prepareCommit(): readonly C[] | Promise<readonly C[]>
}

/**
 * A sink in two steps: its writers prepare with each checkpoint, its committer makes visible what a complete checkpoint
 * covers.
 */
export interface TwoPhaseCommittingSink<in T, C> extends Sink<T> {
  createWriter(context: WriterContext): CommittingSinkWriter<T, C> | Promise<CommittingSinkWriter<T, C>>
  /** Once a subtask and attempt. May wait. */
  createCommitter(context: CommitterContext): Committer<C> | Promise<Committer<C>>
  readonly committableSerializer?: Serializer<C> | undefined
}

/** Makes visible what was prepared. One call at a time, while records go on. */
export interface Committer<C> {
  /** Resolving commits every request not marked otherwise; throwing fails the task, and the restart commits again. Must bear being called again for the same requests. */
  commit(requests: readonly CommitRequest<C>[]): void | Promise<void>
  /** Once at the end, whatever happened. */
  close(): void | Promise<void>
}

/** One thing to be committed, and the ways to answer for it. */
export interface CommitRequest<C> {
  /** What the writer handed over. */
  readonly committable: C
  /** The checkpoint that covers it. */
  readonly checkpointId: number
  /** How often it was tried before, from 0. */
  readonly attempt: number
  /** Another call shall try it again, `sink.committer.retries` times at most. */
  retryLater(): void
  /** It was committed by an earlier call: nothing was done. */
  alreadyCommitted(): void
  /** It can never be committed: the task fails with COMMIT_FAILED. */
  failed(reason: unknown): void
}

/** What a committer knows of its place. */
export interface CommitterContext {
  readonly subtask: number
  readonly jobId: string
  readonly environment: SinkEnvironment
}

/** What a writer knows of its place. */
export interface WriterContext {
  readonly subtask: number
  readonly parallelism: number
  readonly jobId: string
  /** Raised by every process that takes the job over. */
  readonly epoch: number
  /** Raised by every restart inside the process. */
  readonly attempt: number
  /** Undefined where this attempt did not begin from a checkpoint. */
  readonly restoredCheckpointId: number | undefined
  /** Whether checkpoints will complete; without them only the end of the input commits. */
  readonly checkpointing: boolean
  readonly environment: SinkEnvironment
}

/** The ports that a sink may use. */
export interface SinkEnvironment {
  readonly clock: Clock
  readonly files: FileSystem
  readonly ids: Ids
  readonly logger: Logger
}
