import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { StreamError } from '../../../src/base/errors.ts'
import type { Serializer } from '../../../src/elements/serializer.ts'
import { NO_TIMESTAMP } from '../../../src/elements/stream-element.ts'
import { PARTITIONER_TYPES } from '../../../src/state/channel-redistribution.ts'
import { type ChannelSection, decodeChannelState } from '../../../src/state/channel-state-format.ts'
import { eachRecord, refusedSerializer } from '../../../src/state/channel-state-reader.ts'
import { ChannelStateWriter } from '../../../src/state/channel-state-writer.ts'

/** In another form than the default one; each version of it reads what earlier ones wrote. */
const reversed = (version: number): Serializer<unknown> => ({
  id: 'reversed',
  version,
  serialize: (value) => new TextEncoder().encode([...JSON.stringify(value)].reverse().join('')),
  deserialize: (bytes) => JSON.parse([...new TextDecoder().decode(bytes)].reverse().join('')) as unknown,
})

const id = fc.stringMatching(/^[0-9a-f]{32}$/)
const section = fc.record({
  edge: fc.record(
    { from: id, sideOutput: fc.string(), input: fc.nat(3), ordinal: fc.nat(3) },
    { requiredKeys: ['from', 'input', 'ordinal'] },
  ),
  partitioner: fc.constantFrom(...PARTITIONER_TYPES),
  sender: fc.nat(200),
})
const timestamp = fc.oneof(fc.constant(NO_TIMESTAMP), fc.integer(), fc.constant(Number.POSITIVE_INFINITY))
const value = fc.jsonValue().filter((one) => !JSON.stringify(one).includes('-0'))
const captured = fc
  .array(fc.record({ section, byUser: fc.boolean() }), { minLength: 1, maxLength: 4 })
  .chain((channels) =>
    fc.record({
      channels: fc.constant(channels),
      records: fc.array(fc.record({ channel: fc.nat(channels.length - 1), value, timestamp }), { maxLength: 40 }),
    }),
  )

const SECTION: ChannelSection = {
  edge: { from: 'a'.repeat(32), input: 0, ordinal: 0 },
  partitioner: 'hash',
  sender: 1,
}

/** The payload of one section. */
function written(records: readonly unknown[], serializer?: Serializer<unknown>): Uint8Array {
  const writer = new ChannelStateWriter()
  const channel = writer.section(SECTION, serializer)
  for (const record of records) channel.append(record, 7)
  const bytes = Buffer.concat(writer.finish()?.parts ?? [])
  writer.release()
  return bytes
}

function codeOf(act: () => unknown): string {
  try {
    act()
    return 'none'
  } catch (thrown) {
    return StreamError.is(thrown) ? thrown.code : String(thrown)
  }
}

describe('Records in flight', () => {
  test('come back channel by channel in their order, with their timestamps, however their channels were interleaved', () => {
    fc.assert(
      fc.property(captured, ({ channels, records }) => {
        const writer = new ChannelStateWriter()
        const serializers = channels.map(({ byUser }) => (byUser ? reversed(2) : undefined))
        const sections = channels.map((channel, index) => writer.section(channel.section, serializers[index]))
        for (const record of records) sections[record.channel]?.append(record.value, record.timestamp)
        const finished = writer.finish()
        const bytes = Buffer.concat(finished?.parts ?? [])
        const edges = finished?.edges ?? []
        writer.release()

        const filled = channels
          .map((channel, index) => ({ ...channel, index }))
          .filter(({ index }) => records.some(({ channel }) => channel === index))
        expect(finished === undefined).toBe(filled.length === 0)
        if (finished === undefined) return
        const stored = decodeChannelState(bytes)
        expect(stored.map(({ edge, partitioner, sender }) => ({ edge, partitioner, sender }))).toEqual(
          filled.map((one) => one.section),
        )
        stored.forEach((one, place) => {
          const index = filled[place]?.index ?? -1
          const read: unknown[] = []
          eachRecord(one, serializers[index], (of, at) => void read.push([of, at]))
          expect(read).toEqual(
            records.filter(({ channel }) => channel === index).map((record) => [record.value, record.timestamp]),
          )
        })
        expect(edges.reduce((sum, edge) => sum + edge.records, 0)).toBe(records.length)
        expect(edges.reduce((sum, edge) => sum + edge.bytes, 0)).toBe(writer.bytes)
      }),
      { numRuns: 300, seed: 11 },
    )
  })

  test('that are larger and more than any chunk come back, and each byte is counted as it comes', () => {
    const writer = new ChannelStateWriter()
    const [one, other] = [writer.section(SECTION, undefined), writer.section({ ...SECTION, sender: 2 }, undefined)]
    const large = 'x'.repeat(200_000)
    for (let nth = 0; nth < 3000; nth++) {
      const before = writer.bytes
      one.append(nth % 1000 === 0 ? large : nth, nth)
      expect(writer.bytes).toBeGreaterThan(before)
      other.append({ nth }, NO_TIMESTAMP)
    }
    const parts = writer.finish()?.parts ?? []
    expect(parts.length).toBeGreaterThan(4)
    const [first, second] = decodeChannelState(Buffer.concat(parts))
    const read: unknown[] = []
    eachRecord(first as never, undefined, (record) => void read.push(record))
    expect(read).toEqual(Array.from({ length: 3000 }, (_, nth) => (nth % 1000 === 0 ? large : nth)))
    const times = new Set<number>()
    eachRecord(second as never, undefined, (_, at) => void times.add(at))
    expect([...times]).toEqual([NO_TIMESTAMP])
    writer.release()
  })

  test('of one edge are told in one line, whatever the number of its senders', () => {
    const writer = new ChannelStateWriter()
    for (let sender = 0; sender < 50; sender++) writer.section({ ...SECTION, sender }, undefined).append(sender, 0)
    expect(writer.finish()?.edges).toEqual([
      {
        edge: SECTION.edge,
        partitioner: 'hash',
        serializer: { id: 'millrace.value', version: 1 },
        records: 50,
        bytes: writer.bytes,
      },
    ])
    writer.release()
  })
})

describe('A payload of records in flight', () => {
  test('is refused when any one of its bytes was changed, when it was cut, and when something follows', () => {
    const bytes = written(['one', 2, { three: 3 }])
    for (let at = 0; at < bytes.length; at++) {
      const changed = Uint8Array.from(bytes)
      changed[at] = (changed[at] as number) ^ 0x55
      expect(
        codeOf(() => decodeChannelState(changed)),
        `byte ${at}`,
      ).toMatch(/^STATE_(CORRUPT|INCOMPATIBLE)$/)
      expect(
        codeOf(() => decodeChannelState(bytes.subarray(0, at))),
        `cut at ${at}`,
      ).toBe('STATE_CORRUPT')
    }
    expect(codeOf(() => decodeChannelState(Buffer.concat([bytes, Buffer.of(0)])))).toBe('STATE_CORRUPT')
  })

  test('of a newer format is refused as such', () => {
    const bytes = written([1])
    bytes[4] = 2
    expect(codeOf(() => decodeChannelState(bytes))).toBe('STATE_INCOMPATIBLE')
  })

  test('that holds fewer or more records than it says is refused', () => {
    const [stored] = decodeChannelState(written([1, 2]))
    for (const records of [1, 3])
      expect(codeOf(() => eachRecord({ ...(stored as never as object), records } as never, undefined, () => {}))).toBe(
        'STATE_CORRUPT',
      )
  })

  test('is read by the same serializer or a newer version of it, and by no other', () => {
    const [stored] = decodeChannelState(written([{ a: 1 }], reversed(2)))
    expect(stored?.serializer).toEqual({ id: 'reversed', version: 2 })
    const asked: number[] = []
    const newer: Serializer<unknown> = {
      ...reversed(3),
      deserialize(bytes, version) {
        asked.push(version)
        return reversed(3).deserialize(bytes, version)
      },
    }
    eachRecord(stored as never, newer, () => {})
    expect(asked).toEqual([2])
    expect(refusedSerializer({ id: 'reversed', version: 2 }, newer)).toBeUndefined()
    expect(refusedSerializer({ id: 'reversed', version: 2 }, reversed(1))).toMatch(/version 2/)
    expect(refusedSerializer({ id: 'reversed', version: 2 }, undefined)).toMatch(/'millrace.value'/)
  })

  test('is not made of a value that no serializer takes: whoever captured it is told', () => {
    const writer = new ChannelStateWriter()
    const channel = writer.section(SECTION, undefined)
    expect(codeOf(() => channel.append(() => {}, 0))).toBe('NOT_SERIALIZABLE')
    writer.release()
  })
})
