/** map: one record in, one out. */
import { type Input, type Operator, type OperatorContext, type OperatorFactory, oneToOne } from './operator.ts'
import { refusePromise } from './user-result.ts'

export function mapOperator<T, R>(fn: (value: T) => R): OperatorFactory {
  return oneToOne((context) => new MapOperator(fn, context))
}

class MapOperator<T, R> implements Operator, Input<T> {
  readonly inputs = [this]
  readonly #fn: (value: T) => R
  readonly #output: Input<R>
  readonly #context: OperatorContext

  constructor(fn: (value: T) => R, context: OperatorContext) {
    this.#fn = fn
    this.#output = context.output
    this.#context = context
  }

  processElement(value: T, timestamp: number): void {
    const result = this.#apply(value)
    if (typeof result === 'object' && result instanceof Promise)
      refusePromise(result, this.#context.task.operatorName, 'map')
    this.#output.processElement(result, timestamp)
  }

  processWatermark(timestamp: number): void {
    this.#output.processWatermark(timestamp)
  }

  processWatermarkStatus(idle: boolean): void {
    this.#output.processWatermarkStatus(idle)
  }

  #apply(value: T): R {
    try {
      return this.#fn(value)
    } catch (thrown) {
      throw this.#context.blame(thrown)
    }
  }
}
