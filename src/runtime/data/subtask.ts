/**
 * The record side of one subtask: reads its channels or its source as its permission allows and feeds the chain. It
 * reports what it meets (barriers, ends, throws) and decides none of it.
 */
import type { CheckpointBarrier, ControlElement, EndOfData } from '../../elements/stream-element.ts'
import { END_OF_INPUT, type Input, NOTHING_AVAILABLE, type SourceOperator } from '../../operators/operator.ts'
import type { Channel } from './channel.ts'
import { drain } from './drain.ts'
import type { SubtaskGate } from './subtask-gate.ts'
import type { Runnable } from './turn-loop.ts'
import { WatermarkValve } from './watermark-valve.ts'

/** Set by the control side from its charts, read by the loop. */
export interface Permission {
  /** The task runs: elements may be read at all. */
  running: boolean
  /** Operators prepare or a snapshot is taken: neither lane is read. */
  standstill: boolean
  /** By channel. */
  held: readonly boolean[]
}

/** How the input of a subtask ended. */
export interface InputEnd {
  /** False: the stream goes on in another run. */
  readonly drained: boolean
  /** The savepoint that follows and ends the job; null: none does. */
  readonly savepoint: number | null
}

/** Whom the loop tells. Called between two elements, never inside one. */
export interface SubtaskEvents {
  barrierArrived(channel: number, barrier: CheckpointBarrier): void
  cancellationArrived(channel: number, checkpointId: number): void
  partitionEnded(channel: number): void
  /** Nothing will be read any more but barriers; where the data was drained, the last watermark has gone through the chain. */
  inputExhausted(end: InputEnd): void
  failed(cause: unknown): void
}

export interface SubtaskParts {
  readonly channels: readonly Channel[]
  /** Of the head operator. */
  readonly inputs: readonly Input<unknown>[]
  readonly source: SourceOperator | undefined
  /** Puts the last watermark through the chain of a source. */
  emitLastWatermark(): void
  readonly gate: SubtaskGate
  readonly permission: Permission
  readonly events: SubtaskEvents
  wake(): void
}

export class Subtask implements Runnable {
  readonly #parts: SubtaskParts
  readonly #valves: readonly WatermarkValve[]
  /** Of each channel, its number among the channels of its input. */
  readonly #valveIndex: readonly number[]
  #mails: (() => void)[] = []
  #channelsWithData: number
  #end: InputEnd = { drained: true, savepoint: null }
  #source: 'reading' | 'waiting' | 'ended'
  #next = 0

  constructor(parts: SubtaskParts) {
    this.#parts = parts
    this.#channelsWithData = parts.channels.length
    this.#source = parts.source === undefined ? 'ended' : 'reading'
    this.#valveIndex = parts.channels.map(
      (channel, index) => parts.channels.slice(0, index).filter((other) => other.input === channel.input).length,
    )
    this.#valves = parts.inputs.map(
      (input, index) => new WatermarkValve(parts.channels.filter((channel) => channel.input === index).length, input),
    )
  }

  /** Runs in a later step, between two elements and never during a standstill. */
  mail(mail: () => void): void {
    this.#mails.push(mail)
    this.#parts.wake()
  }

  /**
   * To be called in a mail: the source is read no further. What follows is as at the end of its input, and where it is not
   * drained nothing more is emitted. Harmless where the input has ended already.
   */
  stopSource(end: InputEnd): void {
    if (this.#source === 'ended') return
    this.#source = 'ended'
    this.#parts.source?.stop?.()
    this.#endSource(end)
  }

  step(budget: number): boolean {
    try {
      return this.#step(budget)
    } catch (thrown) {
      this.#parts.events.failed(thrown)
      return true
    }
  }

  #step(budget: number): boolean {
    const { permission, gate } = this.#parts
    if (!permission.running) return false
    let progressed = gate.resume()
    if (this.#mustWait()) return progressed
    progressed = this.#readMails() || progressed
    progressed = this.#readChannels(budget) || progressed
    return this.#readSource(budget) || progressed
  }

  #mustWait(): boolean {
    return !this.#parts.permission.running || this.#parts.permission.standstill || this.#parts.gate.insideAnElement
  }

  #readMails(): boolean {
    if (this.#mails.length === 0) return false
    const mails = this.#mails
    this.#mails = []
    let read = 0
    while (read < mails.length && !this.#mustWait()) (mails[read++] as () => void)()
    if (read < mails.length) this.#mails = [...mails.slice(read), ...this.#mails]
    return read > 0
  }

  #readChannels(budget: number): boolean {
    const { channels, inputs, gate, permission } = this.#parts
    let progressed = false
    for (let count = channels.length; count > 0 && !this.#mustWait(); count--) {
      const channel = channels[this.#next] as Channel
      this.#next = this.#next + 1 === channels.length ? 0 : this.#next + 1
      const urgent = channel.takePriority()
      if (urgent !== undefined) {
        this.#handle(channel, urgent)
        progressed = true
        continue
      }
      if (permission.held[channel.index] === true) continue
      if (gate.closed === 0 && drain(channel, inputs[channel.input] as Input<unknown>, budget, gate) > 0)
        progressed = true
      const control = channel.firstControl()
      if (control === undefined || gate.insideAnElement || (gate.closed !== 0 && needsCredit(control))) continue
      channel.takeControl()
      this.#handle(channel, control)
      progressed = true
    }
    return progressed
  }

  #handle(channel: Channel, element: ControlElement): void {
    const { events } = this.#parts
    switch (element.type) {
      case 'watermark':
        return (this.#valves[channel.input] as WatermarkValve).inputWatermark(
          this.#valveIndex[channel.index] as number,
          element.timestamp,
        )
      case 'watermarkStatus':
        return (this.#valves[channel.input] as WatermarkValve).inputStatus(
          this.#valveIndex[channel.index] as number,
          element.idle,
        )
      case 'barrier':
        return events.barrierArrived(channel.index, element)
      case 'cancellation':
        return events.cancellationArrived(channel.index, element.checkpointId)
      case 'endOfData':
        return this.#endData(element)
      case 'endOfPartition':
        return events.partitionEnded(channel.index)
      default:
        return element satisfies never
    }
  }

  #endData({ drain: drained, savepoint }: EndOfData): void {
    this.#end = { drained: this.#end.drained && drained, savepoint: savepoint ?? this.#end.savepoint }
    this.#channelsWithData--
    if (this.#channelsWithData === 0) this.mail(() => this.#parts.events.inputExhausted(this.#end))
  }

  /** Each behind what the last record may have left half processed. */
  #endSource(end: InputEnd): void {
    if (end.drained) this.mail(() => this.#parts.emitLastWatermark())
    this.mail(() => this.#parts.events.inputExhausted(end))
  }

  #readSource(budget: number): boolean {
    const { source, gate } = this.#parts
    if (source === undefined || this.#source !== 'reading' || gate.closed !== 0 || this.#mustWait()) return false
    switch (source.emitNext(budget)) {
      case END_OF_INPUT:
        this.#source = 'ended'
        this.#endSource({ drained: true, savepoint: null })
        return true
      case NOTHING_AVAILABLE:
        this.#source = 'waiting'
        source.available().then(
          () => this.readAgain(),
          (cause) => this.#parts.events.failed(cause),
        )
        return false
      default:
        return true
    }
  }

  /** The source may have something again. */
  readAgain(): void {
    if (this.#source !== 'waiting') return
    this.#source = 'reading'
    this.#parts.wake()
  }
}

/** Watermarks may fire timers and the end of data flushes operators: both emit. Checkpointing must go on without credit. */
function needsCredit(element: ControlElement): boolean {
  return element.type === 'watermark' || element.type === 'watermarkStatus' || element.type === 'endOfData'
}
