import { describe, expect, it } from 'vitest'
import { AGGREGATIONS, aggregate } from '../../../src/metrics/aggregate.ts'
import { pressureLevel } from '../../../src/metrics/pressure.ts'

describe('Many values as one', () => {
  it('are their least, most, mean, sum, and how far they lie from the mean in percent of it', () => {
    const values = [10, 30, 20, 40]
    expect(AGGREGATIONS.map((how) => aggregate(values, how))).toEqual([10, 40, 25, 100, 40])
  })

  it('have no skew where all are equal or the mean is 0, and 100 percent at most', () => {
    expect(aggregate([7, 7, 7], 'skew')).toBe(0)
    expect(aggregate([0, 0], 'skew')).toBe(0)
    expect(aggregate([0, 0, 0, 0, 100], 'skew')).toBe(100)
  })

  it('are 0 where there are none', () => {
    expect(AGGREGATIONS.map((how) => aggregate([], how))).toEqual([0, 0, 0, 0, 0])
  })
})

describe('Back-pressure', () => {
  it('is ok up to a tenth of the time, low up to a half, high above', () => {
    expect([0, 0.1, 0.11, 0.5, 0.51, 1].map(pressureLevel)).toEqual(['ok', 'ok', 'low', 'low', 'high', 'high'])
  })
})
