/**
 * The end of a chain: writes the records of one subtask into the channels of one edge, each to the channels that the
 * edge's partitioner names. Everything else goes to every channel.
 */

import { StreamError } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import { takeNoNotice } from '../../base/unawaited.ts'
import { type CheckpointBarrier, type ControlElement, MIN_WATERMARK } from '../../elements/stream-element.ts'
import type { Partitioner } from '../../graph/job-graph.ts'
import type { Input } from '../../operators/operator.ts'
import { refusedKey } from '../../operators/refused-key.ts'
import { keyGroupOf, subtaskOfKeyGroup } from '../../state/key-groups.ts'
import type { Channel } from './channel.ts'
import { overtakes } from './partition-targets.ts'

export interface RecordWriter extends Input<unknown> {
  readonly channels: readonly Channel[]
  /** Each record goes to all channels. */
  readonly broadcast: boolean
  /** The last one that went out. */
  readonly watermark: number
  writeControl(element: ControlElement): void
}

export interface RecordWriterOptions {
  readonly partitioner: Partitioner
  readonly channels: readonly Channel[]
  readonly sender: number
  /** Of the receiving vertex. */
  readonly maxParallelism: number
  readonly random: Random
  /** Name of the receiving vertex, for messages. */
  readonly receiver?: string | undefined
}

export function recordWriter(options: RecordWriterOptions): RecordWriter {
  const { partitioner, channels } = options
  const ends: Ends = { channels, overtaken: overtakes(partitioner) }
  const only = channels.length === 1 ? channels[0] : undefined
  switch (partitioner.type) {
    case 'broadcast':
      return only === undefined ? new BroadcastWriter(ends) : new SingleWriter(ends, only)
    case 'custom':
      return new SelectingWriter(ends, customSelector(partitioner.partition, channels.length))
    case 'hash':
      if (only !== undefined) return new SingleWriter(ends, only)
      return new SelectingWriter(
        ends,
        hashSelector(partitioner.keySelector, options.maxParallelism, channels.length, options.receiver),
      )
    case 'shuffle':
      if (only !== undefined) return new SingleWriter(ends, only)
      return new SelectingWriter(ends, () => Math.floor(options.random.next() * channels.length))
    case 'rebalance':
    case 'rescale':
      if (only !== undefined) return new SingleWriter(ends, only)
      return new RoundRobinWriter(ends, partitioner.type === 'rebalance' ? options.sender % channels.length : 0)
    case 'forward':
    case 'global':
      return new SingleWriter(ends, channels[0] as Channel)
    default:
      return partitioner satisfies never
  }
}

/** The key group decides the subtask; a table spares the division per record. */
function hashSelector(
  keySelector: (value: never) => unknown,
  maxParallelism: number,
  parallelism: number,
  receiver = '',
): (value: unknown) => number {
  const select = keySelector as (value: unknown) => unknown
  const channelOf = Uint16Array.from({ length: maxParallelism }, (_, group) =>
    subtaskOfKeyGroup(group, maxParallelism, parallelism),
  )
  return (value) => {
    const key = select(value)
    try {
      return channelOf[keyGroupOf(key, maxParallelism)] as number
    } catch (thrown) {
      // It cannot be a key.
      throw refusedKey(thrown, receiver)
    }
  }
}

function customSelector(
  partition: (value: never, numPartitions: number) => number,
  parallelism: number,
): (value: unknown) => number {
  const select = partition as (value: unknown, numPartitions: number) => number
  return (value) => {
    const chosen = select(value, parallelism)
    if (Number.isInteger(chosen) && chosen >= 0 && chosen < parallelism) return chosen
    takeNoNotice(chosen)
    throw new StreamError('PARTITION_INVALID', {
      message: `A custom partitioner chose partition ${String(chosen)}, and there are ${parallelism}.`,
      hint: `Return a whole number from 0 to ${parallelism - 1}.`,
      details: { chosen: String(chosen), numPartitions: parallelism },
    })
  }
}

interface Ends {
  readonly channels: readonly Channel[]
  /** By barriers. */
  readonly overtaken: boolean
}

abstract class EveryChannel {
  readonly channels: readonly Channel[]
  readonly broadcast: boolean = false
  watermark = MIN_WATERMARK
  readonly #overtaken: boolean

  constructor({ channels, overtaken }: Ends) {
    this.channels = channels
    this.#overtaken = overtaken
  }

  processWatermark(timestamp: number): void {
    this.writeControl({ type: 'watermark', timestamp })
  }

  processWatermarkStatus(idle: boolean): void {
    this.writeControl({ type: 'watermarkStatus', idle })
  }

  writeControl(element: ControlElement): void {
    if (element.type === 'barrier') return this.#writeBarrier(element)
    if (element.type === 'watermark') this.watermark = element.timestamp
    for (const channel of this.channels) channel.pushControl(element)
  }

  #writeBarrier(barrier: CheckpointBarrier): void {
    const { mode } = barrier
    if (mode !== 'unaligned' && mode !== 'timeoutable') {
      for (const channel of this.channels) channel.pushControl(barrier)
    } else if (!this.#overtaken) {
      const aligned: CheckpointBarrier = { ...barrier, mode: 'forcedAligned' }
      for (const channel of this.channels) channel.pushControl(aligned)
    } else {
      for (const channel of this.channels)
        mode === 'unaligned' ? channel.pushPriority(barrier) : channel.pushAnnounced(barrier)
    }
  }
}

class SingleWriter extends EveryChannel implements RecordWriter {
  readonly #channel: Channel

  constructor(ends: Ends, channel: Channel) {
    super(ends)
    this.#channel = channel
  }

  processElement(value: unknown, timestamp: number): void {
    this.#channel.push(value, timestamp)
  }
}

class RoundRobinWriter extends EveryChannel implements RecordWriter {
  #next: number

  constructor(ends: Ends, first: number) {
    super(ends)
    this.#next = first
  }

  processElement(value: unknown, timestamp: number): void {
    const channel = this.channels[this.#next] as Channel
    this.#next = this.#next + 1 === this.channels.length ? 0 : this.#next + 1
    channel.push(value, timestamp)
  }
}

class SelectingWriter extends EveryChannel implements RecordWriter {
  readonly #select: (value: unknown) => number

  constructor(ends: Ends, select: (value: unknown) => number) {
    super(ends)
    this.#select = select
  }

  processElement(value: unknown, timestamp: number): void {
    ;(this.channels[this.#select(value)] as Channel).push(value, timestamp)
  }
}

class BroadcastWriter extends EveryChannel implements RecordWriter {
  override readonly broadcast = true

  processElement(value: unknown, timestamp: number): void {
    for (let index = 0; index < this.channels.length; index++) (this.channels[index] as Channel).push(value, timestamp)
  }
}
