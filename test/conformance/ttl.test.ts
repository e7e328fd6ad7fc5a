/** Flink's rules for state with a time-to-live as traces, driven through the real states and snapshots. */
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { replayTtl, type TtlTrace } from '../../src/testing/replay-ttl.ts'
import { differences } from './expectation.ts'

interface RecordedTrace extends TtlTrace {
  readonly name: string
  readonly source: string
  readonly expect: { readonly reads: readonly unknown[] }
}

const traces = JSON.parse(
  readFileSync(new URL('../fixtures/conformance/ttl-traces.json', import.meta.url), 'utf8'),
) as readonly RecordedTrace[]

describe('state with a time-to-live behaves as in Flink', () => {
  test.each(traces)('$name ($source)', ({ expect: expected, ...trace }) => {
    const replayed = replayTtl(trace)
    expect(differences(expected, replayed)).toEqual([])
    // What a map holds beside the expected is not free here: it would be what should have expired.
    expect(replayed.reads).toEqual(expected.reads)
  })
})

describe('the traces', () => {
  test('all 21 ran, each under a name of its own', () => {
    expect(traces).toHaveLength(21)
    expect(new Set(traces.map(({ name }) => name)).size).toBe(21)
  })

  test('a trace that lacks its last step is told from the whole one (negative control)', () => {
    for (const { expect: expected, ...trace } of traces)
      expect(differences(expected, replayTtl({ ...trace, steps: trace.steps.slice(0, -1) })), trace.name).not.toEqual(
        [],
      )
  })

  test('most tell states whose entries never expire, or live a millisecond too long (negative control)', () => {
    const told = (changed: (ttlMs: number) => number) =>
      traces.filter(({ expect: expected, ...trace }) => {
        const replayed = replayTtl({ ...trace, ttl: { ...trace.ttl, ttlMs: changed(trace.ttl.ttlMs) } })
        return differences(expected, replayed).length > 0 || !isDeepStrictEqual(replayed.reads, expected.reads)
      })
    expect(told(() => Number.MAX_SAFE_INTEGER).length).toBe(17)
    expect(told((ttlMs) => Math.min(ttlMs + 1, Number.MAX_SAFE_INTEGER)).length).toBeGreaterThanOrEqual(5)
  })

  test.each([
    ['value', 'add a'],
    ['value', 'put x 1'],
    ['list', 'put x 1'],
    ['map', 'write a'],
    ['map', 'get'],
    ['value', '@x'],
    ['value', 'sleep 1'],
    ['value', ''],
  ] as const)('of a %s state, the step "%s" is refused', (state, step) => {
    expect(() => replayTtl({ ttl: { ttlMs: 1 }, state, steps: [step] })).toThrow(
      expect.objectContaining({ code: 'TRACE_INVALID' }),
    )
  })

  test('a restore before the first snapshot is refused', () => {
    expect(() => replayTtl({ ttl: { ttlMs: 1 }, state: 'value', steps: ['restore'] })).toThrow(
      expect.objectContaining({ code: 'TRACE_INVALID' }),
    )
  })
})
