/** The benchmark of a REST server compares runs of one round, and tells no speeds of runs that did something else. */
import { describe, expect, it } from 'vitest'
import { type Run, restCost } from './rest/cost.mjs'

const CHECKSUM = '3:00000001:00000002'
const EXPECTED = { records: 1000, checksum: CHECKSUM }

const run = (wall: number, more: Partial<Run> = {}): Run => ({
  ...{ wall, thread: wall / 2, foreign: 0, checksum: CHECKSUM },
  ...more,
})

const asked = (wall: number, prometheusMs: readonly number[], checksum = CHECKSUM): Run =>
  run(wall, { checksum, scrapes: { answered: 5 * prometheusMs.length, prometheusMs, pageMs: [20], cpu: 0.1 } })

/** The machine was busy in the second round: it slowed down all three alike. */
const ROUNDS = [
  { without: run(1), idle: run(1), scraped: asked(1.25, [3, 9]) },
  { without: run(4), idle: run(5), scraped: asked(8, [4]) },
  { without: run(1), idle: run(1), scraped: asked(1.25, [5, 6]) },
]

describe('The cost of a REST server', () => {
  it('is the ratio to the run without one of the same round, and of the medians', () => {
    const { without, idle, scraped } = restCost(ROUNDS, EXPECTED)
    expect(without.recordsPerSecond).toBe(1000)
    expect(idle).toMatchObject({ speedRatio: 1, speedRatioOfPairs: [1, 0.8, 1], busiestThreadRatio: 1 })
    expect(scraped).toMatchObject({ recordsPerSecond: 800, speedRatio: 0.8, speedRatioOfPairs: [0.8, 0.5, 0.8] })
    expect(scraped.speedRatioOfPairsMedian).toBe(0.8)
  })

  it('comes with how many answers there were and how long they took', () => {
    expect(restCost(ROUNDS, EXPECTED).scraped).toMatchObject({
      ...{ answered: 25, scrapesAll: [2, 1, 2], prometheusMsMedian: 5, prometheusMsWorst: 9, pageMsWorst: 20 },
    })
  })

  it('is not told when a run computed something else', () => {
    const wrong = { without: run(1), idle: run(1, { checksum: '2:00000001:00000002' }), scraped: asked(1, [3]) }
    expect(() => restCost([...ROUNDS, wrong], EXPECTED)).toThrow(
      'idle: checksum 2:00000001:00000002 instead of 3:00000001:00000002',
    )
  })

  it('is not told when a server that was to be asked never was', () => {
    const never = { without: run(1), idle: run(1), scraped: asked(1, []) }
    expect(() => restCost([...ROUNDS, never], EXPECTED)).toThrow('had ended before its server was asked')
  })
})
