import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { DataGeneratorSource } from '../../../src/connectors/data-generator/data-generator-source.ts'
import { sequenceSource } from '../../../src/connectors/sequence/sequence-source.ts'
import { contiguousSplits } from '../../../src/connectors/sequence/strided-split.ts'
import { SourceUnderTest } from '../operators/subtask-harness.ts'

const sorted = (values: readonly unknown[]) => [...values].sort((one, other) => Number(one) - Number(other))
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

describe('a sequence', () => {
  it('includes both ends and is in order in one subtask', async () => {
    const source = await new SourceUnderTest(sequenceSource(-2, 3)).open()
    await source.runToEnd()
    expect(source.values).toEqual([-2, -1, 0, 1, 2, 3])
  })

  it('is split into parts that cover it exactly, at any parallelism', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -50, max: 50 }),
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 1, max: 70 }),
        (from, more, parts) => {
          const splits = contiguousSplits(from, from + more, parts)
          expect(splits.flatMap(({ next, end }) => range(next, end - 1))).toEqual(range(from, from + more))
          expect(splits.length).toBe(Math.min(parts, more + 1))
        },
      ),
    )
  })

  it('goes on behind the last emitted number, wherever it is stopped', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 30 }),
        async (old, renewed, count) => {
          const before = await new SourceUnderTest(sequenceSource(0, 24), { parallelism: old }).open()
          for (let subtask = 0; subtask < old; subtask++) await before.emit(count % 9, subtask)
          const after = await new SourceUnderTest(sequenceSource(0, 24), {
            parallelism: renewed,
            ...(await before.snapshot()),
          }).open()
          await after.runToEnd()
          expect(sorted([...before.values, ...after.values])).toEqual(range(0, 24))
        },
      ),
      { numRuns: 50 },
    )
  })

  it('refuses bounds that are no whole numbers, and an end before the start', () => {
    for (const [from, to] of [
      [0.5, 2],
      [0, Number.NaN],
      [2, 1],
      [0, Number.MAX_SAFE_INTEGER],
    ] as const)
      expect(() => sequenceSource(from, to)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})

describe('a data generator', () => {
  it('makes each number up to its count once, over all subtasks', async () => {
    const source = await new SourceUnderTest(new DataGeneratorSource((index) => index * 2, { count: 11 }), {
      parallelism: 3,
    }).open()
    await source.runToEnd()
    expect(sorted(source.values)).toEqual(range(0, 10).map((index) => index * 2))
  })

  it('is unbounded without a count and ends at once with count 0', async () => {
    expect(new DataGeneratorSource((index) => index).boundedness).toBe('continuous-unbounded')
    const none = new DataGeneratorSource((index) => index, { count: 0 })
    expect(none.boundedness).toBe('bounded')
    const source = await new SourceUnderTest(none).open()
    await source.runToEnd()
    expect(source.values).toEqual([])
  })

  it('makes as many records a second as it may, shared by the subtasks, and no flood after a pause', async () => {
    const clock = new VirtualClock()
    const generator = new DataGeneratorSource((index) => index, { ratePerSecond: 20 })
    const source = await new SourceUnderTest(generator, { parallelism: 2, clock }).open()
    const emitFor = (ms: number) => {
      for (let passed = 0; passed < ms; passed += 10) {
        clock.advance(10)
        for (const operator of source.operators) operator.emitNext(1_000)
      }
      return source.values.length
    }
    emitFor(20)
    const first = emitFor(1_000)
    expect(first).toBeGreaterThanOrEqual(18)
    expect(first).toBeLessThanOrEqual(22)
    clock.advance(60_000)
    expect(emitFor(10) - first).toBeLessThanOrEqual(22)
  })

  it('settles its wait when the next record is due', async () => {
    const clock = new VirtualClock()
    const source = await new SourceUnderTest(new DataGeneratorSource((index) => index, { ratePerSecond: 4 }), {
      clock,
    }).open()
    const operator = source.operator()
    operator.emitNext(10)
    operator.emitNext(10)
    let due = false
    void operator.available().then(() => {
      due = true
    })
    clock.advance(249)
    await Promise.resolve()
    expect(due).toBe(false)
    clock.advance(2)
    await Promise.resolve()
    expect(due).toBe(true)
  })

  it('refuses options that make no sense', () => {
    for (const options of [{ count: -1 }, { count: 1.5 }, { ratePerSecond: 0 }, { ratePerSecond: Number.NaN }])
      expect(() => new DataGeneratorSource((index) => index, options)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      )
  })
})
