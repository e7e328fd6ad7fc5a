/** What tests of `executeAndCollect` share: streams, a function that fails once, a reader that leaves. */
import {
  type CollectedResults,
  DataGeneratorSource,
  type StreamExecutionEnvironment,
  WatermarkStrategy,
} from '../../src/index.ts'
import type { World } from './harness.ts'
import { ticks } from './parts.ts'

export const fromTicks = (env: StreamExecutionEnvironment, world: World, count: number, everyMs: number) =>
  env.fromSource(ticks(world, count, everyMs), WatermarkStrategy.noWatermarks(), 'ticks')

export const endless = (env: StreamExecutionEnvironment, ratePerSecond?: number) =>
  env.fromSource(
    new DataGeneratorSource((index) => index, { ratePerSecond }),
    WatermarkStrategy.noWatermarks(),
    'without end',
  )

/** Throws once, at that value. */
export const failingAt = (fatal: number) => {
  let failed = false
  return (value: number): number => {
    if (value === fatal && !failed) {
      failed = true
      throw new Error('down')
    }
    return value
  }
}

/** The first `count` records, then whatever leaving the loop does. */
export async function first<T>(results: CollectedResults<T>, count: number): Promise<T[]> {
  const seen: T[] = []
  for await (const value of results) if (seen.push(value) === count) break
  return seen
}
