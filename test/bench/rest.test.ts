/** The benchmark of a REST server compares what ran beside each other, and tells no speeds of runs that did something else. */
import { describe, expect, it } from 'vitest'
import { idleCost, type Run, scrapedCost } from './rest/cost.mjs'

const CHECKSUM = '3:00000001:00000002'
const WRONG = '2:00000001:00000002'
const EXPECTED = { records: 1000, checksum: CHECKSUM }

const run = (wall: number, checksum = CHECKSUM): Run => ({ wall, thread: wall / 2, foreign: 0, checksum })

describe('The cost of a REST server that nobody asks', () => {
  it('is the ratio to the run without one of the same round, and of the medians', () => {
    // The machine was busy in the second round.
    const rounds = [
      { without: run(1), idle: run(1) },
      { without: run(4), idle: run(5) },
      { without: run(1), idle: run(1) },
    ]
    const { without, idle } = idleCost(rounds, EXPECTED)
    expect(without.recordsPerSecond).toBe(1000)
    expect(idle).toMatchObject({ speedRatio: 1, speedRatioOfPairs: [1, 0.8, 1], busiestThreadRatio: 1 })
  })

  it('is not told when a run computed something else', () => {
    expect(() => idleCost([{ without: run(1), idle: run(1, WRONG) }], EXPECTED)).toThrow(
      `idle: checksum ${WRONG} instead of ${CHECKSUM}`,
    )
  })
})

describe('The cost of being scraped', () => {
  const second = (rate: number, scrapeMs?: number) => ({ rate, scrapeMs })

  it('is the ratio of a second with a scrape to its two neighbours, however the machine slows down', () => {
    const windows = [100, 80, 100, 70, 75, 60, 75].map((rate, index) =>
      second(rate, index % 2 === 1 ? index : undefined),
    )
    expect(scrapedCost({ checksum: CHECKSUM, windows }, CHECKSUM)).toEqual({
      seconds: 7,
      speedRatioOfPairsMedian: 0.8,
      speedRatioOfPairsQuartiles: [0.8, 0.8],
      scrapeMsMedian: 3,
      scrapeMsWorst: 5,
    })
  })

  it('is not told of too few seconds, nor of a run that computed something else', () => {
    const windows = [second(1), second(1, 2), second(1)]
    expect(() => scrapedCost({ checksum: CHECKSUM, windows }, CHECKSUM)).toThrow('more records are needed')
    expect(() => scrapedCost({ checksum: WRONG, windows }, CHECKSUM)).toThrow(`instead of ${CHECKSUM}`)
  })
})
