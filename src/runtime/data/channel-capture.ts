/**
 * What an unaligned checkpoint takes along from the channels of one subtask: of each, the records between the place where
 * reading stood and the place of its barrier. They are kept right before they are read, so that nothing is kept twice or
 * forgotten however slowly the subtask reads. It knows no barrier and writes nothing.
 */
import { StreamError } from '../../base/errors.ts'
import { type Channel, NO_CONTROL, type RecordKeeper } from './channel.ts'

export interface CapturedRange {
  readonly channel: number
  /** The place of its barrier; null: not known yet. */
  readonly upTo: number | null
}

/** In order. References: a record that was emitted is immutable. The arrays grow at their ends. */
export interface CapturedRecords {
  readonly channel: number
  readonly values: unknown[]
  readonly timestamps: unknown[]
}

export class ChannelCapture {
  /** By channel, in the order given. */
  readonly records: readonly CapturedRecords[]
  readonly #ranges: readonly Range[]
  /** There are more records, or there will be none. Not called before there is a capture to look at. */
  readonly changed: () => void
  #state: 'open' | 'finished' | 'dropped' = 'open'

  constructor(channels: readonly Channel[], ranges: readonly CapturedRange[], changed: () => void) {
    this.changed = changed
    this.#ranges = ranges.map(({ channel }) => new Range(channels[channel] as Channel, this))
    this.records = this.#ranges
    for (const { channel, upTo } of ranges) if (upTo !== null) this.#rangeOf(channel)?.end(upTo)
  }

  get state(): 'open' | 'finished' | 'dropped' {
    return this.#state
  }

  /** The place of the channel's barrier is known; null: the channel has ended, and all of it was read. */
  endChannel(channel: number, upTo: number | null): void {
    if (this.#rangeOf(channel)?.end(upTo) === true) this.changed()
  }

  /** All channels have ended. */
  finish(): void {
    const open = this.#ranges.find((range) => range.isOpen)
    if (open !== undefined)
      throw new StreamError('INTERNAL', {
        message: `A capture was to be finished, and of channel ${open.channel} the barrier is not known.`,
        details: { channel: open.channel },
      })
    this.#over('finished')
  }

  /** Nobody wants it any more. Harmless where it is over. */
  drop(): void {
    if (this.#state !== 'open') return
    for (const range of this.#ranges) range.letGo()
    this.#over('dropped')
  }

  #rangeOf(channel: number): Range | undefined {
    return this.#ranges.find((range) => range.channel === channel)
  }

  #over(state: 'finished' | 'dropped'): void {
    this.#state = state
    this.changed()
  }
}

/** The part of one channel. */
class Range implements CapturedRecords, RecordKeeper {
  readonly channel: number
  readonly values: unknown[] = []
  readonly timestamps: unknown[] = []
  readonly #channel: Channel
  readonly #capture: ChannelCapture
  /** Of the first element that was not looked at yet. */
  #next: number

  constructor(channel: Channel, capture: ChannelCapture) {
    this.channel = channel.index
    this.#channel = channel
    this.#capture = capture
    this.#next = channel.head
    channel.keeper = this
  }

  get isOpen(): boolean {
    return this.#channel.keeper === this
  }

  /** As far as a drain can get: it steps over no control element. */
  keepUpTo(sequence: number): void {
    if (this.#keep(Math.min(sequence, this.#channel.nextControl, this.#channel.tail))) this.#capture.changed()
  }

  /** True when there are more records. */
  end(upTo: number | null): boolean {
    if (!this.isOpen) return false
    this.#channel.keeper = undefined
    return this.#keep(upTo ?? this.#channel.tail)
  }

  drop(): void {
    this.#capture.drop()
  }

  letGo(): void {
    if (this.isOpen) this.#channel.keeper = undefined
    this.values.length = 0
    this.timestamps.length = 0
  }

  #keep(upTo: number): boolean {
    const { values, timestamps, mask, laterControls } = this.#channel
    const kept = this.values.length
    // A control element that was taken is not looked at again.
    let sequence = Math.max(this.#next, this.#channel.head)
    let control = this.#channel.nextControl
    for (let later = 0; sequence < upTo; sequence++) {
      while (sequence > control) control = laterControls[later++] ?? NO_CONTROL
      if (sequence === control) continue
      this.values.push(values[sequence & mask])
      this.timestamps.push(timestamps[sequence & mask])
    }
    this.#next = Math.max(this.#next, sequence)
    return this.values.length > kept
  }
}
