/** reduce on a keyed stream: the running result of each key, emitted with every record. */

import type { ValueState } from '../state/descriptors.ts'
import { ValueStateDescriptor } from '../state/descriptors.ts'
import type { KeyedStateBackend } from '../state/state-backend.ts'
import { keyedStateOf } from './keyed-state-of.ts'
import { type Input, type Operator, type OperatorContext, type OperatorFactory, oneToOne } from './operator.ts'
import { refusedKey } from './refused-key.ts'
import { refusePromise } from './user-result.ts'

/** The name of the state in which the running result stands. Part of what a savepoint holds. */
const STATE_NAME = '_op_state'

export function reduceOperator<T, K>(keySelector: (value: T) => K, fn: (a: T, b: T) => T): OperatorFactory {
  return oneToOne((context) => new ReduceOperator(keySelector, fn, context as OperatorContext<T>))
}

class ReduceOperator<T, K> implements Operator, Input<T> {
  readonly inputs = [this]
  readonly #keySelector: (value: T) => K
  readonly #fn: (a: T, b: T) => T
  readonly #context: OperatorContext<T>
  readonly #output: Input<T>
  readonly #backend: KeyedStateBackend
  readonly #state: ValueState<T>

  constructor(keySelector: (value: T) => K, fn: (a: T, b: T) => T, context: OperatorContext<T>) {
    this.#keySelector = keySelector
    this.#fn = fn
    this.#context = context
    this.#output = context.output
    this.#backend = keyedStateOf(context)
    this.#state = this.#backend.getState(new ValueStateDescriptor<T>(STATE_NAME))
  }

  processElement(value: T, timestamp: number): void {
    let result: T
    try {
      this.#backend.setCurrentKey(this.#keySelector(value))
      const before = this.#state.value()
      result = before === undefined ? value : this.#fn(before, value)
    } catch (thrown) {
      throw this.#context.blame(refusedKey(thrown, this.#context.task.operatorName))
    }
    if (typeof result === 'object' && result instanceof Promise)
      refusePromise(result, this.#context.task.operatorName, 'reduce')
    this.#state.update(result)
    this.#output.processElement(result, timestamp)
  }

  processWatermark(timestamp: number): void {
    this.#output.processWatermark(timestamp)
  }

  processWatermarkStatus(idle: boolean): void {
    this.#output.processWatermarkStatus(idle)
  }
}
