import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeEdit, encodeEdit, type ManifestEdit } from '../../../../src/state/level/manifest-edits.ts'
import { logOf, recordsOf } from '../../../../src/state/level/manifest-log.ts'
import { NO_VERSION, versionsOf } from '../../../../src/state/level/manifest-reader.ts'
import { maskedCrc32c } from '../../../../src/state/level/masked-crc32c.ts'
import { bytes } from './disk-folder.ts'

test('the checksum is CRC-32C as published, masked as LevelDB does', () => {
  const masked = (crc: number) => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
  const of = (data: Uint8Array) => maskedCrc32c(data, 0, data.length)
  expect(of(bytes('123456789'))).toBe(masked(0xe3069283))
  // RFC 3720, B.4.
  expect(of(new Uint8Array(32))).toBe(masked(0x8a9136aa))
  expect(of(new Uint8Array(32).fill(0xff))).toBe(masked(0x62a8ab43))
  expect(maskedCrc32c(bytes('--123456789--'), 2, 11)).toBe(masked(0xe3069283))
})

describe('records', () => {
  const BLOCK = 32 * 1024
  const lengths = fc.oneof(
    fc.integer({ min: 0, max: 100 }),
    fc.integer({ min: BLOCK - 30, max: BLOCK + 30 }),
    fc.integer({ min: 0, max: 3 * BLOCK }),
  )
  const records = fc
    .array(fc.tuple(lengths, fc.nat(255)), { maxLength: 6 })
    .map((drawn) => drawn.map(([length, byte]) => new Uint8Array(length).fill(byte)))

  test('come back as they were, whichever blocks they are split over', () => {
    fc.assert(
      fc.property(records, (written) => {
        const found = [...recordsOf(logOf(written), 0)].map((record) => Buffer.from(record.bytes))
        expect(found.map((record, at) => record.equals(written[at] as Uint8Array))).toEqual(written.map(() => true))
      }),
      { numRuns: 60, seed: 2 },
    )
  })

  test('are read on from where a record ended', () => {
    fc.assert(
      fc.property(records, fc.nat(), (written, drawn) => {
        const log = logOf(written)
        const all = [...recordsOf(log, 0)]
        const known = all.length === 0 ? 0 : drawn % all.length
        const start = known === 0 ? 0 : (all[known - 1] as { readonly end: number }).end
        const rest = [...recordsOf(log.subarray(start), start)]
        expect(rest.map(({ end }) => end)).toEqual(all.slice(known).map(({ end }) => end))
      }),
      { numRuns: 60, seed: 2 },
    )
  })

  test('that are cut off at the end are left out, and nothing else is', () => {
    fc.assert(
      fc.property(records, fc.nat(), (written, drawn) => {
        const log = logOf(written)
        const cut = drawn % (log.length + 1)
        const whole = [...recordsOf(log, 0)].filter(({ end }) => end <= cut)
        expect([...recordsOf(log.subarray(0, cut), 0)].map(({ end }) => end)).toEqual(whole.map(({ end }) => end))
      }),
      { numRuns: 60, seed: 2 },
    )
  })

  test('in which a single bit is wrong are refused, or cut off as one that is being written', () => {
    const log = logOf([bytes('first record'), new Uint8Array(BLOCK), bytes('last record')])
    const intact = [...recordsOf(log, 0)].map((record) => Buffer.from(record.bytes).toString('latin1'))
    const bits = [
      ...Array.from({ length: 400 }, (_, bit) => bit),
      ...Array.from({ length: 160 }, (_, bit) => log.length * 8 - 1 - bit),
    ]
    for (const bit of bits) {
      const damaged = Uint8Array.from(log)
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
      const found: string[] = []
      let refused = false
      try {
        for (const record of recordsOf(damaged, 0)) found.push(Buffer.from(record.bytes).toString('latin1'))
      } catch {
        refused = true
      }
      expect(found).toEqual(intact.slice(0, found.length))
      expect(refused || found.length < intact.length).toBe(true)
    }
  })
})

describe('edits', () => {
  const number = fc.maxSafeNat()
  const key = fc.uint8Array({ maxLength: 300 }).map((drawn) => Buffer.from(drawn).toString('base64'))
  const level = fc.nat(6)
  const edits: fc.Arbitrary<ManifestEdit> = fc.record({
    comparator: fc.option(fc.string(), { nil: undefined }),
    logNumber: fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { nil: undefined }),
    nextFile: fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { nil: undefined }),
    lastSequence: fc.option(fc.bigInt({ min: 0n, max: 2n ** 56n - 1n }), { nil: undefined }),
    deleted: fc.array(fc.record({ level, number }), { maxLength: 5 }),
    added: fc.array(fc.record({ number, level, length: number, smallest: key, largest: key }), { maxLength: 5 }),
  })

  test('come back as they were', () => {
    fc.assert(
      fc.property(edits, (edit) => {
        expect(decodeEdit(encodeEdit(edit))).toEqual(edit)
      }),
    )
  })

  test('that end too early, or are of another kind, are refused', () => {
    const edit = encodeEdit({
      comparator: undefined,
      logNumber: undefined,
      nextFile: undefined,
      lastSequence: 300n,
      deleted: [],
      added: [{ number: 1, level: 0, length: 10, smallest: 'AAAA', largest: 'AAAA' }],
    })
    for (let length = 4; length < edit.length; length++) expect(() => decodeEdit(edit.subarray(0, length))).toThrow()
    for (const [odd, why] of [
      [[8, 1], 'unknown tag 8'],
      [[6, 7, 1], 'level 7'],
      [[4, ...Array(11).fill(0xff)], 'too long'],
      [[7, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], 'too large'],
    ] as const)
      expect(() => decodeEdit(Uint8Array.from(odd))).toThrow(why)
  })

  test('that delete what is not there, add what is, or order keys in another way are refused', () => {
    const none = { comparator: undefined, logNumber: undefined, nextFile: undefined, lastSequence: undefined }
    const table = { number: 1, level: 0, length: 10, smallest: '', largest: '' }
    const versions = (...told: readonly ManifestEdit[]) => [...versionsOf(logOf(told.map(encodeEdit)), NO_VERSION)]
    const add = { ...none, deleted: [], added: [table] }
    expect(() => versions({ ...none, deleted: [{ level: 0, number: 1 }], added: [] })).toThrow('not on level 0')
    expect(() => versions(add, { ...none, deleted: [{ level: 1, number: 1 }], added: [] })).toThrow('not on level 1')
    expect(() => versions(add, add)).toThrow('a second time')
    expect(() => versions({ ...add, comparator: 'another' })).toThrow("'another'")
    const moved = { ...none, deleted: [{ level: 0, number: 1 }], added: [{ ...table, level: 1 }] }
    expect(versions(add, moved).at(-1)?.tables.get(1)?.level).toBe(1)
  })
})
