/** Flink's failover regions as traces, driven through the rule by which a running job finds its own. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type RegionTrace, replayRegions } from '../../src/testing/replay-regions.ts'
import { differences } from './expectation.ts'

interface RecordedTrace extends RegionTrace {
  readonly name: string
  readonly source: string
  readonly expect: { readonly restart: readonly string[] }
}

const traces = JSON.parse(
  readFileSync(new URL('../fixtures/conformance/region-traces.json', import.meta.url), 'utf8'),
) as readonly RecordedTrace[]

describe('what restarts with a failed vertex is what restarts in Flink', () => {
  test.each(traces)('$name ($source)', ({ expect: expected, ...trace }) => {
    expect(differences(expected, replayRegions(trace))).toEqual([])
  })

  test('all 8 ran, each over a graph of its own', () => {
    expect(traces).toHaveLength(8)
    expect(new Set(traces.map(({ vertices, edges, lost }) => JSON.stringify([vertices, edges, lost]))).size).toBe(8)
  })

  test('a wrong expectation is noticed (negative control)', () => {
    for (const { expect: expected, ...trace } of traces) {
      expect(differences({ restart: expected.restart.slice(1) }, replayRegions(trace))).not.toEqual([])
      expect(differences({ restart: [...expected.restart, 'more'] }, replayRegions(trace))).not.toEqual([])
    }
  })

  test('a region is the same whatever the order and the direction of its edges', () => {
    const edges = [
      ['d', 'c', 'pipelined'],
      ['a', 'b', 'pipelined'],
      ['c', 'b', 'pipelined'],
    ] as const
    const vertices = ['a', 'b', 'c', 'd', 'e']
    for (const order of [edges, edges.toReversed()])
      for (const fail of ['a', 'b', 'c', 'd'])
        expect(replayRegions({ vertices, edges: order, fail })).toEqual({ restart: ['a', 'b', 'c', 'd'] })
    expect(replayRegions({ vertices, edges, fail: 'e' })).toEqual({ restart: ['e'] })
  })
})
