/** The classes that a user's functions may extend. Structural: an object literal of the same form serves as well. */
import type {
  Collector,
  Context,
  FunctionInitializationContext,
  FunctionSnapshotContext,
  KeyedContext,
  OnTimerContext,
  RichFunction,
  RuntimeContext,
} from '../operators/functions.ts'

/** What every function may have besides its processing. What is called once may wait; what is called per record may not. */
abstract class AbstractRichFunction implements RichFunction {
  /** After the state was restored, before the first record; the task is INITIALIZING until it has resolved. */
  open?(context: RuntimeContext): void | Promise<void>
  /** Once at the end, whatever happened. */
  close?(): void | Promise<void>
  notifyCheckpointComplete?(checkpointId: number): void | Promise<void>
  notifyCheckpointAborted?(checkpointId: number): void | Promise<void>
  initializeState?(context: FunctionInitializationContext): void | undefined
  snapshotState?(context: FunctionSnapshotContext): void | undefined
}

export abstract class ProcessFunction<in T, R> extends AbstractRichFunction {
  /** Never set: tells the function's types apart. */
  declare readonly types?: ((value: T) => R) | undefined
  abstract processElement(value: T, context: Context, out: Collector<R>): void | undefined
}

/** On a keyed stream: keyed state and timers are those of the key of the element or timer. */
export abstract class KeyedProcessFunction<K, in T, R> extends AbstractRichFunction {
  /** Never set: tells the function's types apart. */
  declare readonly types?: ((value: T, key: K) => R) | undefined
  abstract processElement(value: T, context: KeyedContext<K>, out: Collector<R>): void | undefined
  onTimer?(timestamp: number, context: OnTimerContext<K>, out: Collector<R>): void | undefined
}

/** Operator state: the two methods that a function with it has, both or one. */
export type CheckpointedFunction = Pick<RichFunction, 'initializeState' | 'snapshotState'>
