/** A stream of records as a program sees it. Declares only: nothing runs before the environment executes. */

import { CollectSink } from '../connectors/collect/collect-sink.ts'
import { ResultQueue } from '../connectors/collect/result-queue.ts'
import { PrintSink } from '../connectors/print/print-sink.ts'
import type { Serializer } from '../elements/serializer.ts'
import type { Partitioner } from '../graph/job-graph.ts'
import type { Transformation, UnionTransformation } from '../graph/transformation.ts'
import type { BroadcastDescriptor } from '../operators/broadcast-states.ts'
import { filterOperator } from '../operators/filter.ts'
import { flatMapOperator } from '../operators/flat-map.ts'
import type { ProcessFunction, RuntimeContext } from '../operators/functions.ts'
import { mapOperator } from '../operators/map.ts'
import { processOperator } from '../operators/process.ts'
import type { Sink } from '../operators/sink.ts'
import { sinkOperator } from '../operators/sink-operator.ts'
import { timestampsAndWatermarksOperator } from '../operators/timestamps-and-watermarks.ts'
import type { WatermarkStrategy } from '../operators/watermark-strategy.ts'
import { BroadcastConnectedStream } from './broadcast-connected-stream.ts'
import { BroadcastStream } from './broadcast-stream.ts'
import { CollectedResults, type CollectOptions } from './collected-results.ts'
import type { ConnectedStreams } from './connected-streams.ts'
import type { DataStreamSink } from './data-stream-sink.ts'
import type { ElementOf, FunctionReturnedPromise, KeyOf } from './key-of.ts'
import type { KeyedStream } from './keyed-stream.ts'
import { refused, requireFactory, requireFunction, requireMember } from './operator-settings.ts'
import type { SingleOutputStreamOperator } from './single-output-stream-operator.ts'
import type { StreamRecorder } from './stream-recorder.ts'

/** A stream of records as a program sees it. Declares only: nothing runs before the environment executes. */
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
    requireFactory(create)
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

  /**
   * This stream and a broadcast one into one operator, of which every subtask sees the broadcast records. Event time is
   * the lower of both, as with any two streams: a broadcast stream that has no watermarks holds timers back until it ends
   * or is idle (`withIdleness`).
   */
  connect<U>(other: BroadcastStream<U>): BroadcastConnectedStream<T, U>
  /** This stream and another, each through a function of its own, into one operator. */
  connect<U>(other: DataStream<U>): ConnectedStreams<T, U>
  connect<U>(other: DataStream<U> | BroadcastStream<U>): ConnectedStreams<T, U> | BroadcastConnectedStream<T, U> {
    if (other instanceof BroadcastStream)
      return new BroadcastConnectedStream<T, U>(this.recorder, this.transformation, other)
    if (!(other instanceof DataStream)) throw refused('connect', other, 'another stream of this environment')
    return this.recorder.connected<T, U>(this.transformation, other.transformation)
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
  broadcast(): DataStream<T>
  /** The same, for `connect`: the states of these descriptors are kept of it in every subtask. */
  broadcast(first: BroadcastDescriptor, ...more: readonly BroadcastDescriptor[]): BroadcastStream<T>
  broadcast(...descriptors: readonly BroadcastDescriptor[]): DataStream<T> | BroadcastStream<T> {
    const stream = this.#partitioned({ type: 'broadcast' })
    return descriptors.length === 0 ? stream : new BroadcastStream<T>(stream.transformation, descriptors)
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

  /** Ends the stream in a sink. A stream may end in several. */
  sinkTo(sink: Sink<T>): DataStreamSink<T> {
    requireMember('sinkTo', sink, 'createWriter', 'a sink, such as FileSink.forJsonLines(folder)')
    if (sink instanceof CollectSink) this.recorder.whenEnded((...cause) => sink.end(...cause))
    // The two that give records to the program do so at once where there are no checkpoints.
    const commits = 'createCommitter' in sink && !(sink instanceof CollectSink || sink instanceof ResultQueue)
    const inputs = [this.transformation]
    return this.recorder.sink<T>({
      name: 'Unnamed',
      inputs,
      commits,
      writesTo: sink.place ?? sink,
      factory: () => sinkOperator(sink),
    })
  }

  /** Writes every record to stdout, behind `prefix`. Repeats records after a restart. */
  print(prefix?: string): DataStreamSink<T> {
    return this.sinkTo(new PrintSink(prefix)).name('Print to Std. Out')
  }

  /**
   * Runs everything that was declared and gives the records of this stream to the program, through a sink of parallelism 1
   * in the order in which they reach it. With checkpointing a record comes out when the checkpoint that covers it is
   * complete, exactly once whatever fails; without it at once, and a restart fails the job, for its records would come
   * twice. Some 1,000 records wait for the reader, and with checkpointing those of one interval besides; then the job
   * stands still, its checkpoints too, until somebody reads. A process that goes on from a checkpoint may hand out again
   * what the former one had of it.
   *
   * `limit`: the job is cancelled when so many records have come out, and the loop ends without an error.
   */
  async executeAndCollect(jobName?: string, options: CollectOptions = {}): Promise<CollectedResults<T>> {
    const { limit, ...execution } = options
    if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0))
      throw refused('executeAndCollect', limit, 'a limit that is a whole number from 1, or none')
    const { transformation } = this
    const serializer = transformation.kind === 'operator' ? transformation.settings.serializer : undefined
    const queue = new ResultQueue<T>({ limit, serializer: serializer as Serializer<T> | undefined })
    this.sinkTo(queue).name('Collect').setParallelism(1)
    return new CollectedResults<T>(await this.recorder.executeAsync(jobName, execution), queue)
  }

  #partitioned(partitioner: Partitioner): DataStream<T> {
    return this.recorder.stream<T>({ kind: 'partition', input: this.transformation, partitioner })
  }
}
