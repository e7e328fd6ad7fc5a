/** What a user's functions are given and what they must look like. Structural: a subclass and an object literal both serve. */
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

export interface Collector<in R> {
  /** Emits a record with the timestamp of the element, or of the timer, that is being processed. It must not be changed afterwards. */
  collect(value: R): void
}

/** A named output beside the main one. The type parameter is invariant. */
export class OutputTag<T> {
  readonly id: string
  declare readonly type?: ((value: T) => T) | undefined
  constructor(id: string) {
    this.id = id
  }
}

export interface RuntimeContext {
  readonly jobId: string
  readonly jobName: string
  readonly taskName: string
  /** From 0. */
  readonly indexOfThisSubtask: number
  readonly numberOfParallelSubtasks: number
  readonly maxNumberOfParallelSubtasks: number
  /** From 0; a restart raises it. */
  readonly attemptNumber: number
  getState<T, Default extends T | undefined = undefined>(
    descriptor: ValueStateDescriptor<T, Default>,
  ): ValueState<T, Default>
  getListState<T>(descriptor: ListStateDescriptor<T>): ListState<T>
  getMapState<K, V>(descriptor: MapStateDescriptor<K, V>): MapState<K, V>
  getReducingState<T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T>
  getAggregatingState<In, Acc, Out>(descriptor: AggregatingStateDescriptor<In, Acc, Out>): AggregatingState<In, Out>
}

export interface TimerService {
  registerEventTimeTimer(ms: number): void
  registerProcessingTimeTimer(ms: number): void
  deleteEventTimeTimer(ms: number): void
  deleteProcessingTimeTimer(ms: number): void
  /** -Infinity before the first one. */
  currentWatermark(): number
  currentProcessingTime(): number
}

export interface Context {
  /** Of the element or timer being processed; undefined where there is none. */
  timestamp(): number | undefined
  timerService(): TimerService
  output<S>(tag: OutputTag<S>, value: NoInfer<S>): void
}

export interface KeyedContext<out K> extends Context {
  getCurrentKey(): K
}

export interface OnTimerContext<out K> extends KeyedContext<K> {
  timeDomain(): 'event-time' | 'processing-time'
}

/** What every function may have besides its processing. What is called once may wait. */
export interface RichFunction {
  open?(context: RuntimeContext): void | Promise<void>
  close?(): void | Promise<void>
  notifyCheckpointComplete?(checkpointId: number): void | Promise<void>
  notifyCheckpointAborted?(checkpointId: number): void | Promise<void>
  /** `undefined`, not `void`: an asynchronous or generator method must not compile. */
  initializeState?(context: FunctionInitializationContext): void | undefined
  snapshotState?(context: FunctionSnapshotContext): void | undefined
}

export interface FunctionInitializationContext {
  isRestored(): boolean
  getRestoredCheckpointId(): number | undefined
  getOperatorStateStore(): OperatorStates
}

export interface FunctionSnapshotContext {
  getCheckpointId(): number
}

/** Operator state: lists that are dealt out again, or given whole to everybody, at another parallelism. */
export interface OperatorStates {
  getListState<T>(descriptor: ListStateDescriptor<T>): ListState<T>
  getUnionListState<T>(descriptor: ListStateDescriptor<T>): ListState<T>
}

export interface ProcessFunction<in T, R> extends RichFunction {
  readonly types?: ((value: T) => R) | undefined
  processElement(value: T, context: Context, out: Collector<R>): void | undefined
}

export interface KeyedProcessFunction<K, in T, R> extends RichFunction {
  readonly types?: ((value: T, key: K) => R) | undefined
  processElement(value: T, context: KeyedContext<K>, out: Collector<R>): void | undefined
  onTimer?(timestamp: number, context: OnTimerContext<K>, out: Collector<R>): void | undefined
}
