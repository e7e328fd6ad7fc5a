/**
 * Sources as in Flink's FLIP-27: one enumerator on the job's side finds splits and deals them out; one reader a subtask
 * reads them. Splits carry their position, so that the readers' splits and the enumerator's state are all there is to
 * restore.
 */
import type { Serializer } from '../elements/serializer.ts'
import type { SourceStatus } from './operator.ts'

export type Boundedness = 'bounded' | 'continuous-unbounded'

export interface Source<out T, Split extends SourceSplit = SourceSplit, EnumeratorState = unknown> {
  readonly boundedness: Boundedness
  /** `restored` is undefined for a fresh start. */
  createEnumerator(
    context: SplitEnumeratorContext<Split>,
    restored: EnumeratorState | undefined,
  ): SplitEnumerator<Split, EnumeratorState>
  createReader(context: SourceReaderContext): SourceReader<T, Split>
  /** Left out: the default serializer, for splits and states of plain data. */
  readonly splitSerializer?: Serializer<Split> | undefined
  readonly enumeratorSerializer?: Serializer<EnumeratorState> | undefined
}

export interface SourceSplit {
  /** Unique within the source, for ever. */
  readonly id: string
}

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
  notifyCheckpointComplete?(checkpointId: number): void
  close(): void | Promise<void>
}

export interface SplitEnumeratorContext<Split extends SourceSplit> {
  readonly parallelism: number
  readonly environment: SourceEnvironment
  /** Subtasks whose readers have registered. */
  registeredReaders(): readonly number[]
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
  fail(cause: unknown): void
}

export interface SourceReader<out T, Split extends SourceSplit> {
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
  addSplits(splits: readonly Split[]): void
  notifyNoMoreSplits(): void
  notifyCheckpointComplete?(checkpointId: number): void | Promise<void>
  close(): void | Promise<void>
}

export interface ReaderOutput<in T> {
  /** Per record. Without a timestamp the record has none until a timestamp assigner gives it one. */
  collect(value: T, timestamp?: number): void
  emitWatermark(timestamp: number): void
  markIdle(): void
  markActive(): void
  /** Watermarks are made per split and combined by minimum. The same object until it is released. */
  createOutputForSplit(splitId: string): ReaderOutput<T>
  releaseOutputForSplit(splitId: string): void
}

export interface SourceReaderContext {
  readonly subtask: number
  readonly parallelism: number
  readonly environment: SourceEnvironment
  /** Asks the enumerator for another split. */
  sendSplitRequest(): void
  /** Adds to a counter that the job's report shows: `skippedRecords`. */
  count(name: string, added: number): void
  fail(cause: unknown): void
}

/** The ports that a source may use: it touches no clock, disk or random number otherwise. */
export interface SourceEnvironment {
  readonly clock: import('../base/clock.ts').Clock
  readonly files: import('../base/file-system.ts').FileSystem
  readonly logger: import('../base/logger.ts').Logger
}
