/** The classes that a user's functions may extend. Structural: an object literal of the same form serves as well. */
import type {
  BroadcastContext,
  Collector,
  Context,
  FunctionInitializationContext,
  FunctionSnapshotContext,
  KeyedBroadcastContext,
  KeyedContext,
  KeyedReadOnlyContext,
  OnTimerContext,
  ReadOnlyContext,
  ReadOnlyOnTimerContext,
  RichFunction,
  RuntimeContext,
} from '../operators/functions.ts'

/** What every function may have besides its processing. What is called once may wait; what is called per record may not. */
abstract class AbstractRichFunction implements RichFunction {
  /** After the state was restored, before the first record; the task is INITIALIZING until it has resolved. */
  open?(context: RuntimeContext): void | Promise<void>
  /** Once at the end, whatever happened. */
  close?(): void | Promise<void>
  /** The checkpoint is complete. It may not come: a crash can be faster. A rejection fails the task. */
  notifyCheckpointComplete?(checkpointId: number): void | Promise<void>
  /** The checkpoint will never be complete. */
  notifyCheckpointAborted?(checkpointId: number): void | Promise<void>
  /** Before `open`: declares and reads operator state. */
  initializeState?(context: FunctionInitializationContext): void | undefined
  /** With each checkpoint, between two records: puts what is kept in variables into operator state. */
  snapshotState?(context: FunctionSnapshotContext): void | undefined
}

/** On a stream without key. Extend it, or give an object literal of its form. */
export abstract class ProcessFunction<in T, R> extends AbstractRichFunction {
  /** Never set: tells the function's types apart. */
  declare readonly types?: ((value: T) => R) | undefined
  /** Per record. Emits any number through `out`; returns nothing and does not wait. */
  abstract processElement(value: T, context: Context, out: Collector<R>): void | undefined
}

/** On a keyed stream: keyed state and timers are those of the key of the element or timer. */
export abstract class KeyedProcessFunction<K, in T, R> extends AbstractRichFunction {
  /** Never set: tells the function's types apart. */
  declare readonly types?: ((value: T, key: K) => R) | undefined
  /** Per record. Emits any number through `out`; returns nothing and does not wait. */
  abstract processElement(value: T, context: KeyedContext<K>, out: Collector<R>): void | undefined
  /** A timer of the current key has come; `timestamp` is the time for which it was set. */
  onTimer?(timestamp: number, context: OnTimerContext<K>, out: Collector<R>): void | undefined
}

/** On connected streams: the records of the first go to `processElement1`, those of the second to `processElement2`. */
export abstract class CoProcessFunction<in A, in B, R> extends AbstractRichFunction {
  /** Never set: tells the function's types apart. */
  declare readonly types?: ((first: A, second: B) => R) | undefined
  /** Per record of the first stream. */
  abstract processElement1(value: A, context: Context, out: Collector<R>): void | undefined
  /** Per record of the second stream. */
  abstract processElement2(value: B, context: Context, out: Collector<R>): void | undefined
}

/** On connected keyed streams: both see the same keyed state and timers, those of the key of the element or timer. */
export abstract class KeyedCoProcessFunction<K, in A, in B, R> extends AbstractRichFunction {
  /** Never set: tells the function's types apart. */
  declare readonly types?: ((first: A, second: B, key: K) => R) | undefined
  /** Per record of the first stream. */
  abstract processElement1(value: A, context: KeyedContext<K>, out: Collector<R>): void | undefined
  /** Per record of the second stream. */
  abstract processElement2(value: B, context: KeyedContext<K>, out: Collector<R>): void | undefined
  /** A timer of the current key has come; both streams share it. */
  onTimer?(timestamp: number, context: OnTimerContext<K>, out: Collector<R>): void | undefined
}

/**
 * On a stream connected with a broadcast one: every subtask sees each broadcast record, and changes broadcast state by it;
 * the other records read that state.
 */
export abstract class BroadcastProcessFunction<in A, in B, R> extends AbstractRichFunction {
  /** Never set: tells the function's types apart. */
  declare readonly types?: ((value: A, broadcast: B) => R) | undefined
  /** Per record of the stream that is not broadcast: reads broadcast state. */
  abstract processElement(value: A, context: ReadOnlyContext, out: Collector<R>): void | undefined
  /** Per broadcast record, in every subtask: may change broadcast state. */
  abstract processBroadcastElement(value: B, context: BroadcastContext, out: Collector<R>): void | undefined
}

/** On a keyed stream connected with a broadcast one: keyed state and timers belong to the keyed side. */
export abstract class KeyedBroadcastProcessFunction<K, in A, in B, R> extends AbstractRichFunction {
  /** Never set: tells the function's types apart. */
  declare readonly types?: ((value: A, broadcast: B, key: K) => R) | undefined
  /** Per record of the keyed stream: has keyed state and timers, reads broadcast state. */
  abstract processElement(value: A, context: KeyedReadOnlyContext<K>, out: Collector<R>): void | undefined
  /** Per broadcast record, in every subtask: may change broadcast state, and visit keyed state. */
  abstract processBroadcastElement(value: B, context: KeyedBroadcastContext<K>, out: Collector<R>): void | undefined
  /** A timer of the current key has come. */
  onTimer?(timestamp: number, context: ReadOnlyOnTimerContext<K>, out: Collector<R>): void | undefined
}

/** Operator state: the two methods that a function with it has, both or one. */
export type CheckpointedFunction = Pick<RichFunction, 'initializeState' | 'snapshotState'>
