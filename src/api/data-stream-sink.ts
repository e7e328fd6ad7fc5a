/** The end of a stream: the settings of a sink. */
import type { OperatorTransformation } from '../graph/transformation.ts'
import { setName, setParallelism, setUid } from './operator-settings.ts'

/** The end of a stream: the settings of a sink. */
export class DataStreamSink<out T> {
  /** Never set: what the stream before it carries. */
  declare readonly element?: T | undefined
  readonly #operator: OperatorTransformation

  constructor(operator: OperatorTransformation) {
    this.#operator = operator
  }

  /** Under this name the sink's state is found again, also when the program around it has changed. */
  uid(id: string): this {
    setUid(this.#operator.settings, id)
    return this
  }

  /** Shown in logs, events and plans. */
  name(text: string): this {
    setName(this.#operator.settings, text)
    return this
  }

  /** Of this sink alone. */
  setParallelism(parallelism: number): this {
    setParallelism(this.#operator.settings, parallelism)
    return this
  }

  /** Runs as a task of its own. */
  disableChaining(): this {
    this.#operator.settings.chaining = 'never'
    return this
  }
}
