/** What a user's function without key sees, one for all inputs of its operator: timestamps, clocks, side outputs. */
import { StreamError } from '../base/errors.ts'
import { MIN_WATERMARK, NO_TIMESTAMP } from '../elements/stream-element.ts'
import { clocksOnly } from './clocks-only.ts'
import type { TimeTarget } from './combined-watermark.ts'
import type { Context } from './functions.ts'
import type { OperatorContext } from './operator.ts'
import { emitToSide, StampingCollector } from './rich-function.ts'

export class UnkeyedScope<R> implements TimeTarget {
  readonly collector: StampingCollector<R>
  readonly view: Context
  readonly #context: OperatorContext<R>
  #watermark = MIN_WATERMARK

  constructor(context: OperatorContext<R>) {
    this.#context = context
    const collector = new StampingCollector(context.output)
    this.collector = collector
    const timers = clocksOnly(
      { currentWatermark: () => this.#watermark, currentProcessingTime: () => context.clock.now() },
      () => refused(context.task.operatorName),
    )
    this.view = {
      timestamp: () => (collector.timestamp === NO_TIMESTAMP ? undefined : collector.timestamp),
      timerService: () => timers,
      output: (tag, value) => emitToSide(context, tag, value, collector.timestamp),
    }
  }

  processWatermark(timestamp: number): void {
    this.#watermark = timestamp
    this.#context.output.processWatermark(timestamp)
  }

  processWatermarkStatus(idle: boolean): void {
    this.#context.output.processWatermarkStatus(idle)
  }
}

/** Timers are keyed state. */
function refused(operator: string): never {
  throw new StreamError('NO_KEYED_STATE', {
    message: `Operator "${operator}" set or deleted a timer, and its stream has no key.`,
    hint: 'Timers belong to keys: call keyBy(...) before process(...).',
    details: { operator },
  })
}
