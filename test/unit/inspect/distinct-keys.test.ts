/** Counting different keys. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DistinctKeys } from '../../../src/inspect/checkpoint/distinct-keys.ts'

test('as many are counted as a set of them would have', () => {
  const keys = fc.array(fc.uint8Array({ maxLength: 3, max: 4 }), { maxLength: 300 })
  fc.assert(
    fc.property(keys, (all) => {
      const distinct = new DistinctKeys()
      const texts = new Set<string>()
      for (const key of all) {
        const text = key.join(',')
        expect(distinct.add(key)).toBe(!texts.has(text))
        texts.add(text)
      }
      expect(distinct.count).toBe(texts.size)
    }),
  )
})
