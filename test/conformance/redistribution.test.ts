/** Flink's rules for key groups and operator state at another parallelism, as traces. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type RedistributionTrace, replayRedistribution } from '../../src/testing/replay-redistribution.ts'
import { differences } from './expectation.ts'

type RecordedTrace = RedistributionTrace & { readonly name: string; readonly source: string; readonly expect: object }

const traces = JSON.parse(
  readFileSync(new URL('../fixtures/conformance/redistribution-traces.json', import.meta.url), 'utf8'),
) as readonly RecordedTrace[]
const supported = traces.filter(({ kind }) => kind !== 'channelState')
const unsupported = traces.filter(({ kind }) => kind === 'channelState')

function outcome(trace: RedistributionTrace): unknown {
  try {
    return replayRedistribution(trace)
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: expect.stringMatching(/^(INVALID_KEY|UNSUPPORTED)$/) })
    return { error: true }
  }
}

describe('state is redistributed as in Flink', () => {
  test.each(supported)('$kind: $name ($source)', ({ expect: expected, ...trace }) => {
    expect(differences(expected, outcome(trace))).toEqual([])
  })
})

describe('the traces', () => {
  test('all but the eight of channel state ran, each under a name of its own', () => {
    expect(supported).toHaveLength(traces.length - 8)
    expect(unsupported).toHaveLength(8)
    expect(new Set(traces.map(({ name }) => name)).size).toBe(traces.length)
  })

  test('in-flight data is refused as not yet supported', () => {
    for (const trace of unsupported)
      expect(() => replayRedistribution(trace)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
  })

  test('an expectation that is wrong in any one of its values is noticed (negative control)', () => {
    for (const { expect: expected, ...trace } of supported)
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
