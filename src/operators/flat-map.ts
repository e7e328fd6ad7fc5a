/**
 * flatMap: one record in, any number out. Between two elements of the iterable the gate may close, or the step may have
 * lasted long enough; the rest is emitted later, before anything else is read.
 */
import type { Input, Operator, OperatorContext, OperatorFactory } from './operator.ts'
import { Slice } from './slice.ts'
import { refuseNotIterable } from './user-result.ts'

export function flatMapOperator<T, R>(fn: (value: T) => Iterable<R> & object): OperatorFactory {
  return (context) => new FlatMapOperator(fn, context as OperatorContext<R>)
}

class FlatMapOperator<T, R> implements Operator, Input<T> {
  readonly inputs = [this]
  readonly #fn: (value: T) => Iterable<R>
  readonly #context: OperatorContext<R>
  readonly #slice: Slice

  constructor(fn: (value: T) => Iterable<R>, context: OperatorContext<R>) {
    this.#fn = fn
    this.#context = context
    this.#slice = new Slice(context.clock)
  }

  processElement(value: T, timestamp: number): void {
    const results = this.#apply(value)
    if (Array.isArray(results)) this.#emitArray(results, 0, timestamp)
    else if (typeof results === 'object' && results !== null && typeof results[Symbol.iterator] === 'function')
      this.#emitRest(results[Symbol.iterator](), timestamp)
    else refuseNotIterable(results, this.#context.task.operatorName)
  }

  processWatermark(timestamp: number): void {
    this.#context.output.processWatermark(timestamp)
  }

  processWatermarkStatus(idle: boolean): void {
    this.#context.output.processWatermarkStatus(idle)
  }

  #emitArray(results: readonly R[], from: number, timestamp: number): void {
    const { gate, output } = this.#context
    const slice = this.#slice
    slice.begin()
    for (let index = from; index < results.length; index++) {
      const inALaterStep = slice.isOver()
      if (gate.closed !== 0 || inALaterStep)
        return this.#context.resumeLater({ resume: () => this.#emitArray(results, index, timestamp), inALaterStep })
      output.processElement(results[index] as R, timestamp)
    }
  }

  #emitRest(iterator: Iterator<R>, timestamp: number): void {
    const { gate, output } = this.#context
    const slice = this.#slice
    slice.begin()
    let inALaterStep = false
    while (gate.closed === 0 && !inALaterStep) {
      const next = this.#next(iterator)
      if (next.done === true) return
      output.processElement(next.value, timestamp)
      inALaterStep = slice.isOver()
    }
    this.#context.resumeLater({ resume: () => this.#emitRest(iterator, timestamp), inALaterStep })
  }

  #apply(value: T): Iterable<R> {
    try {
      return this.#fn(value)
    } catch (thrown) {
      throw this.#context.blame(thrown)
    }
  }

  /** A generator of the user runs here. */
  #next(iterator: Iterator<R>): IteratorResult<R> {
    try {
      return iterator.next()
    } catch (thrown) {
      throw this.#context.blame(thrown)
    }
  }
}
