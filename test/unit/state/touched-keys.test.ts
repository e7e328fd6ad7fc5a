/** The stamps of changed keys, against a Map; and the key in front of an entry, against what it stands for. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteWriter } from '../../../src/elements/byte-writer.ts'
import { writeValue } from '../../../src/elements/value-writer.ts'
import { writeMapKey } from '../../../src/state/entry-key.ts'
import { type MapKey, mapKeyOf } from '../../../src/state/key.ts'
import { hashOfMapKey, murmurHash } from '../../../src/state/key-groups.ts'
import { TouchedKeys } from '../../../src/state/touched-keys.ts'

const anyKey: fc.Arbitrary<MapKey> = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.string({ maxLength: 8 }),
    fc.constantFrom('\u0000', '\u0000a', 'é', 'ÿ', 'Ā', 'a'.repeat(63), 'a'.repeat(64)),
    fc.double(),
    fc.integer(),
    fc.bigInt(),
    fc.boolean(),
    fc.array(fc.integer(), { maxLength: 3 }),
  )
  .map((key) => mapKeyOf(key))

describe('the stamps of changed keys', () => {
  // Few hashes, so that different keys meet: 0 and -0, NaN, and keys that are equal in text only.
  const keys: readonly MapKey[] = [0, -0, Number.NaN, 1, '1', 1n, 'a', 'b', true, 'true']
  const hashOf = (key: MapKey, spread: number) => (murmurHash(hashOfMapKey(key)) % spread) + (spread === 1 ? 7 : 0)

  test('are those that a Map of them would have', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...keys), fc.boolean()), { maxLength: 60 }),
        fc.constantFrom(1, 3, 2 ** 31),
        (steps, spread) => {
          const touched = new TouchedKeys()
          touched.clear()
          const model = new Map<MapKey, number>()
          let stamp = 1
          for (const [key, younger] of steps) {
            if (younger) stamp++
            expect(touched.stampOf(hashOf(key, spread), key)).toBe(model.get(key) ?? 0)
            expect(touched.stamp(hashOf(key, spread), key, stamp)).toBe(model.get(key) ?? 0)
            model.set(key, stamp)
          }
          for (const key of keys) expect(touched.stampOf(hashOf(key, spread), key)).toBe(model.get(key) ?? 0)
          touched.clear()
          for (const key of keys) expect(touched.stampOf(hashOf(key, spread), key)).toBe(0)
        },
      ),
      { numRuns: 300, seed: 1 },
    )
  })

  test('of a hundred thousand keys are all found, and none of other keys', () => {
    const touched = new TouchedKeys()
    for (let walk = 1; walk <= 3; walk++) {
      touched.clear()
      for (let i = 0; i < 100_000; i += walk) touched.stamp(murmurHash(hashOfMapKey(i)), i, 1 + (i % 5))
      let wrong = 0
      for (let i = 0; i < 110_000; i++) {
        const expected = i < 100_000 && i % walk === 0 ? 1 + (i % 5) : 0
        if (touched.stampOf(murmurHash(hashOfMapKey(i)), i) !== expected) wrong++
      }
      expect(wrong).toBe(0)
    }
  })

  test('that nobody asks for are let go: walks that overlap for ever hold no more than the last of them needs', () => {
    const touched = new TouchedKeys()
    touched.clear()
    for (let stamp = 1; stamp <= 300; stamp++) {
      touched.forgetBelow(stamp)
      for (let i = 0; i < 1000; i++) {
        const key = stamp * 1000 + i
        touched.stamp(murmurHash(hashOfMapKey(key)), key, stamp)
      }
    }
    let held = 0
    for (let key = 1000; key < 301_000; key++) if (touched.stampOf(murmurHash(hashOfMapKey(key)), key) > 0) held++
    expect(held).toBeLessThan(20_000)
    for (let i = 0; i < 1000; i++) expect(touched.stampOf(murmurHash(hashOfMapKey(300_000 + i)), 300_000 + i)).toBe(300)
  })
})

describe('the key in front of an entry', () => {
  test('is written as any value is, and hashes as any key does', () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        const out = new ByteWriter(4)
        const expected = new ByteWriter(4)
        writeValue(expected, key)
        expect(writeMapKey(out, key)).toBe(hashOfMapKey(key))
        expect(out.take()).toEqual(expected.take())
      }),
      { numRuns: 2000, seed: 1 },
    )
  })
})
