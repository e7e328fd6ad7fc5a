/** What a user's functions are given and what they must look like. Structural: a subclass and an object literal both serve. */
import type { BroadcastState, ReadOnlyBroadcastState } from '../state/broadcast-state.ts'
import type {
  AggregatingState,
  AggregatingStateDescriptor,
  ListState,
  ListStateDescriptor,
  MapState,
  MapStateDescriptor,
  ReducingState,
  ReducingStateDescriptor,
  ValueState,
  ValueStateDescriptor,
} from '../state/descriptors.ts'

/** Where a function emits. */
export interface Collector<in R> {
  /** Emits a record with the timestamp of the element, or of the timer, that is being processed. It must not be changed afterwards. */
  collect(value: R): void
}

/** A named output beside the main one. The type parameter is invariant. */
export class OutputTag<T> {
  /** Where streams are told apart by it: one operator, one id for each side output. */
  readonly id: string
  /** Never set: tells tags of different types apart. */
  declare readonly type?: ((value: T) => T) | undefined
  constructor(id: string) {
    this.id = id
  }
}

/**
 * What a function knows of the job and of its place in it, and where its keyed state comes from. Given to the factory
 * and to `open`.
 */
export interface RuntimeContext {
  /** 32 hexadecimal digits. */
  readonly jobId: string
  readonly jobName: string
  /** The name of the operator. */
  readonly taskName: string
  /** From 0. */
  readonly indexOfThisSubtask: number
  readonly numberOfParallelSubtasks: number
  readonly maxNumberOfParallelSubtasks: number
  /** From 0; a restart raises it. */
  readonly attemptNumber: number
  /**
   * Of the key that is current when it is used. Asking again for the same name gives the same state. Throws
   * NO_KEYED_STATE where the stream has no key, STATE_CONFLICT where the name is another state's.
   */
  getState<T, Default extends T | undefined = undefined>(
    descriptor: ValueStateDescriptor<T, Default>,
  ): ValueState<T, Default>
  /** As `getState`. */
  getListState<T>(descriptor: ListStateDescriptor<T>): ListState<T>
  /** As `getState`. */
  getMapState<K, V>(descriptor: MapStateDescriptor<K, V>): MapState<K, V>
  /** As `getState`. */
  getReducingState<T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T>
  /** As `getState`. */
  getAggregatingState<In, Acc, Out>(descriptor: AggregatingStateDescriptor<In, Acc, Out>): AggregatingState<In, Out>
}

/** Timers of the current key, and the two clocks. Times are milliseconds since the epoch. */
export interface TimerService {
  /**
   * Calls `onTimer` when the watermark has passed `ms`. One timer per key and time: setting it again changes nothing.
   */
  registerEventTimeTimer(ms: number): void
  /** Calls `onTimer` when the clock has passed `ms`; at once where it has already. */
  registerProcessingTimeTimer(ms: number): void
  /** Harmless where there is none. */
  deleteEventTimeTimer(ms: number): void
  /** Harmless where there is none. */
  deleteProcessingTimeTimer(ms: number): void
  /** -Infinity before the first one. */
  currentWatermark(): number
  /** Of the clock of the machine; on a manual clock its time. */
  currentProcessingTime(): number
}

/** What `processElement` is given beside the record. Valid during the call. */
export interface Context {
  /** Of the element or timer being processed; undefined where there is none. */
  timestamp(): number | undefined
  /** Without a key it only tells the time; setting a timer throws NO_KEYED_STATE. */
  timerService(): TimerService
  /**
   * Emits into the side output of `tag`, with the timestamp of the element. Dropped where nobody asked for
   * `getSideOutput(tag)`.
   */
  output<S>(tag: OutputTag<S>, value: NoInfer<S>): void
}

/** As `Context`, of a keyed stream. */
export interface KeyedContext<out K> extends Context {
  /** As the key selector gave it. */
  getCurrentKey(): K
}

/** What `onTimer` is given beside the time. */
export interface OnTimerContext<out K> extends KeyedContext<K> {
  /** Which clock the timer was set by. */
  timeDomain(): 'event-time' | 'processing-time'
}

/** What every function may have besides its processing. What is called once may wait. */
export interface RichFunction {
  /** After the state was restored, before the first record; the task is INITIALIZING until it has resolved. */
  readonly open?: ((context: RuntimeContext) => void | Promise<void>) | undefined
  /** Once at the end of an attempt, whatever happened. */
  readonly close?: (() => void | Promise<void>) | undefined
  /** The checkpoint is complete. It may not come: a crash can be faster. A rejection fails the task. */
  readonly notifyCheckpointComplete?: ((checkpointId: number) => void | Promise<void>) | undefined
  /** The checkpoint will never be complete. Later ones hold what it held. */
  readonly notifyCheckpointAborted?: ((checkpointId: number) => void | Promise<void>) | undefined
  /** `undefined`, not `void`: an asynchronous or generator method must not compile. */
  readonly initializeState?: ((context: FunctionInitializationContext) => void | undefined) | undefined
  /**
   * With each checkpoint, between two records: the last chance to put what is kept in variables into operator state.
   */
  readonly snapshotState?: ((context: FunctionSnapshotContext) => void | undefined) | undefined
}

/** What `initializeState` is given. */
export interface FunctionInitializationContext {
  /** Whether this attempt begins from a checkpoint. */
  isRestored(): boolean
  /** Undefined where it does not. */
  getRestoredCheckpointId(): number | undefined
  /** Where state of the subtask is declared and read. */
  getOperatorStateStore(): OperatorStates
}

/** What `snapshotState` is given. */
export interface FunctionSnapshotContext {
  /** Ids rise; one that was aborted may come again after a restart. */
  getCheckpointId(): number
}

/** Operator state: lists that are dealt out again, or given whole to everybody, at another parallelism; and maps of which all have a copy. */
export interface OperatorStates {
  /** Dealt out anew, element by element, at a restore with another parallelism. */
  getListState<T>(descriptor: ListStateDescriptor<T>): ListState<T>
  /** At a restore every subtask gets the elements of all. */
  getUnionListState<T>(descriptor: ListStateDescriptor<T>): ListState<T>
  /** Every subtask must make the same changes to it: after a restore each has one of the copies. */
  getBroadcastState<K, V>(descriptor: MapStateDescriptor<K, V>): BroadcastState<K, V>
}

/** A function on a stream without key. `millrace` exports the class of this name; an object literal serves as well. */
export interface ProcessFunction<in T, R> extends RichFunction {
  readonly types?: ((value: T) => R) | undefined
  /** Per record. Emits any number through `out`; returns nothing and does not wait. */
  processElement(value: T, context: Context, out: Collector<R>): void | undefined
}

/** A function on a keyed stream: state and timers are those of the key of the record. */
export interface KeyedProcessFunction<K, in T, R> extends RichFunction {
  readonly types?: ((value: T, key: K) => R) | undefined
  /** Per record. Emits any number through `out`; returns nothing and does not wait. */
  processElement(value: T, context: KeyedContext<K>, out: Collector<R>): void | undefined
  /** A timer of the current key has come; `timestamp` is the time for which it was set. */
  readonly onTimer?:
    | ((timestamp: number, context: OnTimerContext<K>, out: Collector<R>) => void | undefined)
    | undefined
}

/** A function of two connected streams. */
export interface CoProcessFunction<in A, in B, R> extends RichFunction {
  readonly types?: ((first: A, second: B) => R) | undefined
  /** Per record of the first stream. */
  processElement1(value: A, context: Context, out: Collector<R>): void | undefined
  /** Per record of the second stream. */
  processElement2(value: B, context: Context, out: Collector<R>): void | undefined
}

/** A function of two connected keyed streams: they share state and timers, key by key. */
export interface KeyedCoProcessFunction<K, in A, in B, R> extends RichFunction {
  readonly types?: ((first: A, second: B, key: K) => R) | undefined
  /** Per record of the first stream. */
  processElement1(value: A, context: KeyedContext<K>, out: Collector<R>): void | undefined
  /** Per record of the second stream. */
  processElement2(value: B, context: KeyedContext<K>, out: Collector<R>): void | undefined
  /** A timer of the current key has come. */
  readonly onTimer?:
    | ((timestamp: number, context: OnTimerContext<K>, out: Collector<R>) => void | undefined)
    | undefined
}

/** What can be read of time where no timer can be set. */
export type Clocks = Pick<TimerService, 'currentWatermark' | 'currentProcessingTime'>

/** What both sides of a broadcast function have. */
interface BroadcastFunctionContext {
  /** Of the element or timer being processed; undefined where there is none. */
  timestamp(): number | undefined
  /** Tells the time; no timer can be set here. */
  timerService(): Clocks
  /** -Infinity before the first one. */
  currentWatermark(): number
  /** Of the clock of the machine. */
  currentProcessingTime(): number
  /** Emits into the side output of `tag`. */
  output<S>(tag: OutputTag<S>, value: NoInfer<S>): void
}

/** Of the side that is not broadcast: broadcast state can be read, and is never changed here. */
export interface ReadOnlyContext extends BroadcastFunctionContext {
  /** A state that was named in `broadcast(...)`; else INVALID_ARGUMENT. */
  getBroadcastState<K, V>(descriptor: MapStateDescriptor<K, V>): ReadOnlyBroadcastState<K, V>
}

/** Of the broadcast side. There is no key: using keyed state throws NO_CURRENT_KEY, and no timer can be set. */
export interface BroadcastContext extends BroadcastFunctionContext {
  /** A state that was named in `broadcast(...)`; else INVALID_ARGUMENT. What is written must follow from the broadcast records alone. */
  getBroadcastState<K, V>(descriptor: MapStateDescriptor<K, V>): BroadcastState<K, V>
}

/** As `ReadOnlyContext`, of the keyed side. */
export interface KeyedReadOnlyContext<out K> extends ReadOnlyContext {
  /** Of the current key. */
  timerService(): TimerService
  /** As the key selector gave it. */
  getCurrentKey(): K
}

/** Of a timer of a keyed function with broadcast state. */
export interface ReadOnlyOnTimerContext<out K> extends KeyedReadOnlyContext<K> {
  /** Which clock the timer was set by. */
  timeDomain(): 'event-time' | 'processing-time'
}

/** Of the broadcast side of a keyed function. */
export interface KeyedBroadcastContext<out K> extends BroadcastContext {
  /**
   * Calls `apply` for each key that has something in this keyed state, in no fixed order; the key is current meanwhile, so
   * that every keyed state is that of the key. It may change and clear the state. Of a state with a time-to-live, keys may
   * come whose entries have expired meanwhile: the state is empty then.
   */
  applyToKeyedState<T>(
    descriptor: ListStateDescriptor<T>,
    apply: (key: K, state: ListState<T>) => void | undefined,
  ): void
  /** The same for a map state. */
  applyToKeyedState<MK, V>(
    descriptor: MapStateDescriptor<MK, V>,
    apply: (key: K, state: MapState<MK, V>) => void | undefined,
  ): void
  /** The same for a reducing state. */
  applyToKeyedState<T>(
    descriptor: ReducingStateDescriptor<T>,
    apply: (key: K, state: ReducingState<T>) => void | undefined,
  ): void
  /** The same for an aggregating state. */
  applyToKeyedState<In, Acc, Out>(
    descriptor: AggregatingStateDescriptor<In, Acc, Out>,
    apply: (key: K, state: AggregatingState<In, Out>) => void | undefined,
  ): void
  /** The same for a value state. */
  applyToKeyedState<T, Default extends T | undefined = undefined>(
    descriptor: ValueStateDescriptor<T, Default>,
    apply: (key: K, state: ValueState<T, Default>) => void | undefined,
  ): void
}

/** The second stream is the broadcast one. */
export interface BroadcastProcessFunction<in A, in B, R> extends RichFunction {
  readonly types?: ((value: A, broadcast: B) => R) | undefined
  /** Per record of the stream that is not broadcast: reads broadcast state. */
  processElement(value: A, context: ReadOnlyContext, out: Collector<R>): void | undefined
  /** Per broadcast record, in every subtask: may change broadcast state. */
  processBroadcastElement(value: B, context: BroadcastContext, out: Collector<R>): void | undefined
}

/** A function of a keyed and a broadcast stream; state and timers belong to the keyed one. */
export interface KeyedBroadcastProcessFunction<K, in A, in B, R> extends RichFunction {
  readonly types?: ((value: A, broadcast: B, key: K) => R) | undefined
  /** Per record of the keyed stream: has keyed state and timers, reads broadcast state. */
  processElement(value: A, context: KeyedReadOnlyContext<K>, out: Collector<R>): void | undefined
  /** Per broadcast record, in every subtask: may change broadcast state, and visit keyed state. */
  processBroadcastElement(value: B, context: KeyedBroadcastContext<K>, out: Collector<R>): void | undefined
  /** A timer of the current key has come. */
  readonly onTimer?:
    | ((timestamp: number, context: ReadOnlyOnTimerContext<K>, out: Collector<R>) => void | undefined)
    | undefined
}
