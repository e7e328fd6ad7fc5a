/** An entry of the canonical form: whoever knows no serializer can tell key and value apart. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteReader } from '../../../src/elements/byte-reader.ts'
import { ByteWriter } from '../../../src/elements/byte-writer.ts'
import { beginEntryValue, endEntryValue, readEntry, writeEntry } from '../../../src/state/entry-format.ts'
import { writeMapKey } from '../../../src/state/entry-key.ts'
import { type MapKey, mapKeyOf } from '../../../src/state/key.ts'

const keyBytes = (key: MapKey) => {
  const out = new ByteWriter(8)
  writeMapKey(out, key)
  return out.take()
}

/** As a scan writes it: the value behind a byte for its length, whatever the length will be. */
function scanned(key: MapKey, value: Uint8Array): Uint8Array {
  const out = new ByteWriter(1)
  writeMapKey(out, key)
  const begun = beginEntryValue(out)
  out.raw(value)
  endEntryValue(out, begun)
  return out.take()
}

function joined(key: MapKey, value: Uint8Array): Uint8Array {
  const out = new ByteWriter(1)
  writeEntry(out, keyBytes(key), value)
  return out.take()
}

const anyKey = fc
  .oneof(
    fc.string(),
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({ minLength: 60, maxLength: 70 }),
    fc.double(),
    fc.integer(),
    fc.bigInt(),
    fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
    fc.boolean(),
    fc.array(fc.oneof(fc.integer(), fc.string()), { maxLength: 5 }),
  )
  .map(mapKeyOf)

describe('an entry', () => {
  test('is the same whether its value was written in place or as bytes, at every border of the length', () => {
    for (const length of [0, 1, 126, 127, 128, 129, 16_383, 16_384, 2_097_151, 2_097_152]) {
      const value = new Uint8Array(length).map((_, i) => i * 7)
      expect(Buffer.compare(scanned('k', value), joined('k', value)), `${length} bytes`).toBe(0)
    }
  })

  test('is told apart from the next without its serializer, whatever the key', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyKey, fc.uint8Array({ maxLength: 300 })), { maxLength: 8 }), (entries) => {
        const input = new ByteReader(Buffer.concat(entries.map(([key, value]) => scanned(key, value))))
        for (const [key, value] of entries) {
          const found = readEntry(input)
          expect([[...found.key], [...found.value]]).toEqual([[...keyBytes(key)], [...value]])
        }
        expect(input.remaining).toBe(0)
      }),
    )
  })

  test('of which a part is missing, and one whose key is none, are refused', () => {
    const whole = scanned('key', new Uint8Array(200))
    for (let length = 0; length < whole.length; length++)
      expect(() => readEntry(new ByteReader(whole.subarray(0, length)))).toThrow(
        expect.objectContaining({ code: 'NOT_DESERIALIZABLE' }),
      )
    for (const tag of [0, 1, 2, 0x0c, 0x0e, 0x10, 0x17, 0x3f])
      expect(() => readEntry(new ByteReader(Uint8Array.of(tag, 0, 0, 0, 0, 0, 0, 0, 0, 0)))).toThrow(
        expect.objectContaining({ code: 'NOT_DESERIALIZABLE' }),
      )
  })
})
