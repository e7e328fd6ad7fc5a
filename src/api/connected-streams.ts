/** Two streams that go into one operator, each through a function of its own. The streams stay what they are. */
import type { Transformation } from '../graph/transformation.ts'
import { coFlatMapOperator, coMapOperator } from '../operators/co-map.ts'
import { coProcessOperator } from '../operators/co-process.ts'
import type { CoProcessFunction, RuntimeContext } from '../operators/functions.ts'
import type { FunctionReturnedPromise, KeyOf } from './key-of.ts'
import type { KeyedConnectedStreams } from './keyed-connected-streams.ts'
import { requireFactory, requireFunction } from './operator-settings.ts'
import type { SingleOutputStreamOperator } from './single-output-stream-operator.ts'
import type { StreamRecorder } from './stream-recorder.ts'

/** Two streams that go into one operator, each through a function of its own. */
export class ConnectedStreams<out A, out B> {
  protected readonly recorder: StreamRecorder
  protected readonly first: Transformation
  protected readonly second: Transformation

  /** Comes from `stream.connect(other)`; a program makes none itself. */
  constructor(recorder: StreamRecorder, first: Transformation, second: Transformation) {
    this.recorder = recorder
    this.first = first
    this.second = second
  }

  /** Functions that return a promise lead nowhere: processing is synchronous per record. */
  map<R extends PromiseLike<unknown>>(
    first: (value: A) => 0 extends 1 & R ? never : R,
    second: (value: B) => 0 extends 1 & R ? never : R,
  ): FunctionReturnedPromise
  /** One record out for each record in, of one type for both inputs. The functions must be pure. */
  map<R>(first: (value: A) => R, second: (value: B) => R): SingleOutputStreamOperator<R>
  map<R>(first: (value: A) => R, second: (value: B) => R): SingleOutputStreamOperator<R> | FunctionReturnedPromise {
    requireFunction('map', first)
    requireFunction('map', second)
    return this.recorder.operator<R>({
      name: 'Co-Map',
      inputs: [this.first, this.second],
      factory: () => coMapOperator(first, second),
    })
  }

  /** Any number of records out for each record in: what the returned iterable yields. A string is refused. */
  flatMap<R>(
    first: (value: A) => Iterable<R> & object,
    second: (value: B) => Iterable<R> & object,
  ): SingleOutputStreamOperator<R> {
    requireFunction('flatMap', first)
    requireFunction('flatMap', second)
    return this.recorder.operator<R>({
      name: 'Co-Flat Map',
      inputs: [this.first, this.second],
      factory: () => coFlatMapOperator(first, second),
    })
  }

  /** Records of equal keys, of either stream, go to the same subtask and see the same keyed state. The selectors must be pure and repeatable. */
  keyBy<const K>(
    first: (value: A) => K & KeyOf<K>,
    second: (value: B) => K & KeyOf<K>,
  ): KeyedConnectedStreams<K, A, B> {
    requireFunction('keyBy', first)
    requireFunction('keyBy', second)
    return this.recorder.keyedConnected<K, A, B>(this.first, this.second, first, second)
  }

  /** `create` is called once per parallel subtask and attempt, after the subtask's state was restored. */
  process<R = never>(create: (context: RuntimeContext) => CoProcessFunction<A, B, R>): SingleOutputStreamOperator<R> {
    requireFactory(create)
    return this.recorder.operator<R>({
      name: 'Co-Process',
      inputs: [this.first, this.second],
      factory: () => coProcessOperator(create),
    })
  }
}
