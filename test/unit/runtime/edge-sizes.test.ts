import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import type { Serializer } from '../../../src/elements/serializer.ts'
import type { JobGraph } from '../../../src/graph/job-graph.ts'
import { Channel } from '../../../src/runtime/data/channel.ts'
import { drain } from '../../../src/runtime/data/drain.ts'
import { recordsPut, recordsQueued, recordsRead } from '../../../src/runtime/data/record-counts.ts'
import { EdgeSizes, GrowingBytes } from '../../../src/runtime/edge-sizes.ts'

function channelOf(values: readonly unknown[]): Channel {
  const channel = new Channel({
    ...{ credit: 16, input: 0, index: 0 },
    sender: { outputFull() {}, outputFree() {}, dataConsumed() {} },
    receiver: { wake() {} },
  })
  for (const value of values) channel.push(value, 0)
  return channel
}

const nowhere = { processElement() {}, processWatermark() {}, processWatermarkStatus() {} }
const read = (channel: Channel, records: number) => drain(channel, nowhere, records, { closed: 0 })

/** Records are as large as their number says; looking at one takes time. */
function fixture(tookMs = 0) {
  const clock = new VirtualClock()
  const looked: unknown[] = []
  const serializer: Serializer<unknown> = {
    id: 'sized',
    version: 1,
    serialize(value) {
      if (typeof value !== 'number') throw new Error('no size')
      looked.push(value)
      clock.skip(tookMs)
      return new Uint8Array(value)
    },
    deserialize: () => undefined,
  }
  const edges = [{ from: 0, to: 1, input: 0, partitioner: { type: 'rebalance' }, serializer }] as const
  const graph: JobGraph = { vertices: [], edges, hash: '' }
  return { clock, looked, sizes: new EdgeSizes(graph, clock) }
}

describe('The size of the records of an edge', () => {
  it('is that of its newest records, also where they were read already', () => {
    const { sizes } = fixture()
    const channel = channelOf([10, 20])
    channel.pushControl({ type: 'watermark', timestamp: 1 })
    read(channel, 9)
    channel.takeControl()
    expect(channel.size).toBe(0)
    expect(sizes.meanBytes(0, [channel])).toBe(15)
  })

  it('is looked at in eight records at most, and at most once a second', () => {
    const { clock, looked, sizes } = fixture()
    const channel = channelOf(Array.from({ length: 16 }, (_, index) => index))
    expect(sizes.meanBytes(0, [channel])).toBe((8 + 15) / 2)
    clock.skip(999)
    channel.push(1000, 0)
    expect(sizes.meanBytes(0, [channel])).toBe((8 + 15) / 2)
    expect(looked).toHaveLength(8)
    clock.skip(1)
    expect(sizes.meanBytes(0, [channel])).toBeGreaterThan(100)
  })

  it('is asked of a serializer that refuses every record at most once a second too', () => {
    const { clock, looked, sizes } = fixture()
    const channel = channelOf(['refused'])
    expect(sizes.meanBytes(0, [channel])).toBeUndefined()
    channel.push(10, 0)
    expect(sizes.meanBytes(0, [channel])).toBeUndefined()
    expect(looked).toEqual([])
    clock.skip(1000)
    expect(sizes.meanBytes(0, [channel])).toBe(10)
  })

  it('is looked at seldom where looking takes long', () => {
    const { clock, looked, sizes } = fixture(50)
    const channel = channelOf([10])
    sizes.meanBytes(0, [channel])
    clock.skip(4_999)
    sizes.meanBytes(0, [channel])
    expect(looked).toHaveLength(1)
    clock.skip(1)
    sizes.meanBytes(0, [channel])
    expect(looked).toHaveLength(2)
  })

  it('is not known before a record has one, and stays where later ones have none', () => {
    const { clock, sizes } = fixture()
    expect(sizes.meanBytes(0, [channelOf([]), channelOf(['no size'])])).toBeUndefined()
    clock.skip(1_000)
    expect(sizes.meanBytes(0, [channelOf([4])])).toBe(4)
    clock.skip(1_000)
    expect(sizes.meanBytes(0, [channelOf(['no size'])])).toBe(4)
  })

  it('makes bytes that only grow, and count the first records when a size is known', () => {
    const bytes = new GrowingBytes()
    expect(bytes.of(100, undefined)).toBe(0)
    expect(bytes.of(100, 10)).toBe(1_000)
    expect(bytes.of(110, 1)).toBe(1_010)
    expect(bytes.of(110, 500)).toBe(1_010)
  })
})

describe('The records of a channel', () => {
  it('are shown newest first, without its control elements, also when they were read', () => {
    const channel = channelOf(['a', 'b'])
    channel.pushControl({ type: 'watermark', timestamp: 1 })
    channel.push('c', 0)
    read(channel, 2)
    channel.takeControl()
    channel.pushControl({ type: 'watermark', timestamp: 2 })
    expect(channel.newest(8)).toEqual(['c', 'b', 'a'])
    expect(channel.newest(2)).toEqual(['c', 'b'])
    for (let index = 0; index < 16; index++) {
      channel.push(index, 0)
      read(channel, 1)
      if (channel.firstControl() !== undefined) channel.takeControl()
    }
    expect(channel.newest(99)).not.toContain('c')
  })

  it('are counted without its control elements, read and queued ones', () => {
    const channel = channelOf([1, 2])
    channel.pushControl({ type: 'watermark', timestamp: 1 })
    channel.push(3, 0)
    channel.pushControl({ type: 'watermark', timestamp: 2 })
    channel.pushControl({ type: 'endOfPartition' })
    const counts = () => [recordsRead(channel), recordsQueued(channel), recordsPut(channel)]
    expect(counts()).toEqual([0, 3, 3])
    read(channel, 1)
    expect(counts()).toEqual([1, 2, 3])
    read(channel, 5)
    channel.takeControl()
    expect(counts()).toEqual([2, 1, 3])
    read(channel, 5)
    channel.takeControl()
    channel.takeControl()
    expect(counts()).toEqual([3, 0, 3])
  })
})
