/** Flink's combination of watermarks and idleness as traces, driven through the valve of every subtask. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { replayWatermarks, type WatermarkTrace } from '../../src/testing/replay-watermarks.ts'
import { differences } from './expectation.ts'

interface RecordedTrace extends WatermarkTrace {
  readonly name: string
  readonly expect: unknown
}

const traces = JSON.parse(
  readFileSync(new URL('../fixtures/conformance/watermark-traces.json', import.meta.url), 'utf8'),
) as readonly RecordedTrace[]

describe('watermarks of several channels combine as in Flink', () => {
  test.each(traces)('$name', ({ expect: expected, ...trace }) => {
    expect(differences(expected, replayWatermarks(trace))).toEqual([])
  })

  test('24 traces ran', () => {
    expect(traces).toHaveLength(24)
  })

  test('an expectation with one more watermark is noticed (negative control)', () => {
    const [{ expect: expected, ...trace }] = traces as unknown as [RecordedTrace]
    const { emitted } = expected as { emitted: readonly unknown[] }
    expect(differences({ emitted: [...emitted, 99] }, replayWatermarks(trace))).not.toEqual([])
  })
})
