/** Flink's rules for key groups and operator state at another parallelism, as traces. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type RedistributionTrace, replayRedistribution } from '../../src/testing/replay-redistribution.ts'
import { differences } from './expectation.ts'

type RecordedTrace = RedistributionTrace & { readonly name: string; readonly source: string; readonly expect: object }

const traces = JSON.parse(
  readFileSync(new URL('../fixtures/conformance/redistribution-traces.json', import.meta.url), 'utf8'),
) as readonly RecordedTrace[]

function outcome(trace: RedistributionTrace): unknown {
  try {
    return replayRedistribution(trace)
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: expect.stringMatching(/^INVALID_KEY$/) })
    return { error: true }
  }
}

describe('state is redistributed as in Flink', () => {
  test.each(traces)('$kind: $name ($source)', ({ expect: expected, ...trace }) => {
    expect(differences(expected, outcome(trace))).toEqual([])
  })
})

describe('the traces', () => {
  test('all ran, each under a name of its own, with eight of channel state among them', () => {
    expect(traces.filter(({ kind }) => kind === 'channelState')).toHaveLength(8)
    expect(new Set(traces.map(({ name }) => name)).size).toBe(traces.length)
  })

  test('a mapper of channel state that does not exist is refused', () => {
    const trace = { kind: 'channelState', mapper: 'sideways', oldParallelism: 1, newParallelism: 2 } as never
    expect(() => replayRedistribution(trace)).toThrow(expect.objectContaining({ code: 'TRACE_INVALID' }))
  })

  test('an expectation that is wrong in any one of its values is noticed (negative control)', () => {
    for (const { expect: expected, ...trace } of traces)
      for (const wrong of spoiled(expected))
        expect(differences(wrong, outcome(trace)), JSON.stringify(wrong)).not.toEqual([])
  })
})

/** The expectation with one value changed, for each of its values. */
function spoiled(value: unknown): readonly unknown[] {
  if (Array.isArray(value))
    return value.flatMap((item, index) => spoiled(item).map((wrong) => value.with(index, wrong)))
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, item]) => spoiled(item).map((wrong) => ({ ...value, [key]: wrong })))
  return [typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : `${value}?`]
}
