/** Two streams partitioned by keys of one type: a function of both has keyed state and timers that both share. */
import type { Transformation } from '../graph/transformation.ts'
import type { KeyedCoProcessFunction, RuntimeContext } from '../operators/functions.ts'
import { keyedCoProcessOperator } from '../operators/keyed-co-process.ts'
import { ConnectedStreams } from './connected-streams.ts'
import { requireFactory } from './operator-settings.ts'
import type { SingleOutputStreamOperator } from './single-output-stream-operator.ts'
import type { StreamRecorder } from './stream-recorder.ts'

/** A method's type: streams of subtypes stay assignable to streams of their supertypes. */
type KeySelector<T, K> = { select(value: T): K }['select']

/** Two streams partitioned by keys of one type: a function of both has keyed state and timers that both share. */
export class KeyedConnectedStreams<K, out A, out B> extends ConnectedStreams<A, B> {
  readonly #firstSelector: KeySelector<A, K>
  readonly #secondSelector: KeySelector<B, K>

  constructor(
    recorder: StreamRecorder,
    [first, second]: readonly [Transformation, Transformation],
    firstSelector: (value: A) => K,
    secondSelector: (value: B) => K,
  ) {
    super(recorder, first, second)
    this.#firstSelector = firstSelector
    this.#secondSelector = secondSelector
  }

  /** `create` is called once per parallel subtask and attempt, after the subtask's state was restored. */
  override process<R = never>(
    create: (context: RuntimeContext) => KeyedCoProcessFunction<K, A, B, R>,
  ): SingleOutputStreamOperator<R> {
    requireFactory(create)
    return this.recorder.operator<R>({
      name: 'Keyed Co-Process',
      inputs: [this.first, this.second],
      keyed: true,
      factory: () => keyedCoProcessOperator(this.#firstSelector, this.#secondSelector, create),
    })
  }
}
