/** What all operators with two inputs share: time of both is combined; and how two operators of one input become one. */
import { CombinedWatermark, type TimeTarget } from './combined-watermark.ts'
import type { Input, Operator, OperatorContext } from './operator.ts'

/** Of each input, where its time goes. `target` gets what they come to. */
export function combinedTime(target: TimeTarget): readonly [TimeTarget, TimeTarget] {
  const combined = new CombinedWatermark(2, target)
  return [combined.input(0), combined.input(1)]
}

/** Records go through `first` and `second`, operators without state and life cycle; time is combined past them. */
export function twoInputsOf(first: Operator, second: Operator, context: OperatorContext): Operator {
  const [ofFirst, ofSecond] = combinedTime(context.output)
  return {
    inputs: [new Side(first.inputs[0] as Input<never>, ofFirst), new Side(second.inputs[0] as Input<never>, ofSecond)],
  }
}

class Side implements Input<never> {
  readonly #records: Input<never>
  readonly #time: TimeTarget

  constructor(records: Input<never>, time: TimeTarget) {
    this.#records = records
    this.#time = time
  }

  processElement(value: never, timestamp: number): void {
    this.#records.processElement(value, timestamp)
  }

  processWatermark(timestamp: number): void {
    this.#time.processWatermark(timestamp)
  }

  processWatermarkStatus(idle: boolean): void {
    this.#time.processWatermarkStatus(idle)
  }
}
