/** A stream whose records are partitioned by key: its functions have keyed state and timers. */
import type { Transformation } from '../graph/transformation.ts'
import type { KeyedProcessFunction, RuntimeContext } from '../operators/functions.ts'
import { keyedProcessOperator } from '../operators/keyed-process.ts'
import { reduceOperator } from '../operators/reduce.ts'
import { BroadcastStream } from './broadcast-stream.ts'
import type { ConnectedStreams } from './connected-streams.ts'
import { DataStream } from './data-stream.ts'
import { KeyedBroadcastConnectedStream } from './keyed-broadcast-connected-stream.ts'
import type { KeyedConnectedStreams } from './keyed-connected-streams.ts'
import { requireFactory, requireFunction } from './operator-settings.ts'
import type { SingleOutputStreamOperator } from './single-output-stream-operator.ts'
import type { StreamRecorder } from './stream-recorder.ts'

/** A method's type: a stream of a subtype stays assignable to a stream of its supertype. */
type KeySelector<T, K> = { select(value: T): K }['select']

/** A stream whose records are partitioned by key: its functions have keyed state and timers. */
export class KeyedStream<out T, K> extends DataStream<T> {
  readonly #keySelector: KeySelector<T, K>

  constructor(recorder: StreamRecorder, transformation: Transformation, keySelector: (value: T) => K) {
    super(recorder, transformation)
    this.#keySelector = keySelector
  }

  /** Emits, for each record, what its key has come to so far. `fn` must be pure and must not change its arguments. */
  reduce(fn: (a: T, b: T) => T): SingleOutputStreamOperator<T> {
    requireFunction('reduce', fn)
    const factory = () => reduceOperator(this.#keySelector, fn)
    return this.recorder.operator<T>({ name: 'Keyed Reduce', inputs: [this.transformation], keyed: true, factory })
  }

  /** `create` is called once per parallel subtask and attempt, after the subtask's state was restored. */
  override process<R = never>(
    create: (context: RuntimeContext) => KeyedProcessFunction<K, T, R>,
  ): SingleOutputStreamOperator<R> {
    requireFactory(create)
    const factory = () => keyedProcessOperator(this.#keySelector, create)
    return this.recorder.operator<R>({ name: 'Keyed Process', inputs: [this.transformation], keyed: true, factory })
  }

  /** The keyed side has state and timers; every subtask sees the broadcast records. */
  override connect<U>(other: BroadcastStream<U>): KeyedBroadcastConnectedStream<K, T, U>
  /** Two streams with keys of one type: their functions share the keyed state. */
  override connect<U>(other: KeyedStream<U, K>): KeyedConnectedStreams<K, T, U>
  override connect<U>(other: DataStream<U>): ConnectedStreams<T, U>
  override connect<U>(
    other: DataStream<U> | BroadcastStream<U>,
  ): ConnectedStreams<T, U> | KeyedBroadcastConnectedStream<K, T, U> {
    if (other instanceof BroadcastStream)
      return new KeyedBroadcastConnectedStream<K, T, U>(this.recorder, this.transformation, this.#keySelector, other)
    if (other instanceof KeyedStream) return this.#withKeyed(other)
    return super.connect(other)
  }

  #withKeyed<U>(other: KeyedStream<U, K>): KeyedConnectedStreams<K, T, U> {
    return this.recorder.keyedConnected<K, T, U>(
      this.transformation,
      other.transformation,
      this.#keySelector,
      other.#keySelector,
    )
  }
}
