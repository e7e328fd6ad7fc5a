/**
 * Sources as in Flink's FLIP-27: one enumerator on the job's side finds splits and deals them out; one reader a subtask
 * reads them. Splits carry their position, so that the readers' splits and the enumerator's state are all there is to
 * restore.
 */
import type { Serializer } from '../elements/serializer.ts'
import type { OutputTag } from './functions.ts'
import type { SourceStatus } from './operator.ts'

/** Whether the input ends by itself. */
export type Boundedness = 'bounded' | 'continuous-unbounded'

/**
 * A source: where its input is found, and how a part of it is read. Made once; its enumerators and readers are made for
 * every attempt.
 */
export interface Source<out T, Split extends SourceSplit = SourceSplit, EnumeratorState = unknown> {
  /** A bounded source ends the job when all is read. */
  readonly boundedness: Boundedness
  /** `restored` is undefined for a fresh start. */
  createEnumerator(
    context: SplitEnumeratorContext<Split>,
    restored: EnumeratorState | undefined,
  ): SplitEnumerator<Split, EnumeratorState>
  /** Once a subtask and attempt. */
  createReader(context: SourceReaderContext): SourceReader<T, Split>
  /** Left out: the default serializer, for splits and states of plain data. */
  readonly splitSerializer?: Serializer<Split> | undefined
  readonly enumeratorSerializer?: Serializer<EnumeratorState> | undefined
}

/** A part of the input that one reader reads in order. Plain data, and it carries the position. */
export interface SourceSplit {
  /** Unique within the source, for ever. */
  readonly id: string
}

/** Finds splits and deals them out: one a source and attempt, on the job's side. */
export interface SplitEnumerator<Split extends SourceSplit, EnumeratorState> {
  /** Once, before anything else. */
  start(): void | Promise<void>
  /** A reader has nothing to read. */
  handleSplitRequest(subtask: number): void
  /** Splits of a reader that failed since the last checkpoint. */
  addSplitsBack(splits: readonly Split[], subtask: number): void
  /** A reader has registered. */
  addReader(subtask: number): void
  /** What was found and not yet given to a reader, and what must be remembered of the rest. */
  snapshotState(checkpointId: number): EnumeratorState | Promise<EnumeratorState>
  /** What `snapshotState` gave for this checkpoint is safe. */
  readonly notifyCheckpointComplete?: ((checkpointId: number) => void) | undefined
  /** Once at the end, whatever happened. */
  close(): void | Promise<void>
}

/** What an enumerator may do. */
export interface SplitEnumeratorContext<Split extends SourceSplit> {
  readonly parallelism: number
  readonly environment: SourceEnvironment
  /** Subtasks whose readers have registered. */
  registeredReaders(): readonly number[]
  /** To a reader that has registered. */
  assignSplits(subtask: number, splits: readonly Split[]): void
  /** This reader gets no split any more: it ends after those it has. */
  signalNoMoreSplits(subtask: number): void
  /** Runs `call` and hands its outcome to `handle`, never inside another call of the enumerator; a throw there fails the job. */
  callAsync<T>(call: () => Promise<T>, handle: (result: T) => void): void
  /** The same every `periodMs`, the first time after `initialDelayMs`. */
  callPeriodically<T>(
    call: () => Promise<T>,
    handle: (result: T) => void,
    initialDelayMs: number,
    periodMs: number,
  ): void
  /**
   * Whether what is read now is old and there is much of it: meanwhile `execution.checkpointing.interval-during-backlog` holds,
   * as long as one source says so. Nothing said: no backlog.
   */
  setIsProcessingBacklog(isProcessingBacklog: boolean): void
  /** Fails the job with this cause; the restart strategy decides. */
  fail(cause: unknown): void
}

/** Reads the splits of one subtask. Synchronous but for `isAvailable` and `close`. */
export interface SourceReader<out T, Split extends SourceSplit> {
  /** Once, behind the splits that were restored. */
  start(): void
  /**
   * Emits at most a few records (one is best) and returns at once; what must be waited for was fetched before.
   * Each record's position counts as read from then on.
   */
  pollNext(output: ReaderOutput<T>): SourceStatus
  /** Settles when pollNext is worth calling again. Called after NOTHING_AVAILABLE. */
  isAvailable(): Promise<void>
  /** The splits of this reader with the positions behind the last emitted records. Also finished splits that must be remembered. */
  snapshotState(checkpointId: number): readonly Split[]
  /** From the enumerator, or from the checkpoint that is restored. */
  addSplits(splits: readonly Split[]): void
  /** No split will be added any more: END_OF_INPUT behind the last record. */
  notifyNoMoreSplits(): void
  /** What `snapshotState` gave for this checkpoint is safe: the place to confirm what was read. */
  readonly notifyCheckpointComplete?: ((checkpointId: number) => void | Promise<void>) | undefined
  /** Once at the end, whatever happened. Ends what is being fetched. */
  close(): void | Promise<void>
}

/** Where a reader emits. */
export interface ReaderOutput<in T> {
  /** Per record. Without a timestamp the record has none until a timestamp assigner gives it one. */
  collect(value: T, timestamp?: number): void
  /**
   * Into the side output of this tag, of which `getSideOutput` makes a stream; what nobody reads is dropped. Counts as one
   * of the few records of a `pollNext`: a reader of the side output that is slow stops the source, too. The timestamp is
   * passed on as it is, and no watermark is made from it.
   */
  output<S>(tag: OutputTag<S>, value: NoInfer<S>, timestamp?: number): void
  /** Of a source that makes its own; the strategy of `fromSource` makes them otherwise. */
  emitWatermark(timestamp: number): void
  /** Nothing will come for a while: this output holds no watermark back. */
  markIdle(): void
  /** Ends `markIdle`; a record does so as well. */
  markActive(): void
  /** Watermarks are made per split and combined by minimum. The same object until it is released. */
  createOutputForSplit(splitId: string): ReaderOutput<T>
  /** The split is read to its end: it holds no watermark back any more. */
  releaseOutputForSplit(splitId: string): void
}

/** What a reader may do. */
export interface SourceReaderContext {
  readonly subtask: number
  readonly parallelism: number
  readonly environment: SourceEnvironment
  /** Asks the enumerator for another split. */
  sendSplitRequest(): void
  /** Adds to a counter that the job's report shows: `skippedRecords`. */
  count(name: string, added: number): void
  /** Fails the task with this cause, from a callback. A throw of `pollNext` does the same. */
  fail(cause: unknown): void
}

/** The ports that a source may use: it touches no clock, disk or random number otherwise. */
export interface SourceEnvironment {
  readonly clock: import('../base/clock.ts').Clock
  readonly files: import('../base/file-system.ts').FileSystem
  readonly logger: import('../base/logger.ts').Logger
}
