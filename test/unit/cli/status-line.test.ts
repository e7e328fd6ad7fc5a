import { describe, expect, test } from 'vitest'
import { type JobSample, ratesBetween, statusLine } from '../../../src/cli/status-line.ts'

const metrics = {
  recordsIn: 0,
  recordsOut: 0,
  lastCheckpointId: undefined,
  lastCheckpointDurationMs: undefined,
  restarts: 0,
  backPressuredRatio: 0,
}
const sample: JobSample = {
  jobName: 'word count',
  status: 'RUNNING',
  recordsInPerSecond: 1_234_567,
  recordsOutPerSecond: 9,
  metrics: { ...metrics, lastCheckpointId: 17, lastCheckpointDurationMs: 1234.4, backPressuredRatio: 0.126 },
}

describe('the status line', () => {
  test('has rates, last checkpoint, restarts and back-pressure', () => {
    expect(statusLine([sample], 200)).toBe(
      'word count  RUNNING  1.23M in/s  9 out/s  checkpoint 17 (1,234 ms)  restarts 0  back-pressure 13%',
    )
    expect(statusLine([{ ...sample, metrics }], 200)).toContain('no checkpoint')
  })

  test('ends with what the last checkpoint stored of records in flight', () => {
    const inFlight = (lastCheckpointPersistedBytes: number) =>
      statusLine([{ ...sample, metrics: { ...sample.metrics, lastCheckpointPersistedBytes } }], 200)
    expect(inFlight(0)).toMatch(/back-pressure 13%$/)
    expect(inFlight(999)).toMatch(/ {2}in flight 999 B$/)
    expect(inFlight(760_400)).toMatch(/ {2}in flight 760 kB$/)
    expect(inFlight(12_345_678)).toMatch(/ {2}in flight 12.3 MB$/)
  })

  test('never fills the last column', () => {
    for (const columns of [10, 40, 90]) expect(statusLine([sample], columns)).toHaveLength(columns - 1)
    expect(statusLine([sample], 40)).toMatch(/^1\.23M in\/s.*…$/)
    expect(statusLine([sample], 0)).toHaveLength(1)
  })

  test('cuts the name of the job before a figure', () => {
    expect(statusLine([sample], 90)).toMatch(/^word.*… {2}1\.23M in\/s .*back-pressure 13%$/)
  })

  test('shows all figures on a terminal of 80 columns', () => {
    expect(statusLine([sample], 80)).toMatch(/^1\.23M in\/s .*back-pressure 13%$/)
  })

  test('of several jobs shows the first and counts the others; of none is empty', () => {
    expect(statusLine([sample, sample, sample], 200)).toMatch(/ {2}\(\+2 more\)$/)
    expect(statusLine([], 80)).toBe('')
  })

  test('takes rates from two looks, and never divides by no time', () => {
    const before = { atMs: 1000, metrics: { ...metrics, recordsIn: 100 } }
    const now = { atMs: 3000, metrics: { ...metrics, recordsIn: 300, recordsOut: 50 } }
    expect(ratesBetween(before, now)).toEqual({ recordsInPerSecond: 100, recordsOutPerSecond: 25 })
    expect(ratesBetween(now, now)).toEqual({ recordsInPerSecond: 0, recordsOutPerSecond: 0 })
  })
})
