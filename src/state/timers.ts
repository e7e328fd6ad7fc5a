/**
 * The timers of one keyed operator, as Flink's: one per key, namespace, time and domain; event timers fire when the
 * watermark passes them, processing timers by one physical timer. It fires one at a time: whoever calls decides when to
 * stop between two.
 */
import type { Clock, Timer as PhysicalTimer } from '../base/clock.ts'
import { StreamError } from '../base/errors.ts'
import { MIN_WATERMARK } from '../elements/stream-element.ts'
import { type MapKey, mapKeyOf } from './key.ts'
import type { KeyedStateBackend } from './state-backend.ts'
import { TIMERS_CODEC, TimerQueue } from './timer-queue.ts'

/** A timer that fires. Its key is the current key of the backend. */
export interface InternalTimer {
  readonly timestamp: number
  readonly key: unknown
  /** What the timer was set with: undefined, or anything that may be a key. */
  readonly namespace: unknown
}

/** Whose timers they are. */
export interface TimerTarget {
  onEventTime(timer: InternalTimer): void
  onProcessingTime(timer: InternalTimer): void
}

export interface InternalTimerService {
  /** For the current key. Setting a timer again changes nothing; one that is due already fires with the next advance. Throws INVALID_ARGUMENT for NaN. */
  registerEventTimeTimer(namespace: unknown, timestamp: number): void
  /** For the current key. One that is due already fires as soon as possible. Throws INVALID_ARGUMENT for NaN. */
  registerProcessingTimeTimer(namespace: unknown, timestamp: number): void
  /** Of the current key. Harmless when there is no such timer. */
  deleteEventTimeTimer(namespace: unknown, timestamp: number): void
  deleteProcessingTimeTimer(namespace: unknown, timestamp: number): void
  /** -Infinity before the first one, also after a restore. */
  currentWatermark(): number
  currentProcessingTime(): number
  numEventTimeTimers(): number
  numProcessingTimeTimers(): number
  /** How many have fired so far, of both domains. */
  numFiredTimers(): number

  /**
   * Raises the watermark and fires the earliest event timer that is due; false when none is. All are fired before the
   * watermark is forwarded: `while (timers.pollDueEventTimer(watermark)) if (gate.closed > 0) return later`.
   */
  pollDueEventTimer(watermark: number): boolean
  /**
   * After `due` was called: fires the earliest processing timer that is due; false when none is, and then the physical
   * timer is armed for the next one.
   */
  pollDueProcessingTimer(): boolean
  /** The time for which the physical timer is armed; undefined when it is not. */
  physicalTimerMs(): number | undefined
  /** The physical timer fires no more. */
  close(): void
}

export interface TimerServiceOptions {
  readonly backend: KeyedStateBackend
  readonly clock: Clock
  readonly target: TimerTarget
  /** The physical timer has fired: in a turn of the subtask, call `pollDueProcessingTimer` until it gives false. */
  due(): void
  /** Tells the timers of several services of one operator apart. */
  readonly name?: string | undefined
}

/** After the backend was restored: takes over the timers that it holds, and arms the physical timer for the earliest. */
export function createTimerService(options: TimerServiceOptions): InternalTimerService {
  return new TimerService(options)
}

class TimerService implements InternalTimerService {
  readonly #backend: KeyedStateBackend
  readonly #clock: Clock
  readonly #target: TimerTarget
  readonly #due: () => void
  readonly #eventTimers: TimerQueue
  readonly #processingTimers: TimerQueue
  #watermark = MIN_WATERMARK
  #physical: PhysicalTimer | undefined
  #physicalMs = Number.POSITIVE_INFINITY
  /** From the firing of the physical timer until nothing is due: it is armed once, at the end. */
  #firing = false
  #fired = 0
  #closed = false

  constructor({ backend, clock, target, due, name = 'timers' }: TimerServiceOptions) {
    this.#backend = backend
    this.#clock = clock
    this.#target = target
    this.#due = due
    this.#eventTimers = new TimerQueue(backend.keyedTable('timers', `${name}/event`, TIMERS_CODEC))
    this.#processingTimers = new TimerQueue(backend.keyedTable('timers', `${name}/processing`, TIMERS_CODEC))
    this.#arm()
  }

  registerEventTimeTimer(namespace: unknown, timestamp: number): void {
    const mapKey = this.#checked(timestamp)
    this.#eventTimers.add(this.#backend.currentKey(), mapKey, namespace, mapNamespaceOf(namespace), timestamp)
  }

  registerProcessingTimeTimer(namespace: unknown, timestamp: number): void {
    const mapKey = this.#checked(timestamp)
    const added = this.#processingTimers.add(
      this.#backend.currentKey(),
      mapKey,
      namespace,
      mapNamespaceOf(namespace),
      timestamp,
    )
    if (added && !this.#firing && timestamp < this.#physicalMs) this.#arm()
  }

  deleteEventTimeTimer(namespace: unknown, timestamp: number): void {
    this.#eventTimers.remove(this.#backend.currentMapKey(), mapNamespaceOf(namespace), timestamp)
  }

  /** The physical timer stays armed, as in Flink: finding nothing due, it is armed again. */
  deleteProcessingTimeTimer(namespace: unknown, timestamp: number): void {
    this.#processingTimers.remove(this.#backend.currentMapKey(), mapNamespaceOf(namespace), timestamp)
  }

  currentWatermark(): number {
    return this.#watermark
  }

  currentProcessingTime(): number {
    return this.#clock.now()
  }

  numEventTimeTimers(): number {
    return this.#eventTimers.size
  }

  numProcessingTimeTimers(): number {
    return this.#processingTimers.size
  }

  numFiredTimers(): number {
    return this.#fired
  }

  pollDueEventTimer(watermark: number): boolean {
    if (watermark > this.#watermark) this.#watermark = watermark
    const timer = this.#eventTimers.pollDue(watermark)
    if (timer === undefined) return false
    this.#fired++
    this.#backend.setCurrentKey(timer.key)
    this.#target.onEventTime(timer)
    return true
  }

  pollDueProcessingTimer(): boolean {
    const timer = this.#processingTimers.pollDue(this.#clock.now())
    if (timer === undefined) {
      this.#firing = false
      this.#arm()
      return false
    }
    this.#fired++
    this.#backend.setCurrentKey(timer.key)
    this.#target.onProcessingTime(timer)
    return true
  }

  physicalTimerMs(): number | undefined {
    return this.#physical === undefined ? undefined : this.#physicalMs
  }

  close(): void {
    this.#disarm()
    this.#closed = true
  }

  #checked(timestamp: number): MapKey {
    if (typeof timestamp === 'number' && !Number.isNaN(timestamp)) return this.#backend.currentMapKey()
    throw new StreamError('INVALID_ARGUMENT', {
      message: `A timer was set for ${String(timestamp)}, which is no time.`,
      hint: 'Timestamps are numbers: milliseconds since the epoch. A date that could not be parsed has the time NaN.',
    })
  }

  #arm(): void {
    const earliest = this.#processingTimers.peek()
    if (this.#closed || earliest === undefined || earliest.timestamp >= this.#physicalMs) return
    this.#disarm()
    this.#physicalMs = earliest.timestamp
    this.#physical = this.#clock.setTimer(earliest.timestamp - this.#clock.now(), () => {
      this.#physical = undefined
      this.#physicalMs = Number.POSITIVE_INFINITY
      this.#firing = true
      this.#due()
    })
  }

  #disarm(): void {
    this.#physical?.cancel()
    this.#physical = undefined
    this.#physicalMs = Number.POSITIVE_INFINITY
  }
}

function mapNamespaceOf(namespace: unknown): MapKey | undefined {
  return namespace === undefined ? undefined : mapKeyOf(namespace)
}
