/** process on a stream without key: the user's function sees each record and emits what it likes. */

import { StreamError } from '../base/errors.ts'
import { MIN_WATERMARK, NO_TIMESTAMP } from '../elements/stream-element.ts'
import type { Context, ProcessFunction, RuntimeContext, TimerService } from './functions.ts'
import type { Input, OperatorContext, OperatorFactory } from './operator.ts'
import { emitToSide, lifeCycleOf, madeBy, StampingCollector } from './rich-function.ts'
import { refuseResult } from './user-result.ts'

export function processOperator<T, R>(create: (context: RuntimeContext) => ProcessFunction<T, R>): OperatorFactory {
  return (operatorContext) => {
    const context = operatorContext as OperatorContext<R>
    const fn = madeBy(create, context)
    return { inputs: [new ProcessInput(fn, context)], ...lifeCycleOf(fn, context) }
  }
}

class ProcessInput<T, R> implements Input<T> {
  readonly #fn: ProcessFunction<T, R>
  readonly #context: OperatorContext<R>
  readonly #collector: StampingCollector<R>
  readonly #view: Context
  #watermark = MIN_WATERMARK

  constructor(fn: ProcessFunction<T, R>, context: OperatorContext<R>) {
    this.#fn = fn
    this.#context = context
    const collector = new StampingCollector(context.output)
    this.#collector = collector
    const timers = withoutKey(context, () => this.#watermark)
    this.#view = {
      timestamp: () => (collector.timestamp === NO_TIMESTAMP ? undefined : collector.timestamp),
      timerService: () => timers,
      output: (tag, value) => emitToSide(context, tag, value, collector.timestamp),
    }
  }

  processElement(value: T, timestamp: number): void {
    this.#collector.timestamp = timestamp
    let result: unknown
    try {
      result = this.#fn.processElement(value, this.#view, this.#collector)
    } catch (thrown) {
      throw this.#context.blame(thrown)
    }
    if (result !== undefined) refuseResult(result, this.#context.task.operatorName, 'processElement')
  }

  processWatermark(timestamp: number): void {
    this.#watermark = timestamp
    this.#context.output.processWatermark(timestamp)
  }

  processWatermarkStatus(idle: boolean): void {
    this.#context.output.processWatermarkStatus(idle)
  }
}

/** Timers are keyed state: without a key only the clocks can be read. */
function withoutKey(context: OperatorContext<never>, watermark: () => number): TimerService {
  const refuse = (): never => {
    throw new StreamError('NO_KEYED_STATE', {
      message: `Operator "${context.task.operatorName}" set or deleted a timer, and its stream has no key.`,
      hint: 'Timers belong to keys: call keyBy(...) before process(...).',
      details: { operator: context.task.operatorName },
    })
  }
  return {
    registerEventTimeTimer: refuse,
    registerProcessingTimeTimer: refuse,
    deleteEventTimeTimer: refuse,
    deleteProcessingTimeTimer: refuse,
    currentWatermark: watermark,
    currentProcessingTime: () => context.clock.now(),
  }
}
