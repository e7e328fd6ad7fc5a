import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../../src/base/random.ts'
import type { CheckpointBarrier } from '../../../../src/elements/stream-element.ts'
import type { Partitioner } from '../../../../src/graph/job-graph.ts'
import { Channel } from '../../../../src/runtime/data/channel.ts'
import { isTarget, overtakes, partitionTargets } from '../../../../src/runtime/data/partition-targets.ts'
import { recordWriter } from '../../../../src/runtime/data/record-writer.ts'
import { keyGroupOf, subtaskOfKeyGroup } from '../../../../src/state/key-groups.ts'

const nobody = { outputFull() {}, outputFree() {}, dataConsumed() {}, wake() {} }

/** What each of `receivers` channels holds after `values` went through a writer. */
function written(partitioner: Partitioner, receivers: number, values: readonly unknown[], sender = 0): unknown[][] {
  const channels = Array.from(
    { length: receivers },
    (_, index) => new Channel({ credit: 1000, input: 0, index, sender: nobody, receiver: nobody }),
  )
  const writer = recordWriter({ partitioner, channels, sender, maxParallelism: 128, random: seededRandom(1) })
  for (const value of values) writer.processElement(value, 0)
  return channels.map((channel) => channel.values.slice(0, channel.tail))
}

describe('A writer sends', () => {
  it('with rebalance to one channel after the other', () => {
    expect(written({ type: 'rebalance' }, 3, [1, 2, 3, 4, 5])).toEqual([[1, 4], [2, 5], [3]])
  })

  it('with broadcast everything to everybody', () => {
    expect(written({ type: 'broadcast' }, 2, ['a', 'b'])).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ])
  })

  it('with global everything to the first', () => {
    expect(written({ type: 'global' }, 3, ['a', 'b'])).toEqual([['a', 'b'], [], []])
  })

  it('with hash every key to the subtask that has its key group', () => {
    const keys = Array.from({ length: 200 }, (_, index) => `key-${index}`)
    const channels = written({ type: 'hash', keySelector: (value: never) => value }, 3, keys)
    for (const [subtask, held] of channels.entries())
      for (const key of held) expect(subtaskOfKeyGroup(keyGroupOf(key, 128), 128, 3)).toBe(subtask)
    expect(channels.flat()).toHaveLength(200)
    for (const held of channels) expect(held.length).toBeGreaterThan(30)
  })

  it('with shuffle to all of them', () => {
    for (const held of written(
      { type: 'shuffle' },
      3,
      Array.from({ length: 300 }, (_, index) => index),
    ))
      expect(held.length).toBeGreaterThan(60)
  })

  it('with a custom partitioner where that says', () => {
    expect(written({ type: 'custom', partition: (value: number) => value % 2 } as Partitioner, 2, [1, 2, 3])).toEqual([
      [2],
      [1, 3],
    ])
  })

  it('nowhere when a custom partitioner names a partition that does not exist', () => {
    for (const chosen of [2, -1, 0.5, Number.NaN, undefined])
      expect(() => written({ type: 'custom', partition: () => chosen as number } as Partitioner, 2, ['x'])).toThrow(
        expect.objectContaining({ code: 'PARTITION_INVALID' }),
      )
  })

  it('control elements to every channel, whatever the partitioner', () => {
    const channels = [0, 1].map(
      (index) => new Channel({ credit: 9, input: 0, index, sender: nobody, receiver: nobody }),
    )
    const writer = recordWriter({
      partitioner: { type: 'global' },
      channels,
      sender: 0,
      maxParallelism: 128,
      random: seededRandom(1),
    })
    writer.processWatermark(5)
    writer.writeControl({ type: 'endOfPartition' })
    for (const channel of channels) expect(channel.firstControl()).toEqual({ type: 'watermark', timestamp: 5 })
  })
})

const HASH: Partitioner = { type: 'hash', keySelector: (value: never) => value }
const CUSTOM: Partitioner = { type: 'custom', partition: () => 0 }
const OVERTAKEN: readonly Partitioner[] = [{ type: 'rebalance' }, { type: 'shuffle' }, { type: 'global' }, HASH, CUSTOM]
const NOT_OVERTAKEN: readonly Partitioner[] = [{ type: 'forward' }, { type: 'rescale' }, { type: 'broadcast' }]

/** Where a barrier comes out behind a record, on each of `receivers` channels: in which lane, at which place, as what. */
function barrierWritten(partitioner: Partitioner, mode: CheckpointBarrier['mode'], receivers: number): string[] {
  const channels = Array.from(
    { length: receivers },
    (_, index) => new Channel({ credit: 9, input: 0, index, sender: nobody, receiver: nobody }),
  )
  for (const channel of channels) channel.push('record', 0)
  const writer = recordWriter({ partitioner, channels, sender: 0, maxParallelism: 128, random: seededRandom(1) })
  writer.writeControl({ type: 'barrier', checkpointId: 1, timestamp: 0, kind: 'checkpoint', mode })
  return channels.map((channel) => {
    const urgent = channel.takePriority()
    channel.head++
    const queued = channel.firstControl()
    expect(channel.takePriority()).toBeUndefined()
    return [
      urgent === undefined ? '' : `${urgent.element.type}@${urgent.sequence}`,
      queued?.type === 'barrier' ? queued.mode : '',
    ].join(' ')
  })
}

describe('A barrier', () => {
  for (const receivers of [1, 3]) {
    const everywhere = (what: string) => Array.from({ length: receivers }, () => what)

    it(`overtakes on ${receivers} channels of an edge that deals records out, and not where they are bound or doubled`, () => {
      for (const partitioner of OVERTAKEN) {
        expect(overtakes(partitioner)).toBe(true)
        expect(barrierWritten(partitioner, 'unaligned', receivers)).toEqual(everywhere('barrier@1 '))
      }
      for (const partitioner of NOT_OVERTAKEN) {
        expect(overtakes(partitioner)).toBe(false)
        expect(barrierWritten(partitioner, 'unaligned', receivers)).toEqual(everywhere(' forcedAligned'))
      }
    })

    it(`that may time out is announced on ${receivers} channels where it may overtake, and nowhere else`, () => {
      for (const partitioner of OVERTAKEN)
        expect(barrierWritten(partitioner, 'timeoutable', receivers)).toEqual(everywhere('announcement@1 timeoutable'))
      for (const partitioner of NOT_OVERTAKEN)
        expect(barrierWritten(partitioner, 'timeoutable', receivers)).toEqual(everywhere(' forcedAligned'))
    })

    it(`that is aligned waits for its turn on ${receivers} channels of any edge`, () => {
      for (const partitioner of [...OVERTAKEN, ...NOT_OVERTAKEN])
        expect(barrierWritten(partitioner, 'aligned', receivers)).toEqual(everywhere(' aligned'))
    })
  }
})

describe('A subtask has channels', () => {
  it('with forward to its own number', () => {
    expect(partitionTargets({ type: 'forward' }, 2, 4, 4)).toEqual([2])
  })

  it('with rescale to its share of the receivers, each receiver having one sender or more', () => {
    expect([0, 1].map((sender) => partitionTargets({ type: 'rescale' }, sender, 2, 5))).toEqual([
      [0, 1, 2],
      [3, 4],
    ])
    expect([0, 1, 2, 3, 4].map((sender) => partitionTargets({ type: 'rescale' }, sender, 5, 2))).toEqual([
      [0],
      [0],
      [1],
      [1],
      [1],
    ])
  })

  it('whichever side is asked', () => {
    for (const type of ['forward', 'rescale', 'rebalance', 'shuffle', 'broadcast', 'global'] as const)
      for (const [senders, receivers] of [
        [3, 3],
        [2, 5],
        [5, 2],
      ] as const)
        for (let sender = 0; sender < senders; sender++) {
          const asked = Array.from({ length: receivers }, (_, receiver) => receiver).filter((receiver) =>
            isTarget(receiver, { type }, sender, senders, receivers),
          )
          const told = partitionTargets({ type }, sender, senders, receivers)
          expect(asked).toEqual(told.filter((receiver) => receiver < receivers))
        }
  })

  it('with everything else to all receivers', () => {
    expect(partitionTargets({ type: 'rebalance' }, 0, 2, 3)).toEqual([0, 1, 2])
  })
})
