/**
 * Sinks as in Flink's Sink V2. What `prepareCommit` hands over becomes visible when its checkpoint is complete, is
 * committed again on a restore, and must bear being committed twice.
 */
import type { Clock } from '../base/clock.ts'
import type { FileSystem } from '../base/file-system.ts'
import type { Ids } from '../base/ids.ts'
import type { Logger } from '../base/logger.ts'
import type { Serializer } from '../elements/serializer.ts'

export interface Sink<in T> {
  /** Once a subtask and attempt. May wait. */
  createWriter(context: WriterContext): SinkWriter<T> | Promise<SinkWriter<T>>
}

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
  makeDurable?(checkpointId: number): void | Promise<void>
  close(): void | Promise<void>
}

export interface WriteContext {
  /** Undefined where the record has none. */
  timestamp(): number | undefined
  currentWatermark(): number
}

export interface StatefulSinkWriter<in T, out State> extends SinkWriter<T> {
  /**
   * What the writer must get back after a restore, asked before the barrier leaves, behind `flush` and `prepareCommit`. A
   * promise delays the barrier: what takes long belongs into `makeDurable`.
   */
  snapshotState(checkpointId: number): readonly State[] | Promise<readonly State[]>
}

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

export interface CommittingSinkWriter<in T, out C> extends SinkWriter<T> {
  /** After `flush`, before the barrier leaves: what is to be committed with this checkpoint. */
  prepareCommit(): readonly C[] | Promise<readonly C[]>
}

export interface TwoPhaseCommittingSink<in T, C> extends Sink<T> {
  createWriter(context: WriterContext): CommittingSinkWriter<T, C> | Promise<CommittingSinkWriter<T, C>>
  createCommitter(context: CommitterContext): Committer<C> | Promise<Committer<C>>
  readonly committableSerializer?: Serializer<C> | undefined
}

export interface Committer<C> {
  /** Resolving commits every request not marked otherwise; throwing fails the job. Must bear being called again for the same requests. */
  commit(requests: readonly CommitRequest<C>[]): void | Promise<void>
  close(): void | Promise<void>
}

export interface CommitRequest<C> {
  readonly committable: C
  readonly checkpointId: number
  /** How often it was tried before, from 0. */
  readonly attempt: number
  retryLater(): void
  alreadyCommitted(): void
  failed(reason: unknown): void
}

export interface CommitterContext {
  readonly subtask: number
  readonly jobId: string
  readonly environment: SinkEnvironment
}

export interface WriterContext {
  readonly subtask: number
  readonly parallelism: number
  readonly jobId: string
  /** Raised by every process that takes the job over. */
  readonly epoch: number
  /** Raised by every restart inside the process. */
  readonly attempt: number
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
