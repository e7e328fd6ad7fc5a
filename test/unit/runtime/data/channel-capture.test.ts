import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CheckpointBarrier } from '../../../../src/elements/stream-element.ts'
import type { Channel } from '../../../../src/runtime/data/channel.ts'
import type { ChannelCapture } from '../../../../src/runtime/data/channel-capture.ts'
import { barrier, drivenSubtask } from './subtask-for-tests.ts'

function fixture(channels = 2) {
  const driven = drivenSubtask(Array.from({ length: channels }, () => 0))
  const changes: string[] = []
  const capture = (ranges: Parameters<typeof driven.subtask.startCapture>[0]): ChannelCapture => {
    const started: ChannelCapture = driven.subtask.startCapture(ranges, () => changes.push(started.state))
    return started
  }
  const channel = (index: number) => driven.channels[index] as Channel
  return { ...driven, driven, capture, channel, changes }
}

describe('A capture', () => {
  it('takes along what lies before the barrier, and nothing behind it, with timestamps and without control elements', () => {
    const { capture, channel } = fixture()
    channel(0).push('a', 1)
    channel(0).pushControl({ type: 'watermark', timestamp: 1 })
    channel(0).push('b', 2)
    channel(0).pushControl({ type: 'endOfData', drain: true })
    channel(0).pushPriority(barrier('unaligned'))
    channel(0).push('c', 3)
    const captured = capture([{ channel: 0, upTo: 4 }])
    captured.finish()
    expect(captured.records).toEqual([expect.objectContaining({ channel: 0, values: ['a', 'b'], timestamps: [1, 2] })])
  })

  it('of a channel whose barrier is not here goes on with what comes, across watermarks and bits of a drain', () => {
    const { capture, channel, subtask, gate, rest, told } = fixture()
    channel(1).push('a', 1)
    const captured = capture([{ channel: 1, upTo: null }])
    rest()
    for (const value of ['b', 'c', 'd']) channel(1).push(value, 2)
    channel(1).pushControl({ type: 'watermark', timestamp: 1 })
    for (const value of ['e', 'f', 'g']) channel(1).push(value, 2)
    gate.outputFull()
    subtask.step(9)
    gate.outputFree()
    subtask.step(2)
    subtask.step(2)
    subtask.step(1)
    channel(1).pushPriority(barrier('unaligned'))
    captured.endChannel(1, channel(1).tail)
    channel(1).push('h', 3)
    rest()
    expect(captured.records[0]?.values).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g'])
    expect(told.filter((what) => typeof what === 'string' && what.length === 1).join('')).toBe('abcdefgh')
  })

  it('of a channel that ends has all that it brought', () => {
    const { capture, channel, rest } = fixture()
    const captured = capture([{ channel: 0, upTo: null }])
    channel(0).push('a', 1)
    channel(0).pushControl({ type: 'endOfData', drain: true })
    channel(0).pushControl({ type: 'endOfPartition' })
    rest()
    captured.endChannel(0, null)
    captured.finish()
    expect([captured.records[0]?.values, captured.state]).toEqual([['a'], 'finished'])
  })

  it('stops before a barrier that lies in the queue, though more lies behind that', () => {
    const { capture, channel, rest, driven } = fixture()
    channel(0).push('a', 1)
    channel(0).pushControl(barrier('forcedAligned'))
    channel(0).push('b', 1)
    const captured = capture([{ channel: 0, upTo: null }])
    driven.onBarrier = (index, _, sequence) => captured.endChannel(index, sequence)
    rest()
    expect(captured.records[0]?.values).toEqual(['a'])
    expect(driven.told).toEqual(['a', 'forcedAligned 0@1', 'b'])
  })

  it('tells that there is more, once per drain or end that brought some, and that it is over', () => {
    const { capture, channel, rest, changes } = fixture()
    const captured = capture([{ channel: 0, upTo: null }])
    rest()
    expect(changes).toEqual([])
    for (const value of ['a', 'b', 'c']) channel(0).push(value, 1)
    rest()
    channel(0).push('d', 1)
    expect(changes).toEqual(['open'])
    captured.endChannel(0, channel(0).tail)
    expect(changes).toEqual(['open', 'open'])
    captured.endChannel(0, channel(0).tail)
    captured.finish()
    expect(changes).toEqual(['open', 'open', 'finished'])
  })

  it('that is dropped holds nothing any more and takes nothing more', () => {
    const { capture, channel, rest, changes } = fixture()
    channel(0).push('a', 1)
    const captured = capture([
      { channel: 0, upTo: 1 },
      { channel: 1, upTo: null },
    ])
    captured.drop()
    captured.drop()
    channel(1).push('b', 1)
    rest()
    expect(captured.records.map(({ values, timestamps }) => [values, timestamps])).toEqual([
      [[], []],
      [[], []],
    ])
    expect([captured.state, channel(1).keeper, changes]).toEqual(['dropped', undefined, ['dropped']])
  })

  it('gives way to a newer one, and one that is finished keeps what it has', () => {
    const { capture, channel, rest } = fixture()
    channel(0).push('a', 1)
    const finished = capture([{ channel: 0, upTo: 1 }])
    finished.finish()
    const open = capture([{ channel: 0, upTo: null }])
    const newer = capture([{ channel: 0, upTo: null }])
    rest()
    newer.endChannel(0, 1)
    newer.finish()
    expect([finished.state, open.state, newer.state]).toEqual(['finished', 'dropped', 'finished'])
    expect([finished, open, newer].map(({ records }) => records[0]?.values)).toEqual([['a'], [], ['a']])
  })

  it('is not finished as long as the barrier of one of its channels is not known', () => {
    const { capture } = fixture()
    const captured = capture([{ channel: 1, upTo: null }])
    expect(() => captured.finish()).toThrow(
      expect.objectContaining({ code: 'INTERNAL', details: { channel: 1 }, message: expect.stringContaining('1') }),
    )
    expect(captured.state).toBe('open')
  })
})

type Move =
  | { readonly type: 'record' | 'watermark' | 'prioritise'; readonly channel: number }
  | { readonly type: 'barrier'; readonly channel: number; readonly mode: CheckpointBarrier['mode'] }
  | { readonly type: 'step'; readonly budget: number }
  /** The output has credit for so many more records. */
  | { readonly type: 'credit'; readonly records: number }
  /** The time for being aligned is over. */
  | { readonly type: 'timeout' }

const CHANNELS = 3
const channel = fc.nat(CHANNELS - 1)
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 9, arbitrary: fc.record({ type: fc.constant('record' as const), channel }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('watermark' as const), channel }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('prioritise' as const), channel }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('barrier' as const),
      channel,
      mode: fc.constantFrom('unaligned' as const, 'timeoutable' as const, 'forcedAligned' as const),
    }),
  },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('step' as const), budget: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('credit' as const), records: fc.nat(6) }) },
  { weight: 1, arbitrary: fc.constant({ type: 'timeout' as const }) },
)

/** What one sender did, in plain lists. */
interface Sent {
  readonly records: number[]
  /** Timestamp, and how many records came before it. */
  readonly watermarks: { readonly timestamp: number; readonly behind: number }[]
  barrier: { readonly behind: number; readonly watermark: number } | undefined
}

/** One checkpoint over three channels, by the simplest rules that are right; everything it does goes through the subtask. */
function run(moves: readonly Move[]) {
  const driven = drivenSubtask(Array.from({ length: CHANNELS }, () => 0))
  const { subtask, channels, gate, permission } = driven
  const sent: Sent[] = channels.map(() => ({ records: [], watermarks: [], barrier: undefined }))
  const processed = channels.map((): number[] => [])
  const announced = new Map<number, number>()
  const arrived = new Map<number, number>()
  let atSnapshot: readonly number[] | undefined
  let capture: ChannelCapture | undefined
  let credit = Number.POSITIVE_INFINITY
  let records = 0
  let clock = 0

  const told = { push: (what: unknown) => seen(what) }
  driven.onRecord = (value) => {
    const [from, number] = value as [number, number]
    processed[from]?.push(number)
    if (--credit === 0) gate.outputFull()
  }
  const seen = (what: unknown) => {
    const timestamp = typeof what === 'string' && what.startsWith('watermark') ? Number(what.split(' ')[1]) : undefined
    if (timestamp === undefined) return
    // No watermark has overtaken a record.
    for (const [index, { watermarks }] of sent.entries()) {
      const promise = watermarks.find((watermark) => watermark.timestamp >= timestamp)
      expect(processed[index]?.length).toBeGreaterThanOrEqual(promise?.behind ?? Number.NaN)
    }
    lastWatermark = timestamp
  }
  let lastWatermark = Number.NEGATIVE_INFINITY
  driven.told.push = (...all: unknown[]) => {
    for (const what of all) told.push(what)
    return 0
  }

  const snapshot = (due: ReadonlyMap<number, number>) => {
    atSnapshot = processed.map(({ length }) => length)
    // Nothing that a sender said behind its barrier is in the state.
    for (const { barrier: left } of sent)
      if (left !== undefined) expect(lastWatermark).toBeLessThanOrEqual(left.watermark)
    const open = channels.filter(({ index }) => !permission.held[index])
    capture = subtask.startCapture(
      open.map(({ index }) => ({ channel: index, upTo: due.get(index) ?? null })),
      () => {},
    )
  }
  driven.onAnnouncement = (index, _, sequence) => {
    announced.set(index, sequence)
    if (capture !== undefined) subtask.prioritise(index, sequence)
  }
  driven.onBarrier = (index, { mode }, sequence) => {
    arrived.set(index, sequence)
    if (capture !== undefined) capture.endChannel(index, sequence)
    else if (mode === 'unaligned') snapshot(new Map([[index, sequence]]))
    else permission.held = channels.map((other) => other.index === index || permission.held[other.index] === true)
    if (arrived.size < CHANNELS) return
    if (capture === undefined) snapshot(new Map())
    capture?.finish()
    permission.held = []
  }
  const send = (index: number, mode: CheckpointBarrier['mode']) => {
    const { records: before, watermarks } = sent[index] as Sent
    if (sent[index]?.barrier !== undefined) return
    const to = channels[index] as Channel
    ;(sent[index] as Sent).barrier = { behind: before.length, watermark: watermarks.at(-1)?.timestamp ?? -Infinity }
    if (mode === 'unaligned') to.pushPriority(barrier(mode))
    else if (mode === 'timeoutable') to.pushAnnounced(barrier(mode))
    else to.pushControl(barrier(mode))
  }
  const refill = (more: number) => {
    if (credit <= 0) gate.outputFree()
    credit = more
    if (credit === 0) gate.outputFull()
  }

  for (const made of moves) {
    switch (made.type) {
      case 'record':
        sent[made.channel]?.records.push(records)
        channels[made.channel]?.push([made.channel, records], records++)
        break
      case 'watermark':
        sent[made.channel]?.watermarks.push({
          timestamp: ++clock,
          behind: sent[made.channel]?.records.length ?? 0,
        })
        channels[made.channel]?.pushControl({ type: 'watermark', timestamp: clock })
        break
      case 'barrier':
        send(made.channel, made.mode)
        break
      case 'prioritise':
        subtask.prioritise(made.channel, announced.get(made.channel) ?? -1)
        break
      case 'timeout':
        if (arrived.size > 0 && capture === undefined) {
          for (const [index, sequence] of announced) if (!arrived.has(index)) subtask.prioritise(index, sequence)
          snapshot(new Map())
        }
        break
      case 'step':
        subtask.step(made.budget)
        break
      case 'credit':
        refill(made.records)
        break
      default:
        made satisfies never
    }
  }
  for (let index = 0; index < CHANNELS; index++) send(index, index % 2 === 0 ? 'unaligned' : 'forcedAligned')
  refill(Number.POSITIVE_INFINITY)
  driven.rest()
  return { sent, processed, atSnapshot: atSnapshot ?? [], capture }
}

describe('Whatever comes, in whatever order', () => {
  it('nothing is lost or processed twice, and exactly what lay between the snapshot and the barriers is captured', () => {
    let capturedRecords = 0
    fc.assert(
      fc.property(fc.array(move, { minLength: 15, maxLength: 80 }), (moves) => {
        const { sent, processed, atSnapshot, capture } = run(moves)
        expect(processed).toEqual(sent.map(({ records }) => records))
        expect(capture?.state).toBe('finished')
        for (const [index, { records, barrier: left }] of sent.entries()) {
          const captured = capture?.records.find((of) => of.channel === index)
          const between = records.slice(atSnapshot[index], left?.behind)
          expect(captured?.values ?? []).toEqual(between.map((record) => [index, record]))
          expect(captured?.timestamps ?? []).toEqual(between)
          // What is behind the barrier was not processed before the snapshot.
          expect(atSnapshot[index]).toBeLessThanOrEqual(left?.behind ?? 0)
          capturedRecords += between.length
        }
      }),
      { numRuns: 300, seed: 6 },
    )
    // The moves are such that it matters.
    expect(capturedRecords).toBeGreaterThan(300)
  })
})
