/** Flink's rules for timers as traces, driven through the real timer service and state backend. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { replayTimers, type TimerTrace } from '../../src/testing/replay-timers.ts'
import { differences } from './expectation.ts'

interface RecordedTrace extends TimerTrace {
  readonly name: string
  readonly source: string
  readonly expect: unknown
}

const traces = JSON.parse(
  readFileSync(new URL('../fixtures/conformance/timer-traces.json', import.meta.url), 'utf8'),
) as readonly RecordedTrace[]

describe('timers behave as in Flink', () => {
  test.each(traces)('$name ($source)', ({ expect: expected, ...trace }) => {
    expect(differences(expected, replayTimers(trace))).toEqual([])
  })
})

describe('the traces', () => {
  test('all 16 ran, each under a name of its own', () => {
    expect(traces).toHaveLength(16)
    expect(new Set(traces.map(({ name }) => name)).size).toBe(16)
  })

  test('a trace that lacks its last step is told from the whole one (negative control)', () => {
    for (const { expect: expected, ...trace } of traces)
      expect(
        differences(expected, replayTimers({ ...trace, steps: trace.steps.slice(0, -1) })),
        trace.name,
      ).not.toEqual([])
  })

  test('timers of one time are listed by key, then by namespace', () => {
    const { output } = replayTimers({
      steps: ['event b n 1', 'event a z 1', 'event a m 1', 'event c n 0', 'watermark 1'],
    })
    expect(output).toEqual(['event c n 0', 'event a m 1', 'event a z 1', 'event b n 1', 'watermark 1'])
  })

  test.each(['event a n', 'watermark', 'watermark x', 'sleep 1', 'deleteWatermark a n 1', ''])(
    'the step "%s" is refused',
    (step) => {
      expect(() => replayTimers({ steps: [step] })).toThrow(expect.objectContaining({ code: 'TRACE_INVALID' }))
    },
  )

  test('a restore before the first snapshot is refused', () => {
    expect(() => replayTimers({ steps: ['restore'] })).toThrow(expect.objectContaining({ code: 'TRACE_INVALID' }))
  })
})
