import { describe, expect, it } from 'vitest'
import { defaultSerializer, type Serializer } from '../../../../src/elements/serializer.ts'
import type { Gate, Input } from '../../../../src/operators/operator.ts'
import { Channel } from '../../../../src/runtime/data/channel.ts'
import { drain } from '../../../../src/runtime/data/drain.ts'
import { ProcessedBytes } from '../../../../src/runtime/data/processed-bytes.ts'

const gate: Gate = { closed: 0 }
const nowhere: Input<unknown> = { processElement() {}, processWatermark() {}, processWatermarkStatus() {} }

function channelOf(values: readonly unknown[]): Channel {
  const channel = new Channel({
    ...{ credit: 64, input: 0, index: 0 },
    sender: { outputFull() {}, outputFree() {}, dataConsumed() {} },
    receiver: { wake() {} },
  })
  for (const value of values) channel.push(value, 0)
  return channel
}

/** As many bytes as the number says. */
const sized = (looked: number[] = []): Serializer<unknown> => ({
  id: 'sized',
  version: 1,
  serialize(value) {
    looked.push(value as number)
    return new Uint8Array(value as number)
  },
  deserialize: () => undefined,
})

const read = (channel: Channel, records: number) => drain(channel, nowhere, records, gate)

describe('The bytes that are processed during alignment', () => {
  it('are the number of records, which is exact, times the mean size of some of them', () => {
    const [first, second] = [channelOf([10, 10, 30, 50]), channelOf([70, 90])]
    const processed = new ProcessedBytes([first, second], [sized(), sized()])
    read(first, 1)
    processed.start(1)
    read(first, 2)
    expect(processed.end(1)).toBe(2 * 20)
    processed.start(2)
    read(first, 1)
    read(second, 2)
    expect(processed.end(2)).toBe(50 + 70 + 90)
  })

  it('count no control element as a record', () => {
    const channel = channelOf([10])
    channel.pushControl({ type: 'watermark', timestamp: 1 })
    channel.push(20, 0)
    const processed = new ProcessedBytes([channel], [sized()])
    processed.start(1)
    read(channel, 9)
    channel.takeControl()
    read(channel, 9)
    expect(processed.end(1)).toBe(2 * 10)
  })

  it('are 0 where nothing was processed, or another checkpoint is measured', () => {
    const looked: number[] = []
    const channel = channelOf([10, 20])
    const processed = new ProcessedBytes([channel], [sized(looked)])
    expect(processed.end(1)).toBe(0)
    processed.start(1)
    expect(processed.end(1)).toBe(0)
    processed.start(2)
    read(channel, 1)
    expect(processed.end(1)).toBe(0)
    expect(processed.end(2)).toBe(10)
    expect(processed.end(2)).toBe(0)
    expect(looked).toEqual([10])
  })

  it('are looked at in eight records at most, of every channel, and in fewer where they are large', () => {
    const looked: number[] = []
    const channels = [channelOf(Array(40).fill(1)), channelOf(Array(40).fill(3))]
    const processed = new ProcessedBytes(channels, [sized(looked), sized(looked)])
    processed.start(1)
    for (const channel of channels) read(channel, 40)
    expect(processed.end(1)).toBe(80 * 2)
    expect(looked).toEqual([1, 3, 1, 3, 1, 3, 1, 3])
    looked.length = 0
    const large = channelOf(Array(8).fill(60_000))
    const few = new ProcessedBytes([large], [sized(looked)])
    few.start(1)
    read(large, 8)
    expect(few.end(1)).toBe(8 * 60_000)
    expect(looked).toHaveLength(2)
  })

  it('are taken from what comes next where nothing was queued, else from the measurement before', () => {
    const channel = channelOf([])
    const processed = new ProcessedBytes([channel], [sized()])
    const measure = (checkpointId: number, arriving: readonly number[], reading: number) => {
      processed.start(checkpointId)
      for (const value of arriving) channel.push(value, 0)
      read(channel, reading)
      return processed.end(checkpointId)
    }
    expect(measure(1, [10, 10], 2)).toBe(0)
    expect(measure(2, [10, 10, 40], 2)).toBe(2 * 40)
    read(channel, 1)
    expect(measure(3, [7, 7, 7], 3)).toBe(3 * 40)
  })

  it('are of the records whose serializer takes them', () => {
    const channel = channelOf([() => {}, 'four', () => {}])
    const processed = new ProcessedBytes([channel], [defaultSerializer()])
    processed.start(1)
    read(channel, 3)
    expect(processed.end(1)).toBe(3 * defaultSerializer().serialize('four').length)
  })
})
