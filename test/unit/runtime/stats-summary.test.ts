import { describe, expect, it } from 'vitest'
import { StatsSummary } from '../../../src/runtime/stats-summary.ts'

const summaryOf = (numbers: readonly number[]) => {
  const summary = new StatsSummary()
  for (const number of numbers) summary.add(number)
  return summary.snapshot()
}

describe('A summary of numbers', () => {
  it('of none has no percentiles', () => {
    expect(summaryOf([])).toEqual({ min: 0, max: 0, avg: 0, p50: null, p90: null, p95: null, p99: null, p999: null })
  })

  it('of one is that number', () => {
    expect(summaryOf([7])).toEqual({ min: 7, max: 7, avg: 7, p50: 7, p90: 7, p95: 7, p99: 7, p999: 7 })
  })

  it('takes percentiles between neighbours, in whatever order they came, and a whole mean', () => {
    expect(summaryOf([4, 1, 3, 2])).toMatchObject({ min: 1, max: 4, avg: 2, p50: 2.5, p90: 4, p999: 4 })
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
    expect(summaryOf(hundred)).toMatchObject({ min: 1, max: 100, avg: 50, p50: 50.5, p90: 90.9, p99: 99.99, p999: 100 })
  })

  it('knows all for minimum, maximum and mean, and the last 1,000 for percentiles', () => {
    const numbers = [...Array(1000).fill(1), ...Array(1000).fill(3)]
    expect(summaryOf(numbers)).toMatchObject({ min: 1, max: 3, avg: 2, p50: 3, p999: 3 })
  })
})
