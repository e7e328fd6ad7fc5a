import { describe, expect, it } from 'vitest'
import { collectionSource } from '../../../src/connectors/collection/collection-source.ts'
import { SourceUnderTest } from '../operators/subtask-harness.ts'

describe('a collection as a source', () => {
  it('iterates again after a restore and skips what was emitted', async () => {
    let iterated = 0
    const values = {
      *[Symbol.iterator]() {
        iterated++
        for (let value = 0; value < 5_000; value++) yield value
      },
    }
    const before = await new SourceUnderTest(collectionSource(values)).open()
    await before.emit(2_345)
    const after = await new SourceUnderTest(collectionSource(values), await before.snapshot()).open()
    await after.runToEnd()
    expect(iterated).toBe(2)
    expect([...before.values, ...after.values]).toEqual(Array.from({ length: 5_000 }, (_, index) => index))
  })

  it('copies an iterator that can be iterated only once', async () => {
    const once = [1, 2, 3].values()
    const source = collectionSource(once)
    for (let run = 0; run < 2; run++) {
      const running = await new SourceUnderTest(source).open()
      await running.runToEnd()
      expect(running.values).toEqual([1, 2, 3])
    }
  })

  it('copies 100,000 elements of such an iterator and refuses more', () => {
    const iterator = (length: number) =>
      (function* () {
        for (let index = 0; index < length; index++) yield index
      })()
    expect(() => collectionSource(iterator(100_000))).not.toThrow()
    expect(() => collectionSource(iterator(100_001))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })

  it('refuses a string, and what is no iterable', () => {
    // Plain JavaScript may hand over anything.
    const anything = collectionSource as (values: unknown) => unknown
    expect(() => anything('abc')).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('string') }),
    )
    expect(() => anything({})).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })

  it('fails when there are fewer elements than before', async () => {
    const before = await new SourceUnderTest(collectionSource([1, 2, 3])).open()
    await before.emit(3)
    const after = await new SourceUnderTest(collectionSource([1]), await before.snapshot()).open()
    await expect(after.runToEnd()).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
  })
})
