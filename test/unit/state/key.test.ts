import { deepStrictEqual } from 'node:assert'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyOf, mapKeyOf } from '../../../src/state/key.ts'

const simple = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '\u0000', '\u0000c', '\u0000s', '\u0000cx', '__proto__', '\ud800'),
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  fc.boolean(),
)
const key = fc.letrec((tie) => ({
  key: fc.oneof(
    { maxDepth: 3 },
    simple,
    fc.array(tie('key'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('key'), { maxKeys: 4 }),
  ),
})).key

/** -0 as 0 everywhere: what equal keys have in common. */
const normal = (part: unknown): unknown => {
  if (part === 0) return 0
  if (Array.isArray(part)) return part.map(normal)
  if (typeof part !== 'object' || part === null) return part
  return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, normal(value)]))
}
const shuffled = (part: unknown): unknown => {
  if (Array.isArray(part)) return part.map(shuffled)
  if (typeof part !== 'object' || part === null) return part
  return Object.fromEntries(
    Object.entries(part)
      .reverse()
      .map(([name, value]) => [name, shuffled(value)]),
  )
}
const equal = (one: unknown, other: unknown): boolean => {
  try {
    deepStrictEqual(normal(one), normal(other))
    return true
  } catch {
    return false
  }
}

describe('a key in its encoded form', () => {
  test('comes back as a key that is equal to it', () => {
    fc.assert(
      fc.property(key, (original) => {
        deepStrictEqual(normal(keyOf(mapKeyOf(original))), normal(original))
      }),
      { numRuns: 1000, seed: 1 },
    )
  })

  test('is the same for equal keys, whatever the order of properties, and differs for different ones', () => {
    fc.assert(
      fc.property(key, key, (one, other) => {
        const map = new Map([[mapKeyOf(one), 1]])
        expect(map.has(mapKeyOf(shuffled(one)))).toBe(true)
        expect(map.has(mapKeyOf(other))).toBe(equal(one, other))
      }),
      { numRuns: 1000, seed: 1 },
    )
  })

  test('is the same for every NaN, whatever bits the processor gave it', () => {
    const bits = new BigUint64Array([0x7ff8_0000_0000_0123n, 0xfff8_0000_0000_0000n, 0x7ff8_0000_0000_0000n])
    for (const nan of new Float64Array(bits.buffer)) {
      expect(mapKeyOf([nan])).toBe(mapKeyOf([Number.NaN]))
      expect(mapKeyOf({ at: nan })).toBe(mapKeyOf({ at: Number.NaN }))
    }
  })

  test('is the key itself where the key is a primitive', () => {
    for (const primitive of ['text', '', 'grüße', 0.5, 7, true, 12n]) expect(mapKeyOf(primitive)).toBe(primitive)
  })

  test('tells a composite from the string that it is encoded as', () => {
    const composite = mapKeyOf([1, 'a'])
    expect(mapKeyOf(composite)).not.toBe(composite)
    expect(keyOf(mapKeyOf(composite))).toBe(composite)
  })
})

class Account {
  id = 1
}

describe('what cannot be a key is refused with path and hint', () => {
  const endless: unknown[] = []
  endless.push(endless)
  test.each([
    ['undefined', undefined, 'key', /Choose a value/],
    ['null in an array', ['a', null], 'key[1]', /Choose a value/],
    ['a hole', Object.assign([1, 0, 2], { length: 4 }), 'key[3]', /Choose a value/],
    ['a date', { at: new Date(0) }, 'key.at', /getTime\(\)/],
    ['a symbol', Symbol('s'), 'key', /description/],
    ['a function', [() => 1], 'key[0]', /array or plain object/],
    ['a promise', Promise.resolve('a'), 'key', /synchronous/],
    ['a Map', new Map(), 'key', /array or plain object/],
    ['an instance of a class', { account: new Account() }, 'key.account', /identifies/],
    ['a typed array', new Uint8Array(2), 'key', /array or plain object/],
    ['a proxy', new Proxy([1], {}), 'key', /array or plain object/],
    ['a property named by a symbol', { [Symbol('s')]: 1 }, 'key', /array or plain object/],
  ])('%s', (_, refused, path, hint) => {
    expect(() => mapKeyOf(refused)).toThrow(
      expect.objectContaining({ code: 'INVALID_KEY', details: { path }, hint: expect.stringMatching(hint) }),
    )
  })

  test('an array that contains itself', () => {
    expect(() => mapKeyOf(endless)).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }))
  })
})
