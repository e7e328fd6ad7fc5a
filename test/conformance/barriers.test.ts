/** Flink's rules for barriers as traces, driven through the real charts and their host. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type BarrierTrace, replayBarriers } from '../../src/testing/replay-barriers.ts'
import { differences } from './expectation.ts'

interface RecordedTrace extends BarrierTrace {
  readonly name: string
  readonly source: string
  readonly expect: unknown
}

const traces = JSON.parse(
  readFileSync(new URL('../fixtures/conformance/barrier-traces.json', import.meta.url), 'utf8'),
) as readonly RecordedTrace[]
const ofMode = (mode: BarrierTrace['mode']) => traces.filter((trace) => trace.mode === mode)

describe('a subtask treats barriers as Flink does', () => {
  test.each(traces)('$mode: $name ($source)', ({ expect: expected, ...trace }) => {
    expect(differences(expected, replayBarriers(trace))).toEqual([])
  })
})

describe('the traces', () => {
  test('28 aligned, 40 alternating, 21 unaligned and 20 at least once ran, each under a name of its own', () => {
    expect(ofMode('aligned')).toHaveLength(28)
    expect(ofMode('alternating')).toHaveLength(40)
    expect(ofMode('unaligned')).toHaveLength(21)
    expect(ofMode('at-least-once')).toHaveLength(20)
    expect(new Set(traces.map(({ name }) => name)).size).toBe(traces.length)
  })

  test('an expectation that is wrong in any one of its values is noticed (negative control)', () => {
    for (const { expect: expected, ...trace } of traces) {
      const outcome = replayBarriers(trace)
      for (const wrong of spoiled(expected)) expect(differences(wrong, outcome), JSON.stringify(wrong)).not.toEqual([])
    }
  })

  test('a step, a channel or a mode that does not exist is refused by name', () => {
    const trace = { mode: 'aligned', channels: 1 } as const
    const invalid = expect.objectContaining({ code: 'TRACE_INVALID' })
    for (const steps of [['x0'], ['b1'], ['r'], ['b1@1']])
      expect(() => replayBarriers({ ...trace, steps })).toThrow(invalid)
    expect(() => replayBarriers({ ...trace, mode: 'both' as 'aligned', steps: [] })).toThrow(invalid)
  })

  test('an unaligned barrier in an aligned trace, and an announcement where none is made, are refused by name', () => {
    const invalid = expect.objectContaining({ code: 'TRACE_INVALID' })
    const alternating = { mode: 'alternating', channels: 2, alignedTimeoutMs: 5, localChannels: [0] } as const
    const wrong: readonly BarrierTrace[] = [
      { mode: 'aligned', channels: 1, steps: ['u1@0'] },
      { mode: 'at-least-once', channels: 1, steps: ['u1@0'] },
      { mode: 'aligned', channels: 1, steps: ['a1@0'] },
      { mode: 'unaligned', channels: 1, steps: ['a1@0'] },
      { ...alternating, steps: ['a1@0'] },
    ]
    for (const trace of wrong) expect(() => replayBarriers(trace)).toThrow(invalid)
    expect(replayBarriers({ ...alternating, steps: ['a1@1'] }).pendingIds).toEqual([1])
  })

  test('a trace of steps that the file does not use: busy records, savepoints, closing', () => {
    const outcome = replayBarriers({
      mode: 'aligned',
      channels: 2,
      steps: ['q0', 's1@0', '+5', 'p0', '~5', 's1@1', 'b2@0#3', 'close', 'b2@1'],
    })
    expect(differences({ triggered: [1], processed: [0], alignmentMs: { 1: 5 }, blockedAtEnd: [0] }, outcome)).toEqual(
      [],
    )
  })
})

/** The expectation with one value changed, for each of its values; and with one entry more, for each of its lists. */
function spoiled(value: unknown): readonly unknown[] {
  if (Array.isArray(value))
    return [
      [...value, 'more'],
      ...value.flatMap((item, index) => spoiled(item).map((wrong) => value.with(index, wrong))),
    ]
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, item]) => spoiled(item).map((wrong) => ({ ...value, [key]: wrong })))
  return [typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : `${value}?`]
}
