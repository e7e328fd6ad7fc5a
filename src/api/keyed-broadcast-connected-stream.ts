/** A keyed stream connected with a broadcast one. */
import type { Transformation } from '../graph/transformation.ts'
import type { KeyedBroadcastProcessFunction, RuntimeContext } from '../operators/functions.ts'
import { keyedBroadcastProcessOperator } from '../operators/keyed-broadcast-process.ts'
import { BroadcastConnectedStream } from './broadcast-connected-stream.ts'
import type { BroadcastStream } from './broadcast-stream.ts'
import { requireFactory } from './operator-settings.ts'
import type { SingleOutputStreamOperator } from './single-output-stream-operator.ts'
import type { StreamRecorder } from './stream-recorder.ts'

/** A method's type: streams of subtypes stay assignable to streams of their supertypes. */
type KeySelector<T, K> = { select(value: T): K }['select']

/** A keyed stream connected with a broadcast one. */
export class KeyedBroadcastConnectedStream<K, out A, out B> extends BroadcastConnectedStream<A, B> {
  readonly #keySelector: KeySelector<A, K>

  constructor(
    recorder: StreamRecorder,
    keyed: Transformation,
    keySelector: (value: A) => K,
    broadcast: BroadcastStream<B>,
  ) {
    super(recorder, keyed, broadcast)
    this.#keySelector = keySelector
  }

  /** `create` is called once per parallel subtask and attempt, after the subtask's state was restored. */
  override process<R = never>(
    create: (context: RuntimeContext) => KeyedBroadcastProcessFunction<K, A, B, R>,
  ): SingleOutputStreamOperator<R> {
    requireFactory(create)
    const { transformation, descriptors } = this.broadcast
    return this.recorder.operator<R>({
      name: 'Keyed Broadcast Process',
      inputs: [this.first, transformation],
      keyed: true,
      factory: () => keyedBroadcastProcessOperator(this.#keySelector, create, descriptors),
    })
  }
}
