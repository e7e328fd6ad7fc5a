/**
 * The contract between an operator and the subtask that runs it. One thread, one subtask: nothing here is called
 * concurrently, and whatever waits is a promise that only this subtask waits for.
 */
import type { Clock } from '../base/clock.ts'
import type { FileSystem } from '../base/file-system.ts'
import type { Ids } from '../base/ids.ts'
import type { Logger } from '../base/logger.ts'
import type { Random } from '../base/random.ts'
import type { OperatorStateStore } from '../state/operator-state.ts'
import type { KeyedStateBackend } from '../state/state-backend.ts'
import type { InternalTimerService, TimerTarget } from '../state/timers.ts'
import type { CommitRequest } from './sink.ts'
import type { Transactions } from './transactions.ts'

/** Receives elements: the next operator of a chain, or the writer at its end. Calls only, always forward. */
export interface Input<T> {
  /** Per record. `timestamp` is NO_TIMESTAMP where the record has none. */
  processElement(value: T, timestamp: number): void
  processWatermark(timestamp: number): void
  processWatermarkStatus(idle: boolean): void
}

/**
 * What the record loop compares with 0 between inputs. Closed while an output has no credit, while an operator waits
 * for a promise, and while interrupted work is to be resumed first.
 */
export interface Gate {
  closed: number
  /** An element is half processed somewhere in the chain: interrupted, or waiting for a promise. */
  readonly insideAnElement?: boolean | undefined
}

/** Work that stopped because the gate closed. */
export interface Resumable {
  /** Goes on until done or until the gate closes again; in the latter case it registers itself again. */
  resume(): void
  /** It stopped because the step has lasted long enough, not for the gate: it goes on in a later step. */
  readonly inALaterStep?: boolean | undefined
}

export interface Operator {
  /** One entry an input: most operators have one. */
  readonly inputs: readonly Input<never>[]
  /** The last one that came in, of an operator that does not pass it on as it came. Left out: it passes it on. */
  readonly inputWatermark?: number | undefined
  /** After the state was restored, before the first element. Operators at the end of a chain are opened first. */
  open?(): void | Promise<void>
  /** Before the barrier leaves: whatever must go downstream, or be handed to a committer, before it. */
  prepareSnapshotPreBarrier?(checkpointId: number): void | Promise<void>
  /**
   * The synchronous part of the snapshot: puts what the operator holds outside of keyed state into
   * `context.operatorState`. A promise delays the acknowledgement, not the records.
   */
  snapshotState?(checkpointId: number): void | Promise<void>
  notifyCheckpointComplete?(checkpointId: number): void | Promise<void>
  notifyCheckpointAborted?(checkpointId: number): void | Promise<void>
  /** No more elements: emits what is held back. Called again when a job is restored that had finished here. */
  finish?(): void | Promise<void>
  /** In place of `finish` where the stream goes on in another run: emits nothing any more, a watermark included. */
  stop?(): void
  /** Once, whatever happened; an operator that failed in `open` included. */
  close?(): void | Promise<void>
}

/** An operator that makes records itself. */
export interface SourceOperator extends Operator {
  /** Emits at most `budget` records and stops when the gate closes. */
  emitNext(budget: number): SourceStatus
  /** Settles when emitNext is worth calling again. */
  available(): Promise<void>
  /** From the enumerator, in order; `splits` are serialised by the source's split serializer. */
  addSplits(splits: readonly Uint8Array[]): void
  noMoreSplits(): void
}

/** What `emitNext` and `pollNext` found. Small integers: it is read per record. */
export const MORE_AVAILABLE = 0
/** `pollNext` has nothing now: wait for `isAvailable`. */
export const NOTHING_AVAILABLE = 1
/** `pollNext` has emitted everything that will ever come. */
export const END_OF_INPUT = 2
/** What `pollNext` answers. */
export type SourceStatus = typeof MORE_AVAILABLE | typeof NOTHING_AVAILABLE | typeof END_OF_INPUT

/** Counted by plain additions on the record path. */
export interface OperatorCounters {
  recordsIn: number
  recordsOut: number
}

export interface TaskInfo {
  readonly jobId: string
  readonly jobName: string
  readonly operatorId: string
  readonly operatorName: string
  readonly subtask: number
  readonly parallelism: number
  readonly maxParallelism: number
  /** Of this job in this process, from 0; a restart raises it. */
  readonly attempt: number
  /** Of the job record: raised by every process that takes the job over. */
  readonly epoch: number
  /** The checkpoint whose state was restored, if any. */
  readonly restoredCheckpointId: number | undefined
  readonly checkpointing: boolean
}

/** What an operator gets when it is made, after its state was restored. */
export interface OperatorContext<Out = unknown> {
  readonly task: TaskInfo
  readonly output: Input<Out>
  readonly gate: Gate
  readonly counters: OperatorCounters
  readonly clock: Clock
  readonly random: Random
  readonly ids: Ids
  readonly files: FileSystem
  readonly logger: Logger
  readonly operatorState: OperatorStateStore
  /**
   * The same where `execution.debug-freeze` freezes what goes through `operatorState`: for the states of readers and
   * writers, which stay their own objects. Left out: `operatorState` freezes nothing.
   */
  readonly unfrozenOperatorState?: OperatorStateStore | undefined
  /** Of operators behind a keyBy. */
  readonly keyedState: KeyedStateBackend | undefined
  /** Makes the timer service of a keyed operator; once. Due timers are fired by the subtask through `target`. */
  timerService(target: TimerTarget): InternalTimerService
  /** Runs `mail` in a turn of this subtask, between two inputs. The only way back in from a promise or a timer. */
  mail(mail: () => void): void
  /** Closes the gate until it settles. A rejection fails the task. */
  pause(settled: Promise<void>): void
  /** Closes the gate and calls `resume` when the gate would be open otherwise. */
  resumeLater(work: Resumable): void
  /** Fails the task with this cause. */
  fail(cause: unknown): void
  /** Notes that this operator's user function threw it, and returns it, to be thrown on: the very object that the user threw. */
  blame(thrown: unknown): unknown
  /** The side output of this id; undefined when nobody reads it. */
  sideOutput(id: string): Input<unknown> | undefined
  /** Asks the source's enumerator for a split. Of source operators. */
  sendSplitRequest(): void
  /** Adds to a counter that the job's report shows by name. */
  count(name: string, added: number): void
  /** The two-phase commit of this sink in this subtask; once. Retries and the commit's timeout are the configuration's. */
  transactions<C>(work: CommitWork<C>): Transactions<C>
}

/** What a sink does when its transactions are to be committed or taken back. */
export interface CommitWork<C> {
  commit(requests: readonly CommitRequest<C>[]): void | Promise<void>
  abort?(transaction: C): void | Promise<void>
}

/** Makes one operator of one subtask and attempt. */
export interface OperatorFactory {
  (context: OperatorContext): Operator
  /** It goes over all keys of a keyed state (`keysOf`): a state backend that would not keep them on the heap has to. */
  readonly keepsKeys?: boolean | undefined
  /** One record out for each that came in, in the same call. */
  readonly oneToOne?: boolean | undefined
}

/** Marks what makes an operator that emits exactly one record for each, and nothing else. */
export function oneToOne(create: (context: OperatorContext) => Operator): OperatorFactory {
  return Object.assign(create, { oneToOne: true })
}
