import { describe, expect, it } from 'vitest'
import { collectionSource } from '../../../src/connectors/collection/collection-source.ts'
import { defineSource } from '../../../src/connectors/define-source/define-source.ts'
import { sequenceSource } from '../../../src/connectors/sequence/sequence-source.ts'
import { MORE_AVAILABLE } from '../../../src/operators/operator.ts'
import { WatermarkStrategy } from '../../../src/operators/watermark-strategy.ts'
import { SourceUnderTest } from './subtask-harness.ts'

const boundless = () =>
  defineSource({
    boundedness: 'continuous-unbounded',
    splits: () => ['a', 'b'],
    start: () => 0,
    async *read(split, position, signal) {
      const step = split === 'a' ? 10 : 1
      for (let next = position; !signal.aborted; next++)
        yield { value: split, position: next + 1, timestamp: next * step }
    },
  })

describe('a source operator', () => {
  it('stops at its budget and when the gate closes', async () => {
    const source = await new SourceUnderTest(sequenceSource(1, 100)).open()
    const operator = source.operator()
    const harness = source.harness()
    expect(operator.emitNext(3)).toBe(MORE_AVAILABLE)
    const before = harness.records.length
    harness.gate.closed = 1
    expect(operator.emitNext(50)).toBe(MORE_AVAILABLE)
    expect(harness.records.length).toBe(before)
    expect(harness.counters.recordsOut).toBe(before)
  })

  it('assigns timestamps and emits the watermark periodically, after the records that made it', async () => {
    const strategy = WatermarkStrategy.forBoundedOutOfOrderness<number>(2, { timestampAssigner: (value) => value * 10 })
    const source = await new SourceUnderTest(collectionSource([1, 5, 3]), { strategy }).open()
    const harness = source.harness()
    await source.emit(3)
    expect(harness.records.map(({ timestamp }) => timestamp)).toEqual([10, 50, 30])
    expect(harness.times).toEqual([])
    harness.advance(200)
    expect(harness.times).toEqual([47])
    harness.advance(600)
    expect(harness.times).toEqual([47])
  })

  it('refuses a timestamp that is none, and names what was returned', async () => {
    const strategy = WatermarkStrategy.noWatermarks<number>({ timestampAssigner: () => Number.NaN })
    const source = await new SourceUnderTest(collectionSource([1]), { strategy }).open()
    await expect(source.runToEnd()).rejects.toMatchObject({
      code: 'TIMESTAMP_INVALID',
      message: expect.stringContaining('NaN'),
    })
  })

  it('combines the watermarks of its splits by minimum', async () => {
    const strategy = WatermarkStrategy.forMonotonousTimestamps<string>()
    const source = await new SourceUnderTest(boundless(), { strategy }).open()
    await source.emit(200)
    const harness = source.harness()
    harness.advance(200)
    const largest = (split: string) =>
      Math.max(...harness.records.filter(({ value }) => value === split).map(({ timestamp }) => timestamp))
    expect(harness.times).toEqual([Math.min(largest('a'), largest('b')) - 1])
    await source.close()
  })

  it('shows idleness when nothing came for so long, but not while its output has no credit', async () => {
    const strategy = WatermarkStrategy.noWatermarks<number>({ idleness: 1_000 })
    const quiet = defineSource<number, number>({
      boundedness: 'continuous-unbounded',
      splits: () => ['only'],
      start: () => 0,
      async *read(_split, _position, signal) {
        yield { value: 1, position: 1 }
        await new Promise((settle) => signal.addEventListener('abort', settle))
      },
    })
    const source = await new SourceUnderTest(quiet, { strategy }).open()
    const harness = source.harness()
    await source.emit(1)
    harness.gate.closed = 1
    harness.advance(3_000)
    expect(harness.times).toEqual([])
    harness.gate.closed = 0
    harness.advance(1_200)
    expect(harness.times).toEqual(['idle'])
    await source.close()
  })

  it('keeps its splits in operator state and deals them out at another parallelism', async () => {
    const before = await new SourceUnderTest(sequenceSource(1, 40), { parallelism: 4 }).open()
    for (let subtask = 0; subtask < 4; subtask++) await before.emit(3, subtask)
    const emitted = before.values
    const after = await new SourceUnderTest(sequenceSource(1, 40), {
      parallelism: 2,
      ...(await before.snapshot()),
    }).open()
    await after.runToEnd()
    expect([...emitted, ...after.values].sort((one, other) => Number(one) - Number(other))).toEqual(
      Array.from({ length: 40 }, (_, index) => index + 1),
    )
  })

  it('takes no split behind a stop: the enumerator, which was asked for its state before, holds it still', async () => {
    const before = new SourceUnderTest(sequenceSource(1, 40))
    // The request waits until all is over.
    before.harness().onSplitRequest = () => {}
    await before.open()
    const { enumeratorState } = await before.snapshot()
    before.operator().stop?.()
    before.enumerator.handleSplitRequest(0)
    const { restored } = await before.snapshot()
    const after = await new SourceUnderTest(sequenceSource(1, 40), { enumeratorState, restored }).open()
    await after.runToEnd()
    expect(after.values).toEqual(Array.from({ length: 40 }, (_, index) => index + 1))
  })

  it('asks for splits and ends when there are none left, after a restore of a finished source too', async () => {
    const before = await new SourceUnderTest(sequenceSource(1, 3)).open()
    await before.runToEnd()
    const after = await new SourceUnderTest(sequenceSource(1, 3), await before.snapshot()).open()
    await after.runToEnd()
    expect(after.values).toEqual([])
  })
})
