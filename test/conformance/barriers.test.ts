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
const supported = traces.filter(({ mode }) => mode === 'aligned' || mode === 'at-least-once')
const unsupported = traces.filter((trace) => !supported.includes(trace))

describe('a subtask treats barriers as Flink does', () => {
  test.each(supported)('$mode: $name ($source)', ({ expect: expected, ...trace }) => {
    expect(differences(expected, replayBarriers(trace))).toEqual([])
  })
})

describe('the traces', () => {
  test('28 of mode aligned and 20 of mode at-least-once ran, each under a name of its own', () => {
    expect(supported.filter(({ mode }) => mode === 'aligned')).toHaveLength(28)
    expect(supported.filter(({ mode }) => mode === 'at-least-once')).toHaveLength(20)
    expect(new Set(traces.map(({ name }) => name)).size).toBe(traces.length)
  })

  test('40 of mode alternating and 21 of mode unaligned are refused by name, as not yet supported', () => {
    expect(unsupported.filter(({ mode }) => mode === 'alternating')).toHaveLength(40)
    expect(unsupported.filter(({ mode }) => mode === 'unaligned')).toHaveLength(21)
    for (const trace of unsupported)
      expect(() => replayBarriers(trace)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
  })

  test('an expectation that is wrong in any one of its values is noticed (negative control)', () => {
    for (const { expect: expected, ...trace } of supported) {
      const outcome = replayBarriers(trace)
      for (const wrong of spoiled(expected)) expect(differences(wrong, outcome), JSON.stringify(wrong)).not.toEqual([])
    }
  })

  test('a step that does not exist, and a channel that does not, are refused by name', () => {
    const trace = { mode: 'aligned', channels: 1 } as const
    const invalid = expect.objectContaining({ code: 'TRACE_INVALID' })
    for (const steps of [['x0'], ['b1'], ['r'], ['b1@1']])
      expect(() => replayBarriers({ ...trace, steps })).toThrow(invalid)
  })

  test('an unaligned barrier in an aligned trace is refused', () => {
    const trace: BarrierTrace = { mode: 'aligned', channels: 1, steps: ['u1@0'] }
    expect(() => replayBarriers(trace)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
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
