/** Flink's restart strategies as traces, driven through the real supervisor chart and its host. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type RestartTrace, replayRestarts } from '../../src/testing/replay-restarts.ts'
import { differences } from './expectation.ts'

interface Decision {
  readonly restart?: boolean | undefined
  readonly delayMs?: number | undefined
  readonly newAttempt?: boolean | undefined
  readonly delayIn?: readonly [number, number] | undefined
}

interface RecordedTrace extends RestartTrace {
  readonly name: string
  readonly source: string
  readonly expect: { readonly error: true } | { readonly decisions: readonly Decision[] }
}

const traces = JSON.parse(
  readFileSync(new URL('../fixtures/conformance/restart-traces.json', import.meta.url), 'utf8'),
) as readonly RecordedTrace[]

/** What was decided, compared with the expectation; a delay that may vary must lie within its bounds. */
function violations(expected: RecordedTrace['expect'], trace: RestartTrace): readonly string[] {
  if ('error' in expected) {
    try {
      replayRestarts(trace)
    } catch (thrown) {
      return differences({ code: 'RESTART_STRATEGY_INVALID' }, { code: (thrown as { code?: unknown }).code })
    }
    return ['the strategy should have been refused']
  }
  const { decisions } = replayRestarts(trace)
  const fixed = expected.decisions.map(({ delayIn: _, ...rest }) => rest)
  const outside = expected.decisions.flatMap(({ delayIn }, index) => {
    const delayMs = decisions[index]?.delayMs ?? Number.NaN
    const within = delayIn === undefined || (delayIn[0] <= delayMs && delayMs <= delayIn[1])
    return within ? [] : [`decision ${index}: ${delayMs} ms is outside ${JSON.stringify(delayIn)}`]
  })
  return [...differences({ decisions: fixed }, { decisions }), ...outside]
}

describe('the supervisor decides restarts as Flink does', () => {
  test.each(traces)('$name ($source)', ({ expect: expected, ...trace }) => {
    expect(violations(expected, trace)).toEqual([])
  })

  test('a delay stays within its bounds whatever the random numbers are', () => {
    for (const { expect: expected, ...trace } of traces)
      for (let seed = 1; seed <= 20; seed++)
        expect(violations(expected, { ...trace, seed }), `seed ${seed}`).toEqual([])
  })
})

describe('the traces', () => {
  test('all 25 ran, each under a name of its own', () => {
    expect(traces).toHaveLength(25)
    expect(new Set(traces.map(({ name }) => name)).size).toBe(25)
  })

  test('a wrong expectation is noticed (negative control)', () => {
    const strategy = { type: 'fixed-delay', attempts: 1, delayMs: 5 } as const
    const trace = { strategy, failuresAtMs: [0, 1] }
    const right = [{ restart: true, delayMs: 5, newAttempt: true }, { restart: false }]
    expect(violations({ decisions: right }, trace)).toEqual([])
    for (const wrong of [
      [{ restart: true, delayMs: 6 }, { restart: false }],
      [{ restart: true, delayMs: 5 }, { restart: true }],
      [{ restart: true, delayMs: 5 }],
      [{ restart: true, newAttempt: false }, { restart: false }],
      [{ restart: true, delayIn: [6, 9] as const }, { restart: false }],
    ])
      expect(violations({ decisions: wrong }, trace), JSON.stringify(wrong)).not.toEqual([])
    expect(violations({ error: true }, trace)).not.toEqual([])
  })
})
