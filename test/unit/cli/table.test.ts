import { describe, expect, test } from 'vitest'
import { alignedRows, plainText } from '../../../src/cli/table.ts'

describe('A table', () => {
  test('has columns as wide as their widest cell, and no blanks at the end of a line', () => {
    expect(alignedRows([['a', 'bb', 'c'], ['aaa', 'b', ''], ['aa']])).toEqual(['a    bb  c', 'aaa  b', 'aa'])
  })

  test('counts characters, not halves of them', () => {
    expect(
      alignedRows([
        ['😀', 'x'],
        ['ab', 'y'],
      ]),
    ).toEqual(['😀   x', 'ab  y'])
  })

  test('shows what would move the cursor, or turn the line round, as its escape', () => {
    expect(plainText('a\u001b[1m\n\u202eb\u2028é')).toBe('a\\u{1b}[1m\\u{a}\\u{202e}b\\u{2028}é')
    expect(alignedRows([['\r', 'x']])).toEqual(['\\u{d}  x'])
  })
})
