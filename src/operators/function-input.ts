/**
 * One input of an operator around a user's function object: calls the function per record, blames what it throws and
 * refuses what it returns. Time goes to the operator, which may have several inputs.
 */
import type { TimeTarget } from './combined-watermark.ts'
import type { Input, OperatorContext } from './operator.ts'
import { refusedKey } from './refused-key.ts'
import type { StampingCollector } from './rich-function.ts'
import { refuseResult } from './user-result.ts'

interface FunctionInputParts<T, R> {
  readonly context: OperatorContext<R>
  readonly collector: StampingCollector<R>
  /** The name of the function, for messages. */
  readonly name: string
  /** Sets the key where there is one, then calls the user's function. */
  readonly call: (value: T) => void | undefined
  readonly time: TimeTarget
}

export class FunctionInput<T, R> implements Input<T> {
  readonly #context: OperatorContext<R>
  readonly #collector: StampingCollector<R>
  readonly #name: string
  readonly #call: (value: T) => void | undefined
  readonly #time: TimeTarget

  constructor({ context, collector, name, call, time }: FunctionInputParts<T, R>) {
    this.#context = context
    this.#collector = collector
    this.#name = name
    this.#call = call
    this.#time = time
  }

  processElement(value: T, timestamp: number): void {
    this.#collector.timestamp = timestamp
    let result: unknown
    try {
      result = this.#call(value)
    } catch (thrown) {
      throw this.#context.blame(refusedKey(thrown, this.#context.task.operatorName))
    }
    if (result !== undefined) refuseResult(result, this.#context.task.operatorName, this.#name)
  }

  processWatermark(timestamp: number): void {
    this.#time.processWatermark(timestamp)
  }

  processWatermarkStatus(idle: boolean): void {
    this.#time.processWatermarkStatus(idle)
  }
}
