/** A stream of records as a program sees it. Declares only: nothing runs before the environment executes. */

import { CollectSink } from '../connectors/collect/collect-sink.ts'
import { PrintSink } from '../connectors/print/print-sink.ts'
import type { Partitioner } from '../graph/job-graph.ts'
import type { Transformation, UnionTransformation } from '../graph/transformation.ts'
import { filterOperator } from '../operators/filter.ts'
import { flatMapOperator } from '../operators/flat-map.ts'
import type { ProcessFunction, RuntimeContext } from '../operators/functions.ts'
import { mapOperator } from '../operators/map.ts'
import { processOperator } from '../operators/process.ts'
import type { Sink } from '../operators/sink.ts'
import { sinkOperator } from '../operators/sink-operator.ts'
import { timestampsAndWatermarksOperator } from '../operators/timestamps-and-watermarks.ts'
import type { WatermarkStrategy } from '../operators/watermark-strategy.ts'
import type { DataStreamSink } from './data-stream-sink.ts'
import type { ElementOf, FunctionReturnedPromise, KeyOf } from './key-of.ts'
import type { KeyedStream } from './keyed-stream.ts'
import { requireFunction, requireMember } from './operator-settings.ts'
import type { SingleOutputStreamOperator } from './single-output-stream-operator.ts'
import type { StreamRecorder } from './stream-recorder.ts'

export class DataStream<out T> {
  /** What was recorded for this stream: for the environment and other streams, not for programs. */
  readonly transformation: Transformation
  protected readonly recorder: StreamRecorder

  /** Streams come from an environment and from other streams; a program makes none itself. */
  constructor(recorder: StreamRecorder, transformation: Transformation) {
    this.recorder = recorder
    this.transformation = transformation
  }

  /** A function that returns a promise leads nowhere: processing is synchronous per record. */
  map<R extends PromiseLike<unknown>>(fn: (value: T) => 0 extends 1 & R ? never : R): FunctionReturnedPromise
  /** One record out for each record in. `fn` must be pure. */
  map<R>(fn: (value: T) => R): SingleOutputStreamOperator<R>
  map<R>(fn: (value: T) => R): SingleOutputStreamOperator<R> | FunctionReturnedPromise {
    requireFunction('map', fn)
    return this.recorder.operator<R>({ name: 'Map', inputs: [this.transformation], factory: () => mapOperator(fn) })
  }

  /** Any number of records out for each record in: what the returned iterable yields. A string is refused. */
  flatMap<R>(fn: (value: T) => Iterable<R> & object): SingleOutputStreamOperator<R> {
    requireFunction('flatMap', fn)
    return this.recorder.operator<R>({
      name: 'Flat Map',
      inputs: [this.transformation],
      factory: () => flatMapOperator(fn),
    })
  }

  /** Keeps the records for which `fn` is true; a type predicate narrows the stream. */
  filter<S extends T>(fn: (value: T) => value is S): SingleOutputStreamOperator<S>
  filter(fn: (value: T) => boolean): SingleOutputStreamOperator<T>
  filter(fn: (value: T) => boolean): SingleOutputStreamOperator<T> {
    requireFunction('filter', fn)
    return this.recorder.operator<T>({
      name: 'Filter',
      inputs: [this.transformation],
      factory: () => filterOperator(fn),
    })
  }

  /** Records of equal keys go to the same subtask and see the same keyed state. `selector` must be pure and repeatable. */
  keyBy<const K>(selector: (value: T) => K & KeyOf<K>): KeyedStream<T, K> {
    requireFunction('keyBy', selector)
    return this.recorder.keyed<T, K>(this.transformation, selector)
  }

  /** `create` is called once per parallel subtask and attempt, after the subtask's state was restored. */
  process<R = never>(create: (context: RuntimeContext) => ProcessFunction<T, R>): SingleOutputStreamOperator<R> {
    requireFunction('process', create)
    return this.recorder.operator<R>({
      name: 'Process',
      inputs: [this.transformation],
      factory: () => processOperator(create),
    })
  }

  /** All records of these streams, in no fixed order among them. */
  union<const S extends readonly DataStream<unknown>[]>(...others: S): DataStream<T | ElementOf<S[number]>> {
    const inputs = [this.transformation, ...others.map((other) => other.transformation)]
    return this.recorder.stream({ kind: 'union', inputs } satisfies UnionTransformation)
  }

  /** Gives records their timestamps and the stream its watermarks; earlier ones are replaced. */
  assignTimestampsAndWatermarks(strategy: WatermarkStrategy<T>): SingleOutputStreamOperator<T> {
    return this.recorder.operator<T>({
      name: 'Timestamps/Watermarks',
      inputs: [this.transformation],
      factory: (options) => timestampsAndWatermarksOperator(strategy, options.autoWatermarkIntervalMs),
    })
  }

  /** Round robin over all subtasks downstream. */
  rebalance(): DataStream<T> {
    return this.#partitioned({ type: 'rebalance' })
  }

  /** Round robin over those subtasks downstream that belong to this one: fewer channels. */
  rescale(): DataStream<T> {
    return this.#partitioned({ type: 'rescale' })
  }

  /** To a subtask drawn at random. */
  shuffle(): DataStream<T> {
    return this.#partitioned({ type: 'shuffle' })
  }

  /** All to the first subtask. */
  global(): DataStream<T> {
    return this.#partitioned({ type: 'global' })
  }

  /** To the subtask of the same index; both sides must be equally parallel. */
  forward(): DataStream<T> {
    return this.#partitioned({ type: 'forward' })
  }

  /** Each record to every subtask. */
  broadcast(): DataStream<T> {
    return this.#partitioned({ type: 'broadcast' })
  }

  /** To the subtask that `partitioner` says: a whole number from 0, below `numPartitions`. */
  partitionCustom(partitioner: (value: T, numPartitions: number) => number): DataStream<T>
  partitionCustom<K>(
    partitioner: (key: K, numPartitions: number) => number,
    selector: (value: T) => NoInfer<K>,
  ): DataStream<T>
  partitionCustom<K>(
    partitioner: (of: T & K, numPartitions: number) => number,
    selector?: (value: T) => T & K,
  ): DataStream<T> {
    requireFunction('partitionCustom', partitioner)
    if (selector === undefined) return this.#partitioned({ type: 'custom', partition: partitioner })
    requireFunction('partitionCustom', selector)
    const partition = (value: T, numPartitions: number) => partitioner(selector(value), numPartitions)
    return this.#partitioned({ type: 'custom', partition })
  }

  sinkTo(sink: Sink<T>): DataStreamSink<T> {
    requireMember('sinkTo', sink, 'createWriter', 'a sink, such as FileSink.forJsonLines(folder)')
    if (sink instanceof CollectSink) this.recorder.whenEnded((...cause) => sink.end(...cause))
    return this.recorder.sink<T>({ name: 'Unnamed', inputs: [this.transformation], factory: () => sinkOperator(sink) })
  }

  /** Writes every record to stdout, behind `prefix`. Repeats records after a restart. */
  print(prefix?: string): DataStreamSink<T> {
    return this.sinkTo(new PrintSink(prefix)).name('Print to Std. Out')
  }

  #partitioned(partitioner: Partitioner): DataStream<T> {
    return this.recorder.stream<T>({ kind: 'partition', input: this.transformation, partitioner })
  }
}
