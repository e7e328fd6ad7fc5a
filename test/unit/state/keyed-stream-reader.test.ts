/** Keyed state read piece by piece: the same entries however the pieces fall, and nothing of what is damaged. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { ByteReader } from '../../../src/elements/byte-reader.ts'
import { readValue } from '../../../src/elements/value-reader.ts'
import { ListStateDescriptor, ValueStateDescriptor } from '../../../src/state/descriptors.ts'
import type { KeyGroupRange } from '../../../src/state/key-group-range.ts'
import { keyGroupOf } from '../../../src/state/key-groups.ts'
import { forEachEntry, KeyedStreamReader, readKeyedState } from '../../../src/state/keyed-stream-reader.ts'
import { memoryStateBackend } from '../../../src/state/memory/memory-state-backend.ts'
import { keyedSnapshot, snapshotOf, storedBytes } from '../../../src/testing/keyed-snapshot.ts'

const WHOLE = { first: 0, last: 15 }
const code = (expected: string) => expect.objectContaining({ code: expected })

function backendOf(keys: number) {
  const backend = memoryStateBackend({ maxParallelism: 16, keyGroups: WHOLE, clock: new VirtualClock() })
  const text = backend.getState(new ValueStateDescriptor<string>('text'))
  const list = backend.getListState(new ListStateDescriptor<number>('list'))
  for (let i = 0; i < keys; i++) {
    backend.setCurrentKey(`key-${i}`)
    text.update(`${i}`.padEnd(20, '.'))
    list.addAll([i, i + 1])
  }
  return backend
}

const payloadOf = (keys: number) => keyedSnapshot(backendOf(keys), 1)

/** Collects `table key` of what is handed out. */
function collector() {
  const seen: string[] = []
  let names: readonly string[] = []
  return {
    seen,
    header: ({ tables }: { readonly tables: readonly { readonly name: string }[] }) => {
      names = tables.map(({ name }) => name)
    },
    blob: (blob: { readonly keyGroup: number; readonly content: Uint8Array }): void | Promise<void> => {
      forEachEntry(blob, (tableId, key, value) =>
        seen.push(`${names[tableId]} ${readValue(new ByteReader(key))} ${value.length}`),
      )
    },
  }
}

/** What `backendOf` has put in: a tag and 20 letters; a count and two small numbers. */
const expected = (keys: number, own: KeyGroupRange) =>
  Array.from({ length: keys }, (_, i) => `key-${i}`)
    .filter((key) => keyGroupOf(key, 16) >= own.first && keyGroupOf(key, 16) <= own.last)
    .flatMap((key) => [`text ${key} 21`, `list ${key} 3`])
    .sort()

/** Pieces of these sizes in turn, each overwritten when it was taken. */
async function readPieces(payload: Uint8Array, sizes: readonly number[], own: KeyGroupRange, waits: boolean) {
  const consumer = collector()
  const { blob } = consumer
  const slow = async (one: Parameters<typeof blob>[0]) => {
    await Promise.resolve()
    blob(one)
  }
  const reader = new KeyedStreamReader(WHOLE, own, { ...consumer, blob: waits ? slow : blob })
  for (let at = 0, turn = 0; at < payload.length; turn++) {
    const size = sizes[turn % sizes.length] as number
    const piece = payload.slice(at, at + size)
    await reader.push(piece, payload.length)
    piece.fill(0xaa)
    at += size
  }
  reader.end()
  return consumer.seen.sort()
}

describe('keyed state that comes in pieces', () => {
  test('is the same however the pieces fall, whether the consumer waits or not, of any key groups', async () => {
    const payload = payloadOf(60)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 3000 })), {
          minLength: 1,
          maxLength: 9,
        }),
        fc.nat(15),
        fc.nat(15),
        fc.boolean(),
        async (sizes, one, other, waits) => {
          const own = { first: Math.min(one, other), last: Math.max(one, other) }
          expect(await readPieces(payload, sizes, own, waits)).toEqual(expected(60, own))
        },
      ),
      { numRuns: 60 },
    )
  })

  test('is read at once where it is inline, and behind the scan of a file where it is not', async () => {
    const inline = collector()
    expect(readKeyedState(storedBytes(payloadOf(30), WHOLE), WHOLE, inline)).toBeUndefined()
    const file = collector()
    await readKeyedState(await snapshotOf(backendOf(30), 1), WHOLE, file)
    expect(inline.seen.sort()).toEqual(expected(30, WHOLE))
    expect(file.seen.sort()).toEqual(expected(30, WHOLE))
  })

  test('counts a large key group in blobs of some megabytes, and none of another key group', async () => {
    const backend = memoryStateBackend({
      maxParallelism: 2,
      keyGroups: { first: 0, last: 1 },
      clock: new VirtualClock(),
    })
    const text = backend.getState(new ValueStateDescriptor<string>('text'))
    for (let i = 0; i < 60; i++) {
      backend.setCurrentKey(i)
      text.update('x'.repeat(500_000))
    }
    const blobs: number[] = []
    let largest = 0
    const consumer = {
      header() {},
      blob: ({ keyGroup, content }: { keyGroup: number; content: Uint8Array }) => {
        blobs.push(keyGroup)
        largest = Math.max(largest, content.length)
      },
    }
    await readKeyedState(await snapshotOf(backend, 1), { first: 1, last: 1 }, consumer)
    expect(new Set(blobs)).toEqual(new Set([1]))
    expect(blobs.length).toBeGreaterThan(1)
    expect(largest).toBeLessThan(9_100_000)
  })
})

describe('damaged keyed state', () => {
  test('that is cut off anywhere is refused, but for a whole number of blobs', async () => {
    const payload = payloadOf(6)
    for (let length = 0; length < payload.length; length++) {
      const outcome = await readPieces(payload.subarray(0, length), [7], WHOLE, false).then(
        (seen) => seen.every((entry) => expected(6, WHOLE).includes(entry)),
        (thrown: unknown) => (thrown as { code: string }).code,
      )
      expect([true, 'STATE_CORRUPT'], `${length} bytes`).toContain(outcome)
    }
    await expect(readPieces(payload.subarray(0, 20), [20], WHOLE, false)).rejects.toThrow(code('STATE_CORRUPT'))
  })

  test('gives nothing of a blob in which a bit has changed', async () => {
    const payload = payloadOf(6)
    const all = expected(6, WHOLE)
    for (let at = 0; at < payload.length; at++) {
      const damaged = payload.slice()
      damaged[at] = (damaged[at] as number) ^ 0x10
      const consumer = collector()
      const reader = new KeyedStreamReader(WHOLE, WHOLE, consumer)
      expect(() => {
        reader.push(damaged, damaged.length)
        reader.end()
      }, `byte ${at}`).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^STATE_(CORRUPT|INCOMPATIBLE)$/) }),
      )
      for (const entry of consumer.seen) expect(all).toContain(entry)
    }
  })

  test('that announces four gigabytes is refused at once, and takes no memory where the length of the file says the same', () => {
    const payload = payloadOf(1)
    const headerLength = 14 + new DataView(payload.buffer).getUint32(6, true)
    for (const lengthAt of [6, headerLength + 2]) {
      const damaged = payload.slice()
      new DataView(damaged.buffer).setUint32(lengthAt, 0xffff_fff0, true)
      const honest = new KeyedStreamReader(WHOLE, WHOLE, collector())
      expect(() => honest.push(damaged, damaged.length)).toThrow(code('STATE_CORRUPT'))
      const lying = new KeyedStreamReader(WHOLE, WHOLE, collector())
      const before = process.memoryUsage().arrayBuffers
      lying.push(damaged, 2 ** 40)
      for (let i = 0; i < 100; i++) lying.push(new Uint8Array(1000), 2 ** 40)
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2_000_000)
      expect(() => lying.end()).toThrow(code('STATE_CORRUPT'))
    }
  })

  test('of key groups that its subtask did not have is refused', () => {
    const reader = new KeyedStreamReader({ first: 0, last: 3 }, { first: 0, last: 0 }, collector())
    const payload = payloadOf(60)
    expect(() => reader.push(payload, payload.length)).toThrow(code('STATE_CORRUPT'))
  })

  test('whose checksum is right but whose entries are none is refused with its key group', () => {
    const blob = { keyGroup: 5, content: Uint8Array.of(0, 0, 3, 0, 0, 0, 0x41, 0x61, 9) }
    expect(() => forEachEntry(blob, () => {})).toThrow(
      expect.objectContaining({ code: 'STATE_CORRUPT', message: expect.stringContaining('key group 5') }),
    )
  })
})
