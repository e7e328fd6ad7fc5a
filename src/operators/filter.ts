/** filter: lets records pass for which the predicate says true. */
import type { Input, Operator, OperatorContext, OperatorFactory } from './operator.ts'
import { refusePromise } from './user-result.ts'

export function filterOperator<T>(fn: (value: T) => boolean): OperatorFactory {
  return (context) => new FilterOperator(fn, context as OperatorContext<T>)
}

class FilterOperator<T> implements Operator, Input<T> {
  readonly inputs = [this]
  readonly #fn: (value: T) => boolean
  readonly #output: Input<T>
  readonly #context: OperatorContext<T>

  constructor(fn: (value: T) => boolean, context: OperatorContext<T>) {
    this.#fn = fn
    this.#output = context.output
    this.#context = context
  }

  processElement(value: T, timestamp: number): void {
    const passes = this.#test(value)
    if (passes === true) this.#output.processElement(value, timestamp)
    else if (passes !== false) this.#takeTruth(passes, value, timestamp)
  }

  processWatermark(timestamp: number): void {
    this.#output.processWatermark(timestamp)
  }

  processWatermarkStatus(idle: boolean): void {
    this.#output.processWatermarkStatus(idle)
  }

  /** Plain JavaScript may answer with any value; it counts as JavaScript counts it. */
  #takeTruth(answer: unknown, value: T, timestamp: number): void {
    refusePromise(answer, this.#context.task.operatorName, 'filter')
    if (answer) this.#output.processElement(value, timestamp)
  }

  #test(value: T): boolean {
    try {
      return this.#fn(value)
    } catch (thrown) {
      throw this.#context.blame(thrown)
    }
  }
}
