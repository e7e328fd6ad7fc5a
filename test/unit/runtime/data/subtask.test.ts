import { describe, expect, it } from 'vitest'
import type { Channel } from '../../../../src/runtime/data/channel.ts'
import { recordsQueued, recordsRead } from '../../../../src/runtime/data/record-counts.ts'
import { barrier, type DrivenSubtask, drivenSubtask } from './subtask-for-tests.ts'

const channelOf = ({ channels }: DrivenSubtask, index: number) => channels[index] as Channel

describe('A subtask reads what has overtaken', () => {
  it('on its last channel before a record of its first, wherever its turn is', () => {
    for (const turn of [0, 1, 2]) {
      const driven = drivenSubtask([0, 0, 0])
      for (let index = 0; index < turn; index++) channelOf(driven, index).push(`turn ${index}`, 0)
      driven.subtask.step(1)
      driven.told.length = 0
      for (const channel of driven.channels) channel.push(`record ${channel.index}`, 0)
      channelOf(driven, 2).pushPriority(barrier('unaligned'))
      driven.subtask.step(1)
      expect(driven.told[0]).toBe(`unaligned 2@${channelOf(driven, 2).tail}`)
    }
  })

  it('while an output has no credit', () => {
    const driven = drivenSubtask([0, 0])
    channelOf(driven, 0).push('a', 0)
    channelOf(driven, 1).pushPriority(barrier('unaligned'))
    driven.gate.outputFull()
    driven.rest()
    expect(driven.told).toEqual(['unaligned 1@0'])
    driven.gate.outputFree()
    driven.rest()
    expect(driven.told).toEqual(['unaligned 1@0', 'a'])
  })

  it('not inside an element, not in a standstill and not on a channel that is held', () => {
    const driven = drivenSubtask([0])
    channelOf(driven, 0).pushPriority(barrier('unaligned'))
    const work = { resume() {} }
    driven.gate.outputFull()
    driven.gate.resumeLater(work)
    driven.rest()
    driven.gate.outputFree()
    driven.permission.standstill = true
    driven.rest()
    driven.permission.standstill = false
    driven.permission.held = [true]
    driven.rest()
    expect(driven.told).toEqual([])
    driven.permission.held = []
    driven.rest()
    expect(driven.told).toEqual(['unaligned 0@0'])
  })

  it('element by element: a standstill that the first one begins keeps the second one waiting', () => {
    const driven = drivenSubtask([0, 0])
    for (const channel of driven.channels) channel.pushPriority(barrier('unaligned'))
    driven.onBarrier = () => {
      driven.permission.standstill = true
    }
    channelOf(driven, 0).push('a', 0)
    driven.rest()
    expect(driven.told).toEqual(['unaligned 0@0'])
    driven.permission.standstill = false
    driven.onBarrier = () => {}
    driven.rest()
    expect(driven.told).toEqual(['unaligned 0@0', 'unaligned 1@0', 'a'])
  })

  it('as soon as it was moved ahead, also on a channel that it has looked at already, and before the next record', () => {
    const driven = drivenSubtask([0, 0, 0])
    for (const channel of driven.channels) {
      channel.push(`record ${channel.index}`, 0)
      if (channel.index !== 1) channel.pushAnnounced(barrier('timeoutable'))
    }
    driven.onAnnouncement = (channel) => {
      if (channel !== 2) return
      for (const late of [0, 2]) driven.subtask.prioritise(late, 1)
    }
    driven.rest()
    expect(driven.told).toEqual([
      'announced 0@1',
      'announced 2@1',
      'unaligned 0@1',
      'unaligned 2@1',
      ...['record 0', 'record 1', 'record 2'],
    ])
  })

  it('when a barrier of a queue moves it ahead, before the records of the next channel', () => {
    const driven = drivenSubtask([0, 0])
    channelOf(driven, 0).pushControl(barrier('forcedAligned'))
    channelOf(driven, 1).push('a', 0)
    channelOf(driven, 1).pushAnnounced(barrier('timeoutable'))
    driven.onBarrier = (channel) => {
      if (channel === 0) driven.subtask.prioritise(1, 1)
    }
    driven.rest()
    expect(driven.told).toEqual(['announced 1@1', 'forcedAligned 0@0', 'unaligned 1@1', 'a'])
  })
})

describe('A subtask', () => {
  it('has read what came before the record that its chain throws at, and that one', () => {
    const driven = drivenSubtask([0])
    const channel = channelOf(driven, 0)
    for (const value of ['a', 'b', 'c']) channel.push(value, 0)
    const refused = new Error('refused')
    driven.onRecord = (value) => {
      if (value === 'b') throw refused
    }
    driven.subtask.step(3)
    expect(driven.told).toEqual(['a', refused])
    expect([recordsRead(channel), recordsQueued(channel)]).toEqual([2, 1])
  })

  it('tells of each barrier its place in the stream, and steps over the place of one that has moved', () => {
    const driven = drivenSubtask([0])
    const channel = channelOf(driven, 0)
    channel.pushAnnounced(barrier('timeoutable'))
    channel.push('a', 0)
    channel.pushControl(barrier('aligned', 2))
    driven.subtask.prioritise(0, 0)
    driven.rest()
    // The announcement was made before it moved.
    expect(driven.told).toEqual(['announced 0@0', 'unaligned 0@0', 'a', 'aligned 0@2'])
  })

  it('has progressed when it has read nothing but the place of a barrier that has moved: behind it there is more', () => {
    const driven = drivenSubtask([0])
    channelOf(driven, 0).pushAnnounced(barrier('timeoutable'))
    channelOf(driven, 0).push('a', 0)
    driven.onAnnouncement = (channel, _, sequence) => driven.subtask.prioritise(channel, sequence)
    driven.onBarrier = () => {
      driven.permission.standstill = true
    }
    driven.rest()
    driven.permission.standstill = false
    expect(driven.subtask.step(1)).toBe(true)
    expect(driven.told).toEqual(['announced 0@0', 'unaligned 0@0'])
    driven.rest()
    expect(driven.told).toEqual(['announced 0@0', 'unaligned 0@0', 'a'])
  })

  it('tells a sender that its data is consumed when it takes the end of it, and not before what lies in front', () => {
    const driven = drivenSubtask([0, 0])
    for (const channel of driven.channels) {
      channel.push(channel.index, 0)
      channel.pushControl({ type: 'endOfData', drain: true })
    }
    driven.permission.held = [false, true]
    driven.rest()
    expect(driven.told).toEqual([0, 'data consumed'])
    expect(driven.channels.map(({ dataConsumed }) => dataConsumed)).toEqual([true, false])
    driven.permission.held = []
    driven.rest()
    expect(driven.told).toEqual([0, 'data consumed', 1, 'data consumed', 'exhausted true'])
  })
})

describe('Restored records', () => {
  const restored = () => [
    { input: 0, values: ['a', 'b', 'c'], timestamps: [1, 2, 3] },
    { input: 1, values: [], timestamps: [] },
    { input: 1, values: ['d', 'e'], timestamps: [4, 5] },
  ]

  it('come before anything new: neither queue nor what overtakes is read before all of them are processed', () => {
    const driven = drivenSubtask([0, 1], { restored: restored() })
    driven.permission.restoring = true
    channelOf(driven, 0).push('new', 0)
    channelOf(driven, 0).pushPriority(barrier('unaligned'))
    channelOf(driven, 1).pushControl({ type: 'watermark', timestamp: 9 })
    driven.subtask.mail(() => driven.told.push('mail'))
    driven.rest()
    const before = ['mail', 'a', 'b', 'c', "d'", "e'", 'restored consumed']
    expect(driven.told).toEqual(before)
    driven.permission.restoring = false
    driven.rest()
    expect(driven.told).toEqual([...before, 'unaligned 0@1', 'new', 'watermark 9'])
  })

  it('are read within the budget of a step, across the channels of then, and let go of once they are', () => {
    const given = restored()
    const driven = drivenSubtask([0, 1], { restored: given })
    driven.permission.restoring = true
    const after = [1, 2, 3, 4].map(() => [driven.subtask.step(2), driven.told.length, given.length])
    expect(after).toEqual([
      [true, 2, 3],
      [true, 4, 1],
      [true, 6, 0],
      [false, 6, 0],
    ])
  })

  it('wait for credit and for what is interrupted inside one, and are consumed only when nothing is half done', () => {
    const driven = drivenSubtask([0, 1], { restored: restored() })
    driven.permission.restoring = true
    driven.onRecord = (value) => {
      if (value === 'b') driven.gate.outputFull()
      if (value === 'e') driven.gate.resumeLater({ resume: () => driven.told.push('rest of e') })
      if (value === 'e') driven.gate.outputFull()
    }
    driven.rest()
    expect(driven.told).toEqual(['a', 'b'])
    driven.gate.outputFree()
    driven.rest()
    expect(driven.told).toEqual(['a', 'b', 'c', "d'", "e'"])
    driven.gate.outputFree()
    driven.rest()
    expect(driven.told).toEqual(['a', 'b', 'c', "d'", "e'", 'rest of e', 'restored consumed'])
  })

  it('that are none are consumed at once, and told once', () => {
    const driven = drivenSubtask([0])
    driven.permission.restoring = true
    driven.rest()
    driven.rest()
    expect(driven.told).toEqual(['restored consumed'])
  })

  it('that throw fail the subtask like any other', () => {
    const driven = drivenSubtask([0], { restored: [{ input: 0, values: ['a'], timestamps: [0] }] })
    driven.permission.restoring = true
    const refused = new Error('refused')
    driven.onRecord = () => {
      driven.permission.running = false
      throw refused
    }
    driven.rest()
    expect(driven.told).toEqual([refused])
    expect(driven.subtask.restoredProcessed).toBe(1)
  })
})

describe('A subtask', () => {
  it('fails of what is thrown by whoever measures its steps, and not the loop that runs all of them', () => {
    const broken = new Error('the logger is broken')
    const driven = drivenSubtask([0], {
      stepped() {
        throw broken
      },
    })
    driven.subtask.stepped(0, 1)
    expect(driven.told).toEqual([broken])
  })
})
