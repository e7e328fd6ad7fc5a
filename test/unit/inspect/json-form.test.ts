/** Values as JSON and back. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultSerializer } from '../../../src/elements/serializer.ts'
import { ARRAY_VIEWS, ERRORS } from '../../../src/elements/value-tags.ts'
import { jsonFormOf } from '../../../src/inspect/checkpoint/json-form.ts'
import { valueOfJsonForm } from '../../../src/inspect/checkpoint/json-form-reader.ts'
import { printable, printableJson } from '../../../src/inspect/checkpoint/printable.ts'

const serializer = defaultSerializer<unknown>()
const bytesOf = (value: unknown) => Buffer.from(serializer.serialize(value)).toString('hex')
const thereAndBack = (value: unknown) => valueOfJsonForm(JSON.parse(printableJson(JSON.stringify(jsonFormOf(value)))))

/** Whatever the default serializer takes. */
const anyValue = fc.letrec<{ readonly value: unknown }>((tie) => {
  const value = tie('value')
  const name = fc.oneof(fc.string(), fc.constantFrom('$bigint', '$', '__proto__', 'constructor', '0', 'toString'))
  const bytes = fc.uint8Array({ maxLength: 24 }).map((all) => all.slice(0, all.length & ~7))
  const objectOf = (prototype: object | null) =>
    fc.array(fc.tuple(name, value), { maxLength: 4 }).map((pairs) => {
      const target = Object.create(prototype) as object
      for (const [one, content] of pairs)
        Object.defineProperty(target, one, { value: content, enumerable: true, configurable: true, writable: true })
      return target
    })
  return {
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string({ unit: 'binary' }),
      fc.constantFrom(undefined, null, true, false, -0, Number.NaN, Number.POSITIVE_INFINITY, '\ud800', '\u202e'),
      fc.double(),
      fc.integer(),
      fc.bigInt(),
      fc.date({ noInvalidDate: false }),
      bytes,
      bytes.map((all) => Buffer.from(all)),
      bytes.map((all) => all.buffer.slice(0)),
      fc.tuple(fc.constantFrom(...ARRAY_VIEWS), bytes).map(([View, all]) => {
        const { buffer } = all.slice()
        return new View(buffer, 0, all.length / (View.BYTES_PER_ELEMENT ?? 1))
      }),
      fc.constantFrom(/a\/b/giu, /(?:)/, Object.assign(/x/g, { lastIndex: 3 })),
      fc.constantFrom(Object(1), Object('text'), Object(-0), Object(false), Object(3n)),
      fc
        .tuple(fc.constantFrom(...ERRORS), fc.string())
        .map(([Kind, message]) => new Kind(message, { cause: { message } })),
      fc.array(value, { maxLength: 4 }),
      fc.array(value, { maxLength: 3 }).map((all) => Object.assign([], { length: 4_000_000_000, 7: all, name: 1 })),
      fc.array(fc.tuple(value, value), { maxLength: 3 }).map((pairs) => new Map(pairs)),
      fc.array(value, { maxLength: 3 }).map((all) => new Set(all)),
      objectOf(Object.prototype),
      objectOf(null),
    ),
  }
}).value

describe('The JSON form', () => {
  test('loses nothing: what is read back from it has the same bytes', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(bytesOf(thereAndBack(value))).toBe(bytesOf(value))
      }),
      { numRuns: 1000 },
    )
  })

  test.each<[unknown, string]>([
    [{ a: [1, 'x', null, true] }, '{"a":[1,"x",null,true]}'],
    [undefined, '{"$undefined":true}'],
    [Number.NaN, '{"$number":"NaN"}'],
    [-0, '{"$number":"-0"}'],
    [Number.NEGATIVE_INFINITY, '{"$number":"-Infinity"}'],
    [12n, '{"$bigint":"12"}'],
    [new Date(0), '{"$date":"1970-01-01T00:00:00.000Z"}'],
    [new Date(Number.NaN), '{"$date":null}'],
    [new Map([['a', 1]]), '{"$map":[["a",1]]}'],
    [new Set(['a']), '{"$set":["a"]}'],
    [Uint8Array.of(1, 2), '{"$bytes":"AQI="}'],
    [Buffer.of(1, 2), '{"$buffer":"AQI="}'],
    [Float32Array.of(1), '{"$view":{"type":"Float32Array","base64":"AACAPw=="}}'],
    [{ $x: 1 }, '{"$object":[["$x",1]]}'],
    [Object.assign(Object.create(null), { a: 1 }), '{"$nullObject":[["a",1]]}'],
    [Object.assign([], { 2: 'x' }), '{"$array":{"length":3,"entries":[["2","x"]]}}'],
  ])('of %o is %s', (value, json) => {
    expect(JSON.stringify(jsonFormOf(value))).toBe(json)
  })

  test('of a property named __proto__ pollutes nothing', () => {
    const value: unknown = JSON.parse('{"__proto__":{"polluted":true}}')
    expect(JSON.stringify(jsonFormOf(value))).toBe('{"__proto__":{"polluted":true}}')
    expect(Object.hasOwn(thereAndBack(value) as object, '__proto__')).toBe(true)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  test.each([
    '{"$nothing":1}',
    '{"$bigint":1}',
    '{"$bigint":"1.5"}',
    '{"$bigint":"1","more":1}',
    '{"$number":"1"}',
    '{"$map":[[1]]}',
    '{"$array":{"length":-1,"entries":[]}}',
    '{"$view":{"type":"Function","base64":""}}',
    '{"$view":{"type":"Float64Array","base64":"AA=="}}',
    '{"$error":{"type":"constructor","properties":[]}}',
    '{"$regexp":{"source":"(","flags":"","lastIndex":0}}',
    '{"$toString":1}',
    '{"$boxed":{}}',
  ])('that is %s is refused', (json) => {
    expect(() => valueOfJsonForm(JSON.parse(json))).toThrow(expect.objectContaining({ code: 'COMMAND_INVALID' }))
  })
})

describe('Text for a terminal', () => {
  test('has no character that moves the cursor, hides or reverses', () => {
    expect(printable('a\u001b[2Jb\r\n\u202ec\u0085\u2028\ud800é漢')).toBe(
      'a\\u001b[2Jb\\u000d\\u000a\\u202ec\\u0085\\u2028\\ud800é漢',
    )
  })

  test('is the same JSON as before', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = printableJson(JSON.stringify({ text }, undefined, 1))
        expect(JSON.parse(json)).toEqual({ text })
        expect(json).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      }),
    )
  })
})
