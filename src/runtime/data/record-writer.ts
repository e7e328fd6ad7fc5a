/**
 * The end of a chain: writes the records of one subtask into the channels of one edge, each to the channels that the
 * edge's partitioner names. Everything else goes to every channel.
 */

import { StreamError } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import { takeNoNotice } from '../../base/unawaited.ts'
import type { ControlElement } from '../../elements/stream-element.ts'
import type { Partitioner } from '../../graph/job-graph.ts'
import type { Input } from '../../operators/operator.ts'
import { refusedKey } from '../../operators/refused-key.ts'
import { keyGroupOf, subtaskOfKeyGroup } from '../../state/key-groups.ts'
import type { Channel } from './channel.ts'

export interface RecordWriter extends Input<unknown> {
  readonly channels: readonly Channel[]
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
  const only = channels.length === 1 ? channels[0] : undefined
  switch (partitioner.type) {
    case 'broadcast':
      return only === undefined ? new BroadcastWriter(channels) : new SingleWriter(channels, only)
    case 'custom':
      return new SelectingWriter(channels, customSelector(partitioner.partition, channels.length))
    case 'hash':
      if (only !== undefined) return new SingleWriter(channels, only)
      return new SelectingWriter(
        channels,
        hashSelector(partitioner.keySelector, options.maxParallelism, channels.length, options.receiver),
      )
    case 'shuffle':
      if (only !== undefined) return new SingleWriter(channels, only)
      return new SelectingWriter(channels, () => Math.floor(options.random.next() * channels.length))
    case 'rebalance':
    case 'rescale':
      if (only !== undefined) return new SingleWriter(channels, only)
      return new RoundRobinWriter(channels, partitioner.type === 'rebalance' ? options.sender % channels.length : 0)
    case 'forward':
    case 'global':
      return new SingleWriter(channels, channels[0] as Channel)
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

abstract class EveryChannel {
  readonly channels: readonly Channel[]

  constructor(channels: readonly Channel[]) {
    this.channels = channels
  }

  processWatermark(timestamp: number): void {
    this.writeControl({ type: 'watermark', timestamp })
  }

  processWatermarkStatus(idle: boolean): void {
    this.writeControl({ type: 'watermarkStatus', idle })
  }

  writeControl(element: ControlElement): void {
    for (const channel of this.channels) channel.pushControl(element)
  }
}

class SingleWriter extends EveryChannel implements RecordWriter {
  readonly #channel: Channel

  constructor(channels: readonly Channel[], channel: Channel) {
    super(channels)
    this.#channel = channel
  }

  processElement(value: unknown, timestamp: number): void {
    this.#channel.push(value, timestamp)
  }
}

class RoundRobinWriter extends EveryChannel implements RecordWriter {
  #next: number

  constructor(channels: readonly Channel[], first: number) {
    super(channels)
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

  constructor(channels: readonly Channel[], select: (value: unknown) => number) {
    super(channels)
    this.#select = select
  }

  processElement(value: unknown, timestamp: number): void {
    ;(this.channels[this.#select(value)] as Channel).push(value, timestamp)
  }
}

class BroadcastWriter extends EveryChannel implements RecordWriter {
  processElement(value: unknown, timestamp: number): void {
    for (let index = 0; index < this.channels.length; index++) (this.channels[index] as Channel).push(value, timestamp)
  }
}
