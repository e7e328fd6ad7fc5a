/**
 * The record side of one subtask: reads its channels or its source as its permission allows and feeds the chain. It
 * reports what it meets (barriers, ends, throws) and decides none of it.
 */
import type { CheckpointBarrier, ControlElement } from '../../elements/stream-element.ts'
import { END_OF_INPUT, type Input, NOTHING_AVAILABLE, type SourceOperator } from '../../operators/operator.ts'
import type { Channel } from './channel.ts'
import { type CapturedRange, ChannelCapture } from './channel-capture.ts'
import { ControlElements } from './control-elements.ts'
import { drain } from './drain.ts'
import { RestoredInput, type RestoredRecords } from './restored-input.ts'
import type { SubtaskGate } from './subtask-gate.ts'
import type { Runnable } from './turn-loop.ts'

/** Set by the control side from its charts, read by the loop. */
export interface Permission {
  /** The task runs: elements may be read at all. */
  running: boolean
  /** Operators prepare or a snapshot is taken: neither lane is read. */
  standstill: boolean
  /** By channel. */
  held: readonly boolean[]
  /** What was in flight at the checkpoint is processed again, and nothing else is read before that is done. */
  restoring: boolean
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
  /** `sequence`: its place among the elements of the channel. */
  barrierArrived(channel: number, barrier: CheckpointBarrier, sequence: number): void
  announcementArrived(channel: number, barrier: CheckpointBarrier, sequence: number): void
  cancellationArrived(channel: number, checkpointId: number): void
  partitionEnded(channel: number): void
  /** Told once, while `restoring`: all restored records are processed. */
  restoredConsumed(): void
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
  /** In flight at the checkpoint, in order. Taken over, and emptied. */
  readonly restored: RestoredRecords[]
  readonly events: SubtaskEvents
  wake(): void
  /** Behind a step that did something, with its begin and end on the monotonic clock. Left out: nobody measures it. */
  readonly stepped?: ((startMs: number, endMs: number) => void) | undefined
}

export class Subtask implements Runnable {
  readonly #parts: SubtaskParts
  readonly #controlElements: ControlElements
  #mails: (() => void)[] = []
  #source: 'reading' | 'waiting' | 'ended'
  #next = 0
  #restored: RestoredInput | undefined
  #restoredProcessed = 0
  workedInVain = false

  constructor(parts: SubtaskParts) {
    this.#parts = parts
    this.#restored = new RestoredInput(parts.restored, parts.inputs, parts.gate)
    this.#source = parts.source === undefined ? 'ended' : 'reading'
    this.#controlElements = new ControlElements(parts.channels, parts.inputs, parts.events, (end) =>
      this.mail(() => parts.events.inputExhausted(end)),
    )
  }

  /** Of each input of the head operator. */
  get inputWatermarks(): readonly number[] {
    return this.#controlElements.watermarks
  }

  /** Of those that were in flight at the checkpoint, how many were processed. */
  get restoredProcessed(): number {
    return this.#restoredProcessed + (this.#restored?.processed ?? 0)
  }

  stepped(startMs: number, endMs: number): void {
    this.workedInVain = false
    try {
      this.#parts.stepped?.(startMs, endMs)
    } catch (thrown) {
      // The user's logger, which is told of slow steps: no throw may reach the loop.
      this.#parts.events.failed(thrown)
    }
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

  /** The announced barrier that lies here is read next, before any record. */
  prioritise(channel: number, sequence: number): void {
    this.#parts.channels[channel]?.prioritise(sequence)
  }

  /** From now on. One checkpoint at a time: a capture that is still open is dropped. */
  startCapture(ranges: readonly CapturedRange[], changed: () => void): ChannelCapture {
    const { channels } = this.#parts
    for (const { keeper } of channels) keeper?.drop()
    return new ChannelCapture(channels, ranges, changed)
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
    if (permission.restoring) return this.#readRestored(budget) || progressed
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

  #readRestored(budget: number): boolean {
    if (this.#restored === undefined || this.#mustWait()) return false
    const read = this.#restored.feed(budget)
    if (!this.#restored.consumed || this.#mustWait()) return read
    this.#restoredProcessed = this.#restored.processed
    this.#restored = undefined
    this.#parts.events.restoredConsumed()
    return true
  }

  #readChannels(budget: number): boolean {
    const { channels, inputs, gate, permission } = this.#parts
    let progressed = this.#readPriority()
    let left = budget
    let next = this.#next
    for (let count = channels.length; count > 0 && left > 0 && !this.#mustWait(); count--) {
      const channel = channels[next] as Channel
      next = next + 1 === channels.length ? 0 : next + 1
      if (permission.held[channel.index] === true) continue
      if (gate.closed === 0) {
        if (channel.keeper !== undefined) channel.keeper.keepUpTo(channel.head + left)
        const read = drain(channel, inputs[channel.input] as Input<unknown>, left, gate)
        left -= read
        if (read > 0) {
          progressed = true
          // Whoever finds the gate closed behind it comes first the next time.
          this.#next = next
        }
      }
      const control = channel.firstControl()
      if (control === undefined || gate.insideAnElement || (gate.closed !== 0 && needsCredit(control))) continue
      const sequence = channel.head
      channel.takeControl()
      this.#controlElements.handle(channel, control, sequence)
      progressed = true
      // What the element has moved ahead comes before the records of the next channel.
      this.#readPriority()
    }
    return progressed
  }

  /** Of every channel that is not held, before any record of any. */
  #readPriority(): boolean {
    const { channels, permission } = this.#parts
    let read = false
    for (let index = 0; index < channels.length && !this.#mustWait(); index++) {
      const channel = channels[index] as Channel
      const urgent = permission.held[index] === true ? undefined : channel.takePriority()
      if (urgent === undefined) continue
      this.#controlElements.handleUrgent(channel, urgent)
      read = true
      // It may have moved something ahead on a channel that was looked at already.
      index = -1
    }
    return read
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
        // It may have emitted a lot before.
        this.workedInVain = true
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
