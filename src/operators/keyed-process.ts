/** process on a keyed stream: the user's function with the state and the timers of the current key. */
import { NO_TIMESTAMP } from '../elements/stream-element.ts'
import type { KeyedStateBackend } from '../state/state-backend.ts'
import type { InternalTimer, InternalTimerService, TimerTarget } from '../state/timers.ts'
import type { KeyedContext, KeyedProcessFunction, OnTimerContext, RuntimeContext, TimerService } from './functions.ts'
import { keyedStateOf } from './keyed-state-of.ts'
import type { Input, OperatorContext, OperatorFactory } from './operator.ts'
import { refusedKey } from './refused-key.ts'
import { emitToSide, lifeCycleOf, madeBy, StampingCollector } from './rich-function.ts'
import { Slice } from './slice.ts'
import { refuseResult } from './user-result.ts'

export function keyedProcessOperator<K, T, R>(
  keySelector: (value: T) => K,
  create: (context: RuntimeContext) => KeyedProcessFunction<K, T, R>,
): OperatorFactory {
  return (operatorContext) => {
    const context = operatorContext as OperatorContext<R>
    const fn = madeBy(create, context)
    return { inputs: [new KeyedProcessInput(keySelector, fn, context)], ...lifeCycleOf(fn, context) }
  }
}

class KeyedProcessInput<K, T, R> implements Input<T>, TimerTarget {
  readonly #keySelector: (value: T) => K
  readonly #fn: KeyedProcessFunction<K, T, R>
  readonly #context: OperatorContext<R>
  readonly #backend: KeyedStateBackend
  readonly #timers: InternalTimerService
  readonly #collector: StampingCollector<R>
  readonly #view: OnTimerContext<K>
  readonly #slice: Slice
  #domain: 'event-time' | 'processing-time' = 'event-time'

  constructor(keySelector: (value: T) => K, fn: KeyedProcessFunction<K, T, R>, context: OperatorContext<R>) {
    this.#keySelector = keySelector
    this.#fn = fn
    this.#context = context
    this.#backend = keyedStateOf(context)
    this.#timers = context.timerService(this)
    this.#slice = new Slice(context.clock)
    const collector = new StampingCollector(context.output)
    this.#collector = collector
    const timerService = timersOfKey(this.#timers)
    this.#view = {
      timestamp: () => (collector.timestamp === NO_TIMESTAMP ? undefined : collector.timestamp),
      timerService: () => timerService,
      getCurrentKey: () => this.#backend.currentKey() as K,
      output: (tag, value) => emitToSide(context, tag, value, collector.timestamp),
      timeDomain: () => this.#domain,
    }
  }

  processElement(value: T, timestamp: number): void {
    this.#collector.timestamp = timestamp
    let result: unknown
    try {
      this.#backend.setCurrentKey(this.#keySelector(value))
      result = this.#fn.processElement(value, this.#view as KeyedContext<K>, this.#collector)
    } catch (thrown) {
      throw this.#context.blame(refusedKey(thrown, this.#context.task.operatorName))
    }
    if (result !== undefined) refuseResult(result, this.#context.task.operatorName, 'processElement')
  }

  /** All timers that are due fire before the watermark goes on; between two of them the gate may close, or the step end. */
  processWatermark(timestamp: number): void {
    const { gate, output } = this.#context
    this.#slice.begin()
    while (this.#timers.pollDueEventTimer(timestamp)) {
      const inALaterStep = this.#slice.isOver()
      if (gate.closed !== 0 || inALaterStep)
        return this.#context.resumeLater({ resume: () => this.processWatermark(timestamp), inALaterStep })
    }
    output.processWatermark(timestamp)
  }

  processWatermarkStatus(idle: boolean): void {
    this.#context.output.processWatermarkStatus(idle)
  }

  onEventTime(timer: InternalTimer): void {
    this.#fire(timer, 'event-time', timer.timestamp)
  }

  /** What a processing-time timer emits has no timestamp, as in Flink. */
  onProcessingTime(timer: InternalTimer): void {
    this.#fire(timer, 'processing-time', NO_TIMESTAMP)
  }

  #fire(timer: InternalTimer, domain: 'event-time' | 'processing-time', stamp: number): void {
    this.#collector.timestamp = stamp
    this.#domain = domain
    let result: unknown
    try {
      result = this.#fn.onTimer?.(timer.timestamp, this.#view, this.#collector)
    } catch (thrown) {
      throw this.#context.blame(thrown)
    }
    if (result !== undefined) refuseResult(result, this.#context.task.operatorName, 'onTimer')
  }
}

/** The user's timers live in one namespace. */
function timersOfKey(timers: InternalTimerService): TimerService {
  return {
    registerEventTimeTimer: (ms) => timers.registerEventTimeTimer(undefined, ms),
    registerProcessingTimeTimer: (ms) => timers.registerProcessingTimeTimer(undefined, ms),
    deleteEventTimeTimer: (ms) => timers.deleteEventTimeTimer(undefined, ms),
    deleteProcessingTimeTimer: (ms) => timers.deleteProcessingTimeTimer(undefined, ms),
    currentWatermark: () => timers.currentWatermark(),
    currentProcessingTime: () => timers.currentProcessingTime(),
  }
}
