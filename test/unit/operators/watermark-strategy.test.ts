import { describe, expect, test } from 'vitest'
import { collectionSource } from '../../../src/connectors/collection/collection-source.ts'
import { Time, type WatermarkGenerator, WatermarkStrategy } from '../../../src/index.ts'
import { SourceUnderTest } from './subtask-harness.ts'

/** The timestamps of the records of a source with this strategy. */
async function timestampsOf(strategy: WatermarkStrategy<number>): Promise<readonly number[]> {
  const source = await new SourceUnderTest(collectionSource([3, 5]), { strategy }).open()
  await source.emit(2)
  return source.harness().records.map(({ timestamp }) => timestamp)
}

describe('A chained watermark strategy', () => {
  test('keeps what was said before, in whichever order', () => {
    const assigner = (value: number) => value * 10
    const one = WatermarkStrategy.forBoundedOutOfOrderness(7).withIdleness('1 s').withTimestampAssigner(assigner)
    const other = WatermarkStrategy.forBoundedOutOfOrderness(7)
      .withTimestampAssigner(assigner)
      .withIdleness(Time.seconds(1))
    const atOnce = WatermarkStrategy.forBoundedOutOfOrderness<number>(7, {
      idleness: 1_000,
      timestampAssigner: assigner,
    })
    for (const { idlenessMs, timestampAssigner, createGenerator } of [one, other, atOnce]) {
      expect([idlenessMs, timestampAssigner]).toEqual([1_000, assigner])
      const emitted: number[] = []
      const generator = createGenerator?.()
      const output = { emitWatermark: (ms: number) => void emitted.push(ms), markIdle() {}, markActive() {} }
      generator?.onEvent(1, 100, output)
      generator?.onPeriodicEmit(output)
      expect(emitted).toEqual([92])
    }
  })

  test('is a new one: what it was made from stays as it was', () => {
    const base = WatermarkStrategy.noWatermarks<number>()
    base.withIdleness(5)
    base.withTimestampAssigner(() => 1)
    expect([base.idlenessMs, base.timestampAssigner]).toEqual([undefined, undefined])
  })

  test('takes the last word: another assigner, another idleness', async () => {
    const strategy = WatermarkStrategy.forMonotonousTimestamps<number>({ timestampAssigner: () => 1, idleness: 5 })
      .withTimestampAssigner((value: number) => value)
      .withIdleness(9)
    expect(strategy.idlenessMs).toBe(9)
    expect(await timestampsOf(strategy)).toEqual([3, 5])
  })

  test('refuses an idleness that is no duration, by its name', () => {
    expect(() => WatermarkStrategy.noWatermarks().withIdleness(-1)).toThrow(/withIdleness/)
    expect(() => WatermarkStrategy.noWatermarks({ idleness: Number.NaN })).toThrow(/idleness/)
  })
})

describe('A timestamp assigner', () => {
  test('gets the record and the timestamp that it has, -Infinity for none', async () => {
    const seen: number[][] = []
    await timestampsOf(
      WatermarkStrategy.noWatermarks({
        timestampAssigner: (value: number, recordTimestamp) => {
          seen.push([value, recordTimestamp])
          return value
        },
      }),
    )
    expect(seen).toEqual([
      [3, Number.NEGATIVE_INFINITY],
      [5, Number.NEGATIVE_INFINITY],
    ])
  })
})

test('A generator of one’s own is made for each split, and hears of each record and of each period', async () => {
  const heard: string[] = []
  let made = 0
  const create = (): WatermarkGenerator<number> => {
    made++
    return {
      onEvent: (value, timestamp) => void heard.push(`${value} at ${timestamp}`),
      onPeriodicEmit: (output) => output.emitWatermark(4),
    }
  }
  const strategy = WatermarkStrategy.forGenerator(create, { timestampAssigner: (value) => value + 1 })
  const source = await new SourceUnderTest(collectionSource([3, 5]), { strategy }).open()
  await source.emit(2)
  source.harness().advance(200)
  expect(heard).toEqual(['3 at 4', '5 at 6'])
  expect(source.harness().times).toEqual([4])
  expect(made).toBeGreaterThan(0)
})
