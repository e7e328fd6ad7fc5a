import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mapKeyOf } from '../../../src/state/key.ts'
import {
  defaultMaxParallelism,
  hashOfKey,
  hashOfMapKey,
  keyGroupOf,
  keyGroupOfHash,
  keyGroupRanges,
  subtaskOfKeyGroup,
} from '../../../src/state/key-groups.ts'

describe('the hash of a key', () => {
  test.each([
    ['abc', 96354],
    ['', 0],
    [true, 1231],
    [false, 1237],
    [-1, -1],
    [-0, 0],
    [2 ** 31, 1105199104],
    [Number.NaN, 2146959360],
    [Number.POSITIVE_INFINITY, 2146435072],
    [1.5, 1073217536],
    [1n << 32n, 1],
    [-1n, 0],
  ])('of %s is that of Java: %i', (key, hash) => {
    expect(hashOfKey(key)).toBe(hash)
  })

  test.each([
    ['an array', ['a', 1], 13054477],
    ['an object', { b: 1, a: 'x' }, -733799229],
    ['a bigint of more than 64 bits', 2n ** 64n, -1807454463],
    ['a negative one', -(2n ** 64n), -2003967968],
  ])('of %s never changes', (_, key, hash) => {
    expect(hashOfKey(key)).toBe(hash)
  })

  test('is the same for the key and its encoded form', () => {
    for (const key of ['a', '\u0000a', '\u0000c', '', 1, -0, 2.5, 3n, 2n ** 70n, true, [1, 'a'], { a: [1] }]) {
      expect(hashOfMapKey(mapKeyOf(key))).toBe(hashOfKey(key))
      expect(keyGroupOfHash(hashOfMapKey(mapKeyOf(key)), 128)).toBe(keyGroupOf(key, 128))
    }
  })

  test.each([undefined, null, new Date(0)])('of %s is refused', (key) => {
    expect(() => keyGroupOf(key, 128)).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }))
  })
})

describe('the key groups of the subtasks', () => {
  test('cover all groups once, and each group belongs to the subtask whose range has it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 600 }), (one, other) => {
        const [parallelism, maxParallelism] = [Math.min(one, other), Math.max(one, other)]
        const ranges = keyGroupRanges(maxParallelism, parallelism)
        let group = 0
        ranges.forEach(({ first, last }, subtask) => {
          expect(first).toBe(group)
          for (; group <= last; group++) expect(subtaskOfKeyGroup(group, maxParallelism, parallelism)).toBe(subtask)
        })
        expect(group).toBe(maxParallelism)
      }),
    )
  })

  test.each([
    [128, 129],
    [128, 0],
    [40_000, 2],
  ])('max parallelism %i with parallelism %i is refused', (maxParallelism, parallelism) => {
    expect(() => keyGroupRanges(maxParallelism, parallelism)).toThrow(
      expect.objectContaining({ code: 'PARALLELISM_ABOVE_MAXIMUM' }),
    )
  })

  test('the default max parallelism is a power of two of at least one and a half times the parallelism', () => {
    for (const parallelism of [1, 85, 86, 170, 171, 1000, 21845]) {
      const maxParallelism = defaultMaxParallelism(parallelism)
      expect(Math.log2(maxParallelism) % 1).toBe(0)
      expect(maxParallelism).toBeGreaterThanOrEqual(Math.min(Math.floor(parallelism * 1.5), 32768))
    }
  })
})
