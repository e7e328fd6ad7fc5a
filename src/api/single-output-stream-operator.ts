/** The stream that an operator gives, and the settings of that operator. */
import type { Serializer } from '../elements/serializer.ts'
import type { OperatorTransformation } from '../graph/transformation.ts'
import type { OutputTag } from '../operators/functions.ts'
import { DataStream } from './data-stream.ts'
import { setMaxParallelism, setName, setParallelism, setUid } from './operator-settings.ts'
import type { StreamRecorder } from './stream-recorder.ts'

/** A stream that comes out of an operator, with the settings of that operator. */
export class SingleOutputStreamOperator<out T> extends DataStream<T> {
  readonly #operator: OperatorTransformation

  constructor(recorder: StreamRecorder, operator: OperatorTransformation) {
    super(recorder, operator)
    this.#operator = operator
  }

  /** What the operator gives to `context.output(tag, value)`. */
  getSideOutput<S>(tag: OutputTag<S>): DataStream<S> {
    return this.recorder.stream<S>({ kind: 'sideOutput', input: this.#operator, tag: tag.id })
  }

  /** Under this name the operator's state is found again, also when the program around it has changed. */
  uid(id: string): this {
    setUid(this.#operator.settings, id)
    return this
  }

  /** Shown in logs, events and plans. State is found by `uid`. */
  name(text: string): this {
    setName(this.#operator.settings, text)
    return this
  }

  /** Of this operator alone. */
  setParallelism(parallelism: number): this {
    setParallelism(this.#operator.settings, parallelism)
    return this
  }

  /** The number of key groups: fixed for as long as the state lives. */
  setMaxParallelism(maxParallelism: number): this {
    setMaxParallelism(this.#operator.settings, maxParallelism)
    return this
  }

  /**
   * For the records of the main output where they go to another task: a part of the job graph, by `id` and `version`, and
   * used where records leave the thread or are kept with a checkpoint. In this version tasks share a thread and records
   * are passed on as they are, so it is called in two places only: by `executeAndCollect` with checkpointing, and under
   * `execution.debug-freeze` (`--check`), where each such record is serialised and the copy handed on; a type that
   * would not survive fails the job with NOT_SERIALIZABLE. Left out: the default serializer, for plain data.
   */
  withSerializer(serializer: Serializer<T>): this {
    this.#operator.settings.serializer = serializer
    return this
  }

  /** Does not chain with what comes before. */
  startNewChain(): this {
    this.#operator.settings.chaining = 'head'
    return this
  }

  /** Chains with nothing, before or after. */
  disableChaining(): this {
    this.#operator.settings.chaining = 'never'
    return this
  }
}
