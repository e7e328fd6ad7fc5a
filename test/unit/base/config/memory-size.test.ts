import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatMemorySize,
  type MemorySize,
  parseMemorySize,
  readMemorySize,
} from '../../../../src/base/config/memory-size.ts'

describe('a size of memory', () => {
  test.each([
    ['20 kb', 20_480],
    ['64mb', 67_108_864],
    ['1 G', 2 ** 30],
    ['2 tebibytes', 2 ** 41],
    ['512 bytes', 512],
    ['512', 512],
  ])('%s is %d bytes: every unit is 1024 of the one below', (text, bytes) => {
    expect(readMemorySize(text)).toBe(bytes)
  })

  test.each(['', 'kb', '20 kib', '-1 kb', '1.5 mb', '9007199254740993', '99999 tb'])('"%s" is refused', (text) => {
    expect(readMemorySize(text)).toBeUndefined()
  })

  test('that is bad names option, value and what is legal; a misspelt unit does not compile', () => {
    // @ts-expect-error a unit that does not exist
    const misspelt: MemorySize = '20 kbs'
    expect(() => parseMemorySize(misspelt, 'threshold')).toThrow('threshold: "20 kbs" is not a legal size of memory.')
    expect(() => parseMemorySize('2 mb', 'threshold', { maxBytes: 2 ** 20 })).toThrow('2 mb')
    expect(parseMemorySize('1 mb', 'threshold', { maxBytes: 2 ** 20 })).toBe(2 ** 20)
  })

  test('survives being written down and read again', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        expect(readMemorySize(formatMemorySize(bytes))).toBe(bytes)
      }),
    )
    expect(formatMemorySize(20_480)).toBe('20 kb')
    expect(formatMemorySize(0)).toBe('0 bytes')
  })
})
