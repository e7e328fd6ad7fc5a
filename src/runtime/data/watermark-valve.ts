/** Combines watermarks and idleness of the channels of one input, by Flink's rules. Pure bookkeeping, no records. */
import { MAX_WATERMARK, MIN_WATERMARK } from '../../elements/stream-element.ts'

export interface ValveOutput {
  processWatermark(timestamp: number): void
  processWatermarkStatus(idle: boolean): void
}

interface ChannelStatus {
  watermark: number
  idle: boolean
  /** Counts for the minimum: it has caught up with what was emitted. */
  aligned: boolean
}

export class WatermarkValve {
  readonly #channels: ChannelStatus[]
  readonly #output: ValveOutput
  #emitted = MIN_WATERMARK
  #idle = false

  constructor(channels: number, output: ValveOutput) {
    this.#channels = Array.from({ length: channels }, () => ({ watermark: MIN_WATERMARK, idle: false, aligned: true }))
    this.#output = output
  }

  /** What the channels come to so far. */
  get watermark(): number {
    return this.#emitted
  }

  /** A watermark on an idle channel, and one that does not rise, is dropped. */
  inputWatermark(index: number, timestamp: number): void {
    const channel = this.#channel(index)
    if (channel.idle || timestamp <= channel.watermark) return
    channel.watermark = timestamp
    if (!channel.aligned && timestamp >= this.#emitted) channel.aligned = true
    this.#emitMinimum()
  }

  inputStatus(index: number, idle: boolean): void {
    const channel = this.#channel(index)
    if (channel.idle === idle) return
    channel.idle = idle
    if (idle) this.#becameIdle(channel)
    else this.#becameActive(channel)
  }

  #becameIdle(channel: ChannelStatus): void {
    channel.aligned = false
    if (!this.#channels.every((other) => other.idle)) return this.#emitMinimum()
    this.#emit(Math.max(...this.#channels.map((other) => other.watermark)))
    this.#idle = true
    this.#output.processWatermarkStatus(true)
  }

  #becameActive(channel: ChannelStatus): void {
    channel.aligned = channel.watermark >= this.#emitted
    if (this.#idle) {
      this.#idle = false
      this.#output.processWatermarkStatus(false)
    }
    if (channel.aligned) this.#emitMinimum()
  }

  #emitMinimum(): void {
    let minimum = MAX_WATERMARK
    let counted = 0
    for (const channel of this.#channels) {
      if (!channel.aligned) continue
      counted++
      if (channel.watermark < minimum) minimum = channel.watermark
    }
    if (counted > 0) this.#emit(minimum)
  }

  #emit(watermark: number): void {
    if (watermark <= this.#emitted) return
    this.#emitted = watermark
    this.#output.processWatermark(watermark)
  }

  #channel(index: number): ChannelStatus {
    return this.#channels[index] as ChannelStatus
  }
}
