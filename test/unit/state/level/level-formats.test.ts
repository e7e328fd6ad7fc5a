/** The files of the `leveldb` backend: what is written is read, and nothing damaged or malformed is. */
import { expect, test } from 'vitest'
import type { StoreOperation } from '../../../../src/base/ordered-store.ts'
import { EntryLogReader, EntryLogWriter } from '../../../../src/state/level/entry-log.ts'
import { decodeIndex, encodeIndex, type LevelIndex } from '../../../../src/state/level/level-index.ts'
import { bytes, text } from './disk-folder.ts'
import { JobShelf } from './shelf-of-a-job.ts'

const WHOLE = { first: 0, last: 7 }

async function logOf(operations: readonly StoreOperation[], mostBytes?: number) {
  const shelf = new JobShelf()
  const log = new EntryLogWriter(shelf.target(1, WHOLE), 'own', mostBytes)
  for (const operation of operations) await log.add(operation)
  const handles = await log.finish()
  return Promise.all(handles.map((handle) => shelf.read(handle)))
}

async function read(
  payload: Uint8Array,
  pieceBytes = 7,
): Promise<readonly (readonly [string | undefined, string | undefined])[]> {
  const found: (readonly [string | undefined, string | undefined])[] = []
  const log = new EntryLogReader((operations) => {
    for (const { key, value } of operations) found.push([text(key), text(value)])
  })
  for (let start = 0; start < payload.length; start += pieceBytes) {
    const piece = payload.slice(start, start + pieceBytes)
    await log.push(piece, payload.length)
    piece.fill(0xff)
  }
  log.end()
  return found
}

const OPERATIONS: readonly StoreOperation[] = [
  { key: bytes('a'), value: bytes('1') },
  { key: bytes('b'.repeat(200)), value: bytes('') },
  { key: bytes('c'), value: undefined },
  { key: bytes('d'), value: bytes('x'.repeat(100_000)) },
  { key: bytes('e'), value: bytes('2') },
]

test('a log gives its operations in their order, however it is cut into pieces', async () => {
  const [payload] = await logOf(OPERATIONS)
  for (const pieceBytes of [1, 7, 100_000, 1_000_000])
    expect(await read(payload as Uint8Array, pieceBytes)).toEqual(
      OPERATIONS.map(({ key, value }) => [text(key), text(value)]),
    )
})

test('a log of nothing is no file, and a long one is several', async () => {
  expect(await logOf([])).toEqual([])
  const payloads = await logOf([...OPERATIONS, ...OPERATIONS], 100)
  expect(payloads.length).toBeGreaterThan(1)
  const found = await Promise.all(payloads.map((payload) => read(payload)))
  expect(found.flat()).toHaveLength(10)
})

test('a log with any bit flipped, cut off anywhere or followed by something is refused', async () => {
  const [payload] = (await logOf(OPERATIONS.slice(0, 3))) as [Uint8Array]
  const codes = { code: expect.stringMatching(/^STATE_(CORRUPT|INCOMPATIBLE)$/) }
  for (let bit = 0; bit < payload.length * 8; bit++) {
    const damaged = payload.slice()
    damaged[bit >>> 3] = (damaged[bit >>> 3] as number) ^ (1 << (bit & 7))
    await expect(read(damaged), `bit ${bit}`).rejects.toMatchObject(codes)
  }
  // At 6 bytes it is the head of a log without entries.
  for (let length = 0; length < payload.length; length++)
    if (length !== 6) await expect(read(payload.slice(0, length)), `${length} bytes`).rejects.toMatchObject(codes)
  await expect(read(Buffer.concat([payload, Buffer.of(1)]))).rejects.toMatchObject(codes)
})

test('a length that cannot be is refused before anything is kept for it', async () => {
  const [payload] = (await logOf(OPERATIONS.slice(0, 1))) as [Uint8Array]
  const absurd = payload.slice()
  new DataView(absurd.buffer).setUint32(6, 0xffff_ffff, true)
  await expect(read(absurd)).rejects.toMatchObject({ code: 'STATE_CORRUPT', message: /cut off/ })
})

const FILE = { number: 5, level: 1, length: 10, smallest: 'AA==', largest: '/w==' }
const INDEX: LevelIndex = {
  maxParallelism: 128,
  tables: [{ id: 3, kind: 'value', name: 'v', schemas: [{ serializers: [{ id: 'x', version: 1 }], seenMs: 7 }] }],
  base: { kind: 'tables', lastSequence: '12', files: [{ ...FILE, part: 0 }] },
  deltas: [1],
}

test('an index comes back, and one with any bit flipped does not', () => {
  const encoded = encodeIndex(INDEX)
  expect(decodeIndex(encoded, 2)).toEqual(INDEX)
  for (let bit = 0; bit < encoded.length * 8; bit++) {
    const damaged = encoded.slice()
    damaged[bit >>> 3] = (damaged[bit >>> 3] as number) ^ (1 << (bit & 7))
    expect(() => decodeIndex(damaged, 2), `bit ${bit}`).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^STATE_/) }),
    )
  }
})

test.each<[string, unknown]>([
  ['names a part that is not there', { ...INDEX, deltas: [2] }],
  ['has two tables of one number', { ...INDEX, tables: [INDEX.tables[0], { ...INDEX.tables[0], name: 'w' }] }],
  ['has two tables of one name', { ...INDEX, tables: [INDEX.tables[0], { ...INDEX.tables[0], id: 4 }] }],
  ['has a table with a number that no key can hold', { ...INDEX, tables: [{ ...INDEX.tables[0], id: 0x1_0000 }] }],
  [
    'has a file twice',
    {
      ...INDEX,
      base: {
        ...INDEX.base,
        files: [
          { ...FILE, part: 0 },
          { ...FILE, part: 1 },
        ],
      },
    },
  ],
  ['has a sequence that is no number', { ...INDEX, base: { ...INDEX.base, lastSequence: '-1' } }],
  ['has a base of an unknown kind', { ...INDEX, base: { kind: 'other' } }],
  ['is none', null],
])('an index that %s is refused, whatever its checksum says', (_, index) => {
  expect(() => decodeIndex(encodeIndex(index as LevelIndex), 2)).toThrow(
    expect.objectContaining({ code: 'STATE_CORRUPT', message: expect.stringContaining('malformed') }),
  )
})
