import { describe, expect, it } from 'vitest'
import { RateWindow } from '../../../src/metrics/rate-window.ts'

describe('A rate', () => {
  it('is at the first look that since the beginning', () => {
    const window = new RateWindow(60_000, 1_000)
    window.add(5_000, [8, 0])
    expect(window.perSecond()).toEqual([2, 0])
  })

  it('forgets what was before the window', () => {
    const window = new RateWindow(60_000, 0)
    for (let second = 1; second <= 100; second++) window.add(second * 1_000, [second * 10])
    for (let second = 101; second <= 170; second++) window.add(second * 1_000, [1_000])
    expect(window.perSecond()).toEqual([0])
  })

  it('is of the last seconds in a short window', () => {
    const window = new RateWindow(5_000, 0)
    for (let second = 1; second <= 20; second++) window.add(second * 1_000, [second <= 15 ? 0 : (second - 15) * 700])
    expect(window.perSecond()).toEqual([700])
  })

  it('reaches back to the look before, where nobody looked for longer than the window', () => {
    const window = new RateWindow(60_000, 0)
    window.add(1_000, [100])
    window.add(601_000, [1_300])
    expect(window.perSecond()[0]).toBeCloseTo(1_300 / 601, 10)
    window.add(602_000, [1_305])
    expect(window.perSecond()).toEqual([5])
  })

  it('is 0 as long as no time has passed, and for a total that went back', () => {
    const window = new RateWindow(60_000, 7)
    window.add(7, [5])
    expect(window.perSecond()).toEqual([0])
    window.add(1_007, [-5])
    expect(window.perSecond()).toEqual([0])
  })

  it('keeps few looks, however often somebody looks', () => {
    const window = new RateWindow(60_000, 0)
    for (let look = 1; look <= 10_000; look++) window.add(look * 100, [look])
    expect(window.perSecond()[0]).toBeCloseTo(10, 5)
    expect(window.marks).toBeLessThanOrEqual(14)
  })
})
