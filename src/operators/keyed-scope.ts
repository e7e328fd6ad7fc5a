/**
 * What a user's function with a key sees, one for all inputs of its operator; and the operator's time: event timers fire
 * before the watermark goes on, one by one, so that the gate may close, or the step end, between two of them.
 */
import { NO_TIMESTAMP } from '../elements/stream-element.ts'
import type { KeyedStateBackend } from '../state/state-backend.ts'
import type { InternalTimer, InternalTimerService, TimerTarget } from '../state/timers.ts'
import { BehindRecords } from './behind-records.ts'
import type { TimeTarget } from './combined-watermark.ts'
import type { OnTimerContext, TimerService } from './functions.ts'
import { keyedStateOf } from './keyed-state-of.ts'
import type { OperatorContext } from './operator.ts'
import { emitToSide, StampingCollector } from './rich-function.ts'
import { Slice } from './slice.ts'
import { refuseResult } from './user-result.ts'

export class KeyedScope<K, R> implements TimerTarget {
  readonly backend: KeyedStateBackend
  readonly collector: StampingCollector<R>
  readonly view: OnTimerContext<K>
  /** Of the operator; a later watermark or status waits until an interrupted one is through. */
  readonly time: TimeTarget
  readonly #context: OperatorContext<R>
  readonly #timers: InternalTimerService
  readonly #slice: Slice
  readonly #onTimer: (timestamp: number) => void | undefined
  #domain: 'event-time' | 'processing-time' = 'event-time'

  /** `onTimer` calls the user's function; the key is that of the timer. Made once an operator. */
  constructor(context: OperatorContext<R>, onTimer: (timestamp: number) => void | undefined) {
    this.#context = context
    this.#onTimer = onTimer
    this.backend = keyedStateOf(context)
    this.#timers = context.timerService(this)
    this.#slice = new Slice(context.clock)
    this.time = new BehindRecords(
      {
        processWatermark: (timestamp) => this.#advance(timestamp),
        processWatermarkStatus: (idle) => context.output.processWatermarkStatus(idle),
      },
      context.gate,
      (work) => context.resumeLater(work),
    )
    const collector = new StampingCollector(context.output)
    this.collector = collector
    const timerService = timersOfKey(this.#timers)
    this.view = {
      timestamp: () => (collector.timestamp === NO_TIMESTAMP ? undefined : collector.timestamp),
      timerService: () => timerService,
      getCurrentKey: () => this.backend.currentKey() as K,
      output: (tag, value) => emitToSide(context, tag, value, collector.timestamp),
      timeDomain: () => this.#domain,
    }
  }

  /** All timers that are due fire before the watermark goes on. */
  #advance(timestamp: number): void {
    const { gate, output } = this.#context
    this.#slice.begin()
    while (this.#timers.pollDueEventTimer(timestamp)) {
      const inALaterStep = this.#slice.isOver()
      if (gate.closed !== 0 || inALaterStep)
        return this.#context.resumeLater({ resume: () => this.#advance(timestamp), inALaterStep })
    }
    output.processWatermark(timestamp)
  }

  onEventTime(timer: InternalTimer): void {
    this.#fire(timer, 'event-time', timer.timestamp)
  }

  /** What a processing-time timer emits has no timestamp, as in Flink. */
  onProcessingTime(timer: InternalTimer): void {
    this.#fire(timer, 'processing-time', NO_TIMESTAMP)
  }

  #fire(timer: InternalTimer, domain: 'event-time' | 'processing-time', stamp: number): void {
    this.collector.timestamp = stamp
    this.#domain = domain
    let result: unknown
    try {
      result = this.#onTimer(timer.timestamp)
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
