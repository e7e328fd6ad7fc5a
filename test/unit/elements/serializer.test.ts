import { deepStrictEqual } from 'node:assert'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteReader } from '../../../src/elements/byte-reader.ts'
import { ByteWriter } from '../../../src/elements/byte-writer.ts'
import { defaultSerializer, valueCodec } from '../../../src/elements/serializer.ts'

const serializer = defaultSerializer<unknown>()
const back = (value: unknown) => serializer.deserialize(serializer.serialize(value), 1)
const thrown = (
  call: () => unknown,
): { readonly code?: string; readonly message?: string; readonly details?: { readonly path?: string } } => {
  try {
    call()
  } catch (error) {
    return error as { readonly code?: string }
  }
  return {}
}

const primitive = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ maxLength: 100 }),
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt(),
  fc.boolean(),
  fc.constantFrom(
    undefined,
    null,
    -0,
    Number.NaN,
    '\ud800',
    127,
    128,
    -1,
    2 ** 31 - 1,
    -(2 ** 31),
    2 ** 31,
    2n ** 63n,
    -(2n ** 63n),
    -(2n ** 64n),
  ),
)
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    primitive,
    fc.date({ noInvalidDate: true }),
    fc.uint8Array(),
    fc.float64Array(),
    fc.bigInt64Array(),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.sparseArray(tie('value'), { maxNumElements: 5 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', '1', 'constructor', 'é')), tie('value'), {
      maxKeys: 5,
    }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 4 }).map((elements) => new Set(elements)),
  ),
})).value

describe('the default serializer', () => {
  test('gives every value back exactly as it was', () => {
    fc.assert(
      fc.property(value, (original) => {
        deepStrictEqual(back(original), original)
      }),
      { numRuns: 500, seed: 1 },
    )
  })

  test.each([
    ['-0', -0],
    ['a regular expression and where it stands', Object.assign(/a(?<b>.)/giu, { lastIndex: 3 })],
    ['an own property named __proto__', JSON.parse('{"__proto__":{"polluted":1}}') as unknown],
    ['an object without prototype', Object.assign(Object.create(null) as object, { a: 1 })],
    ['an empty array with a length', new Array(5)],
    ['an array of four thousand million holes', Object.assign(new Array<number>(2 ** 32 - 1), { 7: 1 })],
    ['a match with its named properties', /(?<word>b)/.exec('abc')],
    ['an array with a hole in the middle', Object.assign(new Array(4), { 0: 1, 2: undefined, 3: 3 })],
    ['bytes', new Uint8Array([1, 2, 3]).buffer],
    ['a view of a part of a buffer', new Float32Array(new Float32Array([1, 2, 3, 4]).buffer, 4, 2)],
    ['a DataView', new DataView(new Uint8Array([9, 8, 7]).buffer)],
    ['a Buffer', Buffer.from('abc')],
    ['a boxed string, number, boolean and bigint', [Object('ab'), Object(1), Object(false), Object(1n)]],
    [
      'an error with cause and extra property',
      Object.assign(new TypeError('bad', { cause: { why: 1 } }), { code: 'E' }),
    ],
    ['a map with an object as key', new Map([[{ a: 1 }, new Set([[1]])]])],
    ['a string of 63, 64 and 20,000 units', ['x'.repeat(63), 'x'.repeat(64), 'é'.repeat(20_000), '✓'.repeat(20_000)]],
  ])('keeps %s', (_, original) => {
    const copy = back(original)
    deepStrictEqual(copy, original)
    expect(Object.getPrototypeOf(copy as object)).toBe(Object.getPrototypeOf(original))
    if (typeof original === 'object' && original !== null)
      deepStrictEqual(Reflect.ownKeys(copy as object), Reflect.ownKeys(original))
  })

  test('an own __proto__ changes no prototype', () => {
    const copy = back(JSON.parse('{"__proto__":{"polluted":1}}')) as { readonly polluted?: number }
    expect(copy.polluted).toBeUndefined()
    expect(({} as { readonly polluted?: number }).polluted).toBeUndefined()
  })

  test('keeps an invalid date', () => {
    const copy = back(new Date(Number.NaN)) as Date
    expect([copy instanceof Date, copy.getTime()]).toEqual([true, Number.NaN])
  })

  test('takes plain objects of another realm', () => {
    expect(back(runInNewContext('({ a: [1, { b: 2 }] })'))).toEqual({ a: [1, { b: 2 }] })
  })

  test('writes no property that an object only inherits from a polluted Object.prototype', () => {
    Object.defineProperty(Object.prototype, 'polluted', {
      value: 1,
      enumerable: true,
      configurable: true,
      writable: true,
    })
    let names: readonly string[]
    try {
      names = Object.keys(back({ own: 2 }) as object)
    } finally {
      Reflect.deleteProperty(Object.prototype, 'polluted')
    }
    expect(names).toEqual(['own'])
  })
})

class Money {
  amount = 1
}
class List<T> extends Array<T> {}
const cycle: { self?: unknown } = {}
cycle.self = { back: [cycle] }
let deep: unknown = 1
for (let i = 0; i < 1001; i++) deep = { d: deep }

describe('the default serializer refuses, with the path', () => {
  test.each([
    ['a function', { a: [1, () => 1] }, 'value.a[1]'],
    ['a symbol', { 'odd name': Symbol('s') }, 'value["odd name"]'],
    ['a property named by a symbol', { a: { [Symbol('tag')]: 1 } }, 'value.a'],
    ['a hidden property', { a: Object.defineProperty({}, 'h', { value: 1 }) }, 'value.a'],
    ['an array with a property named by a symbol', { a: Object.assign([1], { [Symbol('tag')]: 1 }) }, 'value.a'],
    ['a sparse array with one', { a: Object.assign(new Array(3), { [Symbol('tag')]: 1 }) }, 'value.a'],
    ['a long array with one', { a: Object.assign(new Array(5000).fill(1), { [Symbol('tag')]: 1 }) }, 'value.a'],
    ['a large typed array with one', { a: Object.assign(new Uint8Array(5000), { [Symbol('tag')]: 1 }) }, 'value.a'],
    ['an array with a hidden property', { a: Object.defineProperty([1], 'h', { value: 1 }) }, 'value.a'],
    ['a cycle', cycle, 'value.self.back[0]'],
    ['an instance of a class', { items: [{ price: new Money() }] }, 'value.items[0].price'],
    ['a subclass of Array', { l: new List(3) }, 'value.l'],
    ['a promise', [Promise.resolve()], 'value[0]'],
    ['a proxy of an object', { p: new Proxy({ a: 1 }, {}) }, 'value.p'],
    ['a proxy of an array', { p: new Proxy([1], {}) }, 'value.p'],
    ['a WeakMap', { w: new WeakMap() }, 'value.w'],
    ['what stands in a Map', new Map([['k', () => 1]]), 'value.get("k")'],
    ['what stands in a Set', new Set([Symbol('s')]), 'value.element(0)'],
    ['shared memory', { b: new SharedArrayBuffer(1) }, 'value.b'],
    ['a date with a property of its own', { d: Object.assign(new Date(0), { zone: 'UTC' }) }, 'value.d'],
    ['a boxed symbol', [Object(Symbol('s'))], 'value[0]'],
  ])('%s', (_, refused, path) => {
    const error = thrown(() => serializer.serialize(refused))
    expect(error).toMatchObject({ code: 'NOT_SERIALIZABLE', details: { path } })
    expect(error.message).toContain(path)
  })

  test.each([
    ['a property named by a symbol', Object.assign({ a: 1, b: [1] }, { [Symbol('tag')]: 1 })],
    ['a hidden property', Object.defineProperty({ a: 1, b: [1] }, 'h', { value: 1 })],
    ['a proxy', new Proxy({ a: 1, b: [1] }, {})],
    ['a symbol on an array', { a: 1, b: Object.assign([1], { [Symbol('tag')]: 1 }) }],
  ])('%s also behind many objects that look alike, in one value and one after the other', (_, odd) => {
    const alike = Array.from({ length: 40 }, () => ({ a: 1, b: [1] }))
    for (const each of alike) serializer.serialize(each)
    expect(thrown(() => serializer.serialize(odd))).toMatchObject({ code: 'NOT_SERIALIZABLE' })
    expect(thrown(() => serializer.serialize([...alike, odd]))).toMatchObject({ code: 'NOT_SERIALIZABLE' })
  })

  test('an object 1,001 levels deep, where 1,000 are taken', () => {
    expect(thrown(() => serializer.serialize(deep))).toMatchObject({ code: 'NOT_SERIALIZABLE' })
    const bearable = (deep as { readonly d: unknown }).d
    deepStrictEqual(JSON.stringify(back(bearable)), JSON.stringify(bearable))
  })

  test('and leaves nothing of the refused value behind', () => {
    const codec = valueCodec<unknown>(undefined)
    const out = new ByteWriter(4)
    codec.write(out, 'before')
    expect(() => codec.write(out, [1, 2, () => 3])).toThrow()
    codec.write(out, 'after')
    const input = new ByteReader(out.take())
    expect([codec.read(input, 1), codec.read(input, 1), input.remaining]).toEqual(['before', 'after', 0])
  })

  test('passes on what a getter throws', () => {
    const error = new Error('of the getter')
    const object = {
      get broken(): number {
        throw error
      },
    }
    expect(() => serializer.serialize(object)).toThrow(error)
  })
})

describe('hostile bytes', () => {
  test('any bytes give a value or NOT_DESERIALIZABLE, and pollute nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          serializer.deserialize(bytes, 1)
        } catch (error) {
          expect(error).toMatchObject({ code: 'NOT_DESERIALIZABLE' })
        }
      }),
      { numRuns: 3000, seed: 1 },
    )
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  test('a value that is cut off anywhere, or has one byte changed, gives a value or NOT_DESERIALIZABLE', () => {
    fc.assert(
      fc.property(value, fc.nat(), fc.integer({ min: 1, max: 255 }), (original, place, change) => {
        const bytes = serializer.serialize(original)
        const at = place % bytes.length
        expect(thrown(() => serializer.deserialize(bytes.subarray(0, at), 1))).toMatchObject({
          code: 'NOT_DESERIALIZABLE',
        })
        bytes[at] = (bytes[at] as number) ^ change
        const { code } = thrown(() => serializer.deserialize(bytes, 1))
        expect([undefined, 'NOT_DESERIALIZABLE']).toContain(code)
      }),
      { numRuns: 500, seed: 1 },
    )
  })

  test.each([
    ['an array of four thousand million elements', [0x0e, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['a string longer than its bytes', [0x0a, 0x80, 0x80, 0x80, 0x01]],
    ['a map larger than its bytes', [0x10, 0x7f]],
    ['an integer longer than 32 bits', [0x0e, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ['100,000 arrays in each other', new Array<number>(200_000).fill(0).map((_, i) => (i % 2 === 0 ? 0x0e : 1))],
    ['an unknown tag', [0x3f]],
    ['an array with a property named length', [0x0f, 5, 0x46, ...Buffer.from('length'), 0x85, 0]],
    ['bytes behind the value', [0x81, 0x81]],
    ['nothing', []],
  ])('%s', (_, bytes) => {
    expect(thrown(() => serializer.deserialize(Uint8Array.from(bytes), 1))).toMatchObject({
      code: 'NOT_DESERIALIZABLE',
    })
  })
})

describe('a codec around a serializer of a user', () => {
  test('puts the length in front and hands on the version that wrote', () => {
    const versions: number[] = []
    const codec = valueCodec<string>({
      id: 'text',
      version: 2,
      serialize: (text) => Buffer.from(text),
      deserialize(bytes, version) {
        versions.push(version)
        return Buffer.from(bytes).toString()
      },
    })
    const out = new ByteWriter(1)
    codec.write(out, 'one')
    codec.write(out, '')
    const input = new ByteReader(out.take())
    expect([codec.read(input, 1), codec.read(input, 2)]).toEqual(['one', ''])
    expect(versions).toEqual([1, 2])
  })

  test('refuses what is no Uint8Array', () => {
    const codec = valueCodec<string>({
      id: 'x',
      version: 1,
      serialize: (text) => text as unknown as Uint8Array,
      deserialize: () => '',
    })
    expect(() => codec.write(new ByteWriter(1), 'text')).toThrow(expect.objectContaining({ code: 'NOT_SERIALIZABLE' }))
  })
})
