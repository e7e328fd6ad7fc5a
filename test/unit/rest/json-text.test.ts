import { describe, expect, it } from 'vitest'
import { jsonText, LONG_MAX, LONG_MIN } from '../../../src/rest/json-text.ts'

describe('JSON for Java clients', () => {
  it('is what JSON.stringify writes, for what both can write', () => {
    const value = {
      text: 'a "quoted" line\nbreak \u2028 \ud83d\ude00',
      number: 1.5e-7,
      nothing: null,
      yes: true,
      list: [1, [], {}, undefined],
      left: undefined,
      __proto__: null,
    }
    expect(jsonText(value)).toBe(JSON.stringify(value))
    expect(jsonText(undefined)).toBe('null')
  })

  it('writes whole numbers beyond those of JavaScript digit by digit', () => {
    expect(jsonText({ interval: LONG_MAX, low: [LONG_MIN], big: 12345678901234567890n })).toBe(
      '{"interval":9223372036854775807,"low":[-9223372036854775808],"big":12345678901234567890}',
    )
  })

  it('writes what is no finite number as Java does', () => {
    expect(jsonText([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])).toBe(
      '["NaN","Infinity","-Infinity"]',
    )
  })

  it('keeps a member that is called __proto__', () => {
    expect(jsonText(JSON.parse('{"__proto__":1}'))).toBe('{"__proto__":1}')
  })
})
