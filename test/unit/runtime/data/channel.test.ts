import { describe, expect, it } from 'vitest'
import { type CheckpointBarrier, NO_TIMESTAMP } from '../../../../src/elements/stream-element.ts'
import type { Gate, Input } from '../../../../src/operators/operator.ts'
import { Channel } from '../../../../src/runtime/data/channel.ts'
import { drain } from '../../../../src/runtime/data/drain.ts'

function fixture(credit = 4) {
  const told: string[] = []
  const channel = new Channel({
    credit,
    input: 0,
    index: 0,
    sender: {
      outputFull: () => told.push('full'),
      outputFree: () => told.push('free'),
      dataConsumed: () => told.push('data consumed'),
    },
    receiver: { wake: () => told.push('wake') },
  })
  const read: unknown[] = []
  const gate: Gate = { closed: 0 }
  const input: Input<unknown> = {
    processElement: (value) => read.push(value),
    processWatermark() {},
    processWatermarkStatus() {},
  }
  return { channel, told, read, gate, input }
}

function barrier(mode: CheckpointBarrier['mode']): CheckpointBarrier {
  return { type: 'barrier', checkpointId: 7, timestamp: 0, kind: 'checkpoint', mode }
}

describe('A channel', () => {
  it('hands records on in the order in which they came', () => {
    const { channel, read, gate, input } = fixture()
    for (const value of ['a', 'b', 'c']) channel.push(value, NO_TIMESTAMP)
    expect(drain(channel, input, 10, gate)).toBe(3)
    expect(read).toEqual(['a', 'b', 'c'])
  })

  it('takes the credit away when it is full, and gives it back when half of it is free', () => {
    const { channel, told, gate, input } = fixture(4)
    for (let index = 0; index < 4; index++) channel.push(index, 0)
    expect(told).toEqual(['wake', 'full'])
    drain(channel, input, 1, gate)
    expect(told).toEqual(['wake', 'full'])
    drain(channel, input, 1, gate)
    expect(told).toEqual(['wake', 'full', 'free'])
  })

  it('takes what one call overshoots, in order, and forgets the room when it is empty', () => {
    const { channel, read, gate, input } = fixture(2)
    for (let index = 0; index < 1000; index++) channel.push(index, index)
    expect(channel.size).toBe(1000)
    drain(channel, input, 10_000, gate)
    expect(read).toEqual(Array.from({ length: 1000 }, (_, index) => index))
    expect(channel.mask).toBe(1)
  })

  it('has room for its credit from when that is needed, and little before', () => {
    const { channel, read, gate, input } = fixture(1000)
    expect(channel.values.length).toBeLessThan(20)
    for (let index = 0; index < 1000; index++) channel.push(index, index)
    drain(channel, input, 10_000, gate)
    expect(read).toEqual(Array.from({ length: 1000 }, (_, index) => index))
    expect(channel.values.length).toBe(1024)
  })

  it('keeps the timestamp of each record', () => {
    const { channel, gate } = fixture()
    const stamps: number[] = []
    channel.push('a', 17)
    channel.push('b', NO_TIMESTAMP)
    drain(
      channel,
      { processElement: (_, at) => stamps.push(at), processWatermark() {}, processWatermarkStatus() {} },
      9,
      gate,
    )
    expect(stamps).toEqual([17, NO_TIMESTAMP])
  })

  it('stops a drain before every control element', () => {
    const { channel, read, gate, input } = fixture(100)
    channel.push('a', 0)
    channel.pushControl({ type: 'watermark', timestamp: 1 })
    channel.pushControl({ type: 'watermarkStatus', idle: true })
    channel.push('b', 0)
    drain(channel, input, 10, gate)
    expect(read).toEqual(['a'])
    expect(channel.firstControl()).toEqual({ type: 'watermark', timestamp: 1 })
    channel.takeControl()
    expect(drain(channel, input, 10, gate)).toBe(0)
    channel.takeControl()
    drain(channel, input, 10, gate)
    expect(read).toEqual(['a', 'b'])
    expect(channel.firstControl()).toBeUndefined()
  })

  it('does not grow with watermarks between which there is no record', () => {
    const { channel, read, gate, input } = fixture(100)
    for (let timestamp = 1; timestamp <= 1000; timestamp++) channel.pushControl({ type: 'watermark', timestamp })
    expect(channel.size).toBe(1)
    channel.push('a', 0)
    channel.pushControl({ type: 'watermark', timestamp: 1001 })
    channel.pushControl({ type: 'watermark', timestamp: 1002 })
    expect(channel.size).toBe(3)
    expect(channel.firstControl()).toEqual({ type: 'watermark', timestamp: 1000 })
    channel.takeControl()
    drain(channel, input, 10, gate)
    expect(read).toEqual(['a'])
    expect(channel.firstControl()).toEqual({ type: 'watermark', timestamp: 1002 })
  })

  it('lets an unaligned barrier overtake the queue, and tells its place in the stream', () => {
    const { channel, told } = fixture(2)
    channel.push('a', 0)
    channel.push('b', 0)
    told.length = 0
    channel.pushPriority(barrier('unaligned'))
    channel.push('c', 0)
    expect(told).toEqual(['wake'])
    expect(channel.takePriority()).toEqual({ element: barrier('unaligned'), sequence: 2 })
    expect(channel.takePriority()).toBeUndefined()
    expect([channel.head, channel.tail, channel.nextControl]).toEqual([0, 3, Number.POSITIVE_INFINITY])
  })

  it('announces a barrier that lies in the queue', () => {
    const { channel } = fixture()
    channel.push('a', 0)
    channel.pushAnnounced(barrier('timeoutable'))
    expect(channel.takePriority()).toEqual({
      element: { type: 'announcement', barrier: barrier('timeoutable'), sequence: 1 },
      sequence: 1,
    })
    expect(channel.takePriority()).toBeUndefined()
    expect(channel.nextControl).toBe(1)
  })

  it('moves an announced barrier ahead, as an unaligned one, and leaves a tombstone in its place', () => {
    const { channel, read, gate, input } = fixture()
    channel.push('a', 0)
    channel.pushAnnounced(barrier('timeoutable'))
    channel.push('b', 0)
    channel.takePriority()
    channel.prioritise(1)
    expect(channel.takePriority()).toEqual({ element: barrier('unaligned'), sequence: 1 })
    drain(channel, input, 10, gate)
    expect(read).toEqual(['a'])
    expect(channel.firstControl()).toEqual({ type: 'tombstone' })
    channel.takeControl()
    drain(channel, input, 10, gate)
    expect(read).toEqual(['a', 'b'])
  })

  it('moves no barrier ahead that was taken, that has moved already, or of which another element has the slot by now', () => {
    const { channel, gate, input } = fixture(2)
    channel.push('a', 0)
    channel.pushAnnounced(barrier('timeoutable'))
    channel.prioritise(1)
    channel.takePriority()
    channel.takePriority()
    channel.prioritise(1)
    expect(channel.takePriority()).toBeUndefined()
    drain(channel, input, 10, gate)
    channel.takeControl()
    channel.prioritise(1)
    channel.push('b', 0)
    channel.pushControl(barrier('aligned'))
    expect(channel.mask).toBe(1)
    channel.prioritise(1)
    channel.prioritise(5)
    expect(channel.takePriority()).toBeUndefined()
    expect(channel.nextControl).toBe(3)
  })

  it('keeps a watermark on its side of a barrier in the queue, and of a barrier that has moved', () => {
    const { channel } = fixture(100)
    channel.pushControl({ type: 'watermark', timestamp: 1 })
    channel.pushAnnounced(barrier('timeoutable'))
    channel.pushControl({ type: 'watermark', timestamp: 2 })
    channel.prioritise(1)
    channel.pushControl({ type: 'watermark', timestamp: 3 })
    expect(channel.values.slice(channel.head, channel.tail)).toEqual([
      { type: 'watermark', timestamp: 1 },
      { type: 'tombstone' },
      { type: 'watermark', timestamp: 3 },
    ])
  })

  it('tells its sender when the end of the data was taken', () => {
    const { channel, told } = fixture()
    expect(channel.dataConsumed).toBe(false)
    channel.acknowledgeData()
    expect(channel.dataConsumed).toBe(true)
    expect(told).toEqual(['data consumed'])
  })

  it('numbers its elements: a control element counts like a record', () => {
    const { channel } = fixture(100)
    channel.push('a', 0)
    channel.pushControl({ type: 'endOfPartition' })
    channel.push('b', 0)
    expect([channel.head, channel.nextControl, channel.tail]).toEqual([0, 1, 3])
    expect(channel.controlsRead).toBe(0)
    channel.head = 1
    channel.takeControl()
    expect(channel.controlsRead).toBe(1)
  })
})

describe('A drain', () => {
  it('reads no more than its budget', () => {
    const { channel, read, gate, input } = fixture(100)
    for (let index = 0; index < 10; index++) channel.push(index, 0)
    expect(drain(channel, input, 3, gate)).toBe(3)
    expect(read).toEqual([0, 1, 2])
  })

  it('stops behind the record that closed the gate', () => {
    const { channel, gate, read } = fixture(100)
    for (let index = 0; index < 10; index++) channel.push(index, 0)
    const closing: Input<unknown> = {
      processElement(value) {
        read.push(value)
        if (value === 4) gate.closed = 1
      },
      processWatermark() {},
      processWatermarkStatus() {},
    }
    expect(drain(channel, closing, 100, gate)).toBe(5)
    expect(drain(channel, closing, 100, gate)).toBe(0)
    gate.closed = 0
    drain(channel, closing, 100, gate)
    expect(read).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })
})
