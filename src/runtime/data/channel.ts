/**
 * One channel from a sending to a receiving subtask inside a thread: a queue that both share and a priority lane.
 * Every element has a sequence number, counted from 0; control elements lie in the queue at their own numbers.
 */
import type { CheckpointBarrier, ControlElement, PriorityElement } from '../../elements/stream-element.ts'

/** What a channel tells its sender: it has used up, or got back, its credit; the receiver has taken the end of the data. */
export interface CreditHolder {
  outputFull(): void
  outputFree(): void
  dataConsumed(): void
}

/** What a channel tells its receiver: there is something to read. */
export interface Wakeable {
  wake(): void
}

/** Whoever keeps the records before they are read. */
export interface RecordKeeper {
  /** Those below this number will not be there for long. */
  keepUpTo(sequence: number): void
  /** It is wanted no more. */
  drop(): void
}

/** What overtakes the queue, and its place in the stream: of an announcement, the place of its barrier. */
export interface Urgent {
  readonly element: PriorityElement
  readonly sequence: number
}

/** Of a channel that has not been busy yet: between vertices of 200 subtasks lie 40,000 of them. */
const UNUSED_CAPACITY = 16

const TOMBSTONE: ControlElement = { type: 'tombstone' }
export const NO_CONTROL = Number.POSITIVE_INFINITY

export class Channel {
  /** Of the next element to read. */
  head = 0
  /** Of the next element to write. */
  tail = 0
  /** Of the first control element in the queue; Infinity when there is none. The loop compares this one number. */
  nextControl = NO_CONTROL
  /** Of those behind it, ascending. */
  readonly laterControls: number[] = []
  values: unknown[]
  /** Held as they came: a plain array keeps the boxed number, a typed array would box it again at each read. */
  timestamps: unknown[]
  mask: number
  /** How many elements of those that were taken were control elements. */
  controlsRead = 0
  /** To be asked before each drain, while a checkpoint takes records along. */
  keeper: RecordKeeper | undefined = undefined
  /** Which input of the receiving operator, and which of its channels this is. */
  readonly input: number
  readonly index: number
  #credit: number
  /** Once it was needed: room for its credit. */
  readonly #smallest: number
  readonly #priority: Urgent[] = []
  readonly #sender: CreditHolder
  readonly #receiver: Wakeable
  #full = false
  #dataConsumed = false

  constructor(options: { credit: number; input: number; index: number; sender: CreditHolder; receiver: Wakeable }) {
    this.#credit = options.credit
    this.input = options.input
    this.index = options.index
    this.#sender = options.sender
    this.#receiver = options.receiver
    this.#smallest = powerOfTwoAtLeast(Math.max(2, options.credit))
    const capacity = Math.min(this.#smallest, UNUSED_CAPACITY)
    this.values = new Array(capacity).fill(undefined)
    this.timestamps = new Array(capacity).fill(undefined)
    this.mask = capacity - 1
  }

  /** Per record. Takes the record in any case; the sender looks at its gate before the next one. */
  push(value: unknown, timestamp: number): void {
    const tail = this.tail
    const size = tail - this.head
    if (size > this.mask) this.#grow()
    const slot = tail & this.mask
    this.values[slot] = value
    this.timestamps[slot] = timestamp
    this.tail = tail + 1
    if (size === 0) this.#receiver.wake()
    if (size + 1 >= this.#credit && !this.#full) {
      this.#full = true
      this.#sender.outputFull()
    }
  }

  /**
   * Needs no credit. A watermark takes the place of one that it follows directly: a stream of nothing but watermarks, whose
   * records are all filtered out, would otherwise grow without bound where the receiver stands still.
   */
  pushControl(element: ControlElement): void {
    if (element.type === 'watermark' && this.#lastIsWatermark()) {
      this.values[(this.tail - 1) & this.mask] = element
      return
    }
    if (this.tail - this.head > this.mask) this.#grow()
    const slot = this.tail & this.mask
    this.values[slot] = element
    this.timestamps[slot] = undefined
    if (this.nextControl === NO_CONTROL) this.nextControl = this.tail
    else this.laterControls.push(this.tail)
    this.tail++
    this.#receiver.wake()
  }

  /** Overtakes everything in the queue; its place in the stream is the end of it. */
  pushPriority(barrier: CheckpointBarrier): void {
    this.#overtake({ element: barrier, sequence: this.tail })
  }

  /** Lies in the queue, and the receiver learns at once that it is there. */
  pushAnnounced(barrier: CheckpointBarrier): void {
    const sequence = this.tail
    this.pushControl(barrier)
    this.#overtake({ element: { type: 'announcement', barrier, sequence }, sequence })
  }

  /** The barrier that lies here comes next, as an unaligned one. Harmless where it was taken or has moved already. */
  prioritise(sequence: number): void {
    if (sequence < this.head || sequence >= this.tail) return
    const slot = sequence & this.mask
    const barrier = this.values[slot] as ControlElement
    if (barrier.type !== 'barrier') return
    this.values[slot] = TOMBSTONE
    this.#overtake({ element: { ...barrier, mode: 'unaligned' }, sequence })
  }

  /** The first of what has overtaken the queue, taken out. */
  takePriority(): Urgent | undefined {
    return this.#priority.length === 0 ? undefined : this.#priority.shift()
  }

  /** The control element that stands first in the queue, if one does. It stays there. */
  firstControl(): ControlElement | undefined {
    return this.head === this.nextControl ? (this.values[this.head & this.mask] as ControlElement) : undefined
  }

  /** Takes out what `firstControl` showed, from `head`. */
  takeControl(): void {
    this.values[this.head & this.mask] = undefined
    this.head++
    this.controlsRead++
    this.nextControl = this.laterControls.shift() ?? NO_CONTROL
    this.released()
  }

  /** Records were read up to `head`: gives the sender its credit back when half of it is free again. */
  released(): void {
    const size = this.tail - this.head
    if (this.#full && size <= this.#credit >> 1) {
      this.#full = false
      this.#sender.outputFree()
    }
    if (size === 0 && this.mask >= this.#smallest) this.#shrink()
  }

  /** The receiver has taken the end of the data out of the queue: it has processed all there was. */
  acknowledgeData(): void {
    this.#dataConsumed = true
    this.#sender.dataConsumed()
  }

  /** Nobody will ever read it: whoever writes into it waits for nothing. */
  abandon(): void {
    this.#credit = Number.POSITIVE_INFINITY
    this.acknowledgeData()
  }

  get dataConsumed(): boolean {
    return this.#dataConsumed
  }

  get size(): number {
    return this.tail - this.head
  }

  /** Records that it holds before the sender must wait. */
  get credit(): number {
    return this.#credit
  }

  /**
   * The newest of its records that are still in the queue or were read and not yet overwritten, at most `most`, newest
   * first: for whoever wants to see what records of this channel are like.
   */
  newest(most: number): readonly unknown[] {
    const { values, timestamps, mask, tail } = this
    const found: unknown[] = []
    for (let back = 1; back <= Math.min(tail, mask + 1) && found.length < most; back++) {
      const slot = (tail - back) & mask
      // Control elements have no timestamp, records always do.
      if (timestamps[slot] !== undefined) found.push(values[slot])
    }
    return found
  }

  #overtake(urgent: Urgent): void {
    this.#priority.push(urgent)
    this.#receiver.wake()
  }

  #lastIsWatermark(): boolean {
    const last = this.tail - 1
    const isControl = last >= this.head && (this.nextControl === last || this.laterControls.at(-1) === last)
    return isControl && (this.values[last & this.mask] as ControlElement).type === 'watermark'
  }

  #grow(): void {
    const capacity = (this.mask + 1) * 2
    const values: unknown[] = new Array(capacity).fill(undefined)
    const timestamps: unknown[] = new Array(capacity).fill(undefined)
    for (let sequence = this.head; sequence < this.tail; sequence++) {
      values[sequence & (capacity - 1)] = this.values[sequence & this.mask]
      timestamps[sequence & (capacity - 1)] = this.timestamps[sequence & this.mask]
    }
    this.values = values
    this.timestamps = timestamps
    this.mask = capacity - 1
  }

  /** One user call may have overshot by millions; what it needed is not kept. */
  #shrink(): void {
    this.values = new Array(this.#smallest).fill(undefined)
    this.timestamps = new Array(this.#smallest).fill(undefined)
    this.mask = this.#smallest - 1
  }
}

function powerOfTwoAtLeast(size: number): number {
  return 2 ** Math.ceil(Math.log2(size))
}
