/**
 * What a subtask does with the control elements of its channels: time goes into the operator, everything else is told. It
 * decides nothing about barriers.
 */
import type { ControlElement, EndOfData } from '../../elements/stream-element.ts'
import type { Input } from '../../operators/operator.ts'
import type { Channel, Urgent } from './channel.ts'
import type { InputEnd, SubtaskEvents } from './subtask.ts'
import { WatermarkValve } from './watermark-valve.ts'

export class ControlElements {
  readonly #events: SubtaskEvents
  readonly #dataEnded: (end: InputEnd) => void
  readonly #valves: readonly WatermarkValve[]
  /** Of each channel, its number among the channels of its input. */
  readonly #valveIndex: readonly number[]
  #channelsWithData: number
  #end: InputEnd = { drained: true, savepoint: null }

  /** `dataEnded`: the last channel has brought the end of its data. */
  constructor(
    channels: readonly Channel[],
    inputs: readonly Input<unknown>[],
    events: SubtaskEvents,
    dataEnded: (end: InputEnd) => void,
  ) {
    this.#events = events
    this.#dataEnded = dataEnded
    this.#channelsWithData = channels.length
    this.#valveIndex = channels.map(
      (channel, index) => channels.slice(0, index).filter((other) => other.input === channel.input).length,
    )
    this.#valves = inputs.map(
      (input, index) => new WatermarkValve(channels.filter((channel) => channel.input === index).length, input),
    )
  }

  /** By input of the operator. */
  get watermarks(): readonly number[] {
    return this.#valves.map(({ watermark }) => watermark)
  }

  /** Taken out of the queue, where it had this place. */
  handle(channel: Channel, element: ControlElement, sequence: number): void {
    switch (element.type) {
      case 'watermark':
        return this.#valveOf(channel).inputWatermark(this.#valveIndex[channel.index] as number, element.timestamp)
      case 'watermarkStatus':
        return this.#valveOf(channel).inputStatus(this.#valveIndex[channel.index] as number, element.idle)
      case 'barrier':
        return this.#events.barrierArrived(channel.index, element, sequence)
      case 'cancellation':
        return this.#events.cancellationArrived(channel.index, element.checkpointId)
      case 'endOfData':
        return this.#endData(channel, element)
      case 'endOfPartition':
        return this.#events.partitionEnded(channel.index)
      case 'tombstone':
        return
      default:
        return element satisfies never
    }
  }

  handleUrgent({ index }: Channel, { element, sequence }: Urgent): void {
    if (element.type === 'barrier') this.#events.barrierArrived(index, element, sequence)
    else this.#events.announcementArrived(index, element.barrier, sequence)
  }

  #endData(channel: Channel, { drain: drained, savepoint }: EndOfData): void {
    channel.acknowledgeData()
    this.#end = { drained: this.#end.drained && drained, savepoint: savepoint ?? this.#end.savepoint }
    this.#channelsWithData--
    if (this.#channelsWithData === 0) this.#dataEnded(this.#end)
  }

  #valveOf({ input }: Channel): WatermarkValve {
    return this.#valves[input] as WatermarkValve
  }
}
