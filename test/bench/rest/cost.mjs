/** What is said of the runs of `--rest`: speeds, and their ratios. */
import { median } from '../measure.mjs'

/** No server; one that nobody asks. */
export const VARIANTS = ['without', 'idle']

/**
 * `rounds`: of each variant one run. `checksum`: what every run must have computed. Throws when one has not: then nothing may
 * be said of speeds.
 */
export function idleCost(rounds, { records, checksum }) {
  for (const round of rounds) for (const variant of VARIANTS) check(variant, round[variant], checksum)
  const [without, idle] = VARIANTS.map((variant) => rounds.map((round) => round[variant]))
  return {
    without: speeds(without, records),
    idle: { ...speeds(idle, records), ...ratios(without, idle) },
  }
}

/**
 * `windows`: outputs per second of seconds in turn, every other one with a scrape, which `scrapeMs` tells. Each of those is
 * compared with the mean of its two neighbours, so that a machine that slows down does so for both. Throws as `idleCost`
 * does, and when there are too few seconds to tell anything.
 */
export function scrapedCost({ checksum: computed, windows }, checksum) {
  check('scraped', { checksum: computed }, checksum)
  const between = windows.filter(
    (window, index) => window.scrapeMs !== undefined && index > 0 && index + 1 < windows.length,
  )
  if (between.length < 3)
    throw new Error('scraped: the run had ended before its server was asked; more records are needed')
  const pairs = between.map((window) => {
    const index = windows.indexOf(window)
    return (2 * window.rate) / (windows[index - 1].rate + windows[index + 1].rate)
  })
  const sorted = pairs.toSorted((one, other) => one - other)
  const scrapeMs = windows.flatMap((window) => window.scrapeMs ?? [])
  return {
    seconds: windows.length,
    speedRatioOfPairsMedian: round(median(pairs)),
    speedRatioOfPairsQuartiles: [1, 3].map((quarter) => round(sorted[Math.floor((quarter * sorted.length) / 4)])),
    scrapeMsMedian: round(median(scrapeMs)),
    scrapeMsWorst: round(Math.max(...scrapeMs)),
  }
}

function check(variant, run, checksum) {
  if (run.checksum !== checksum) throw new Error(`${variant}: checksum ${run.checksum} instead of ${checksum}`)
}

function speeds(runs, records) {
  const of = (what) => runs.map((run) => run[what])
  return {
    recordsPerSecond: Math.round(records / median(of('wall'))),
    busiestThreadSeconds: round(median(of('thread'))),
    foreignCores: round(median(of('foreign'))),
    wallSecondsAll: of('wall').map(round),
    busiestThreadSecondsAll: of('thread').map(round),
  }
}

/** So many times as fast as the run without a server: by the clock, and by the processor time of the busiest thread. */
function ratios(without, withOne) {
  const pairs = (what) => without.map((run, index) => run[what] / withOne[index][what])
  const medians = (what) => median(without.map((run) => run[what])) / median(withOne.map((run) => run[what]))
  const of = (name, what) => ({
    [`${name}Ratio`]: round(medians(what)),
    [`${name}RatioOfPairsMedian`]: round(median(pairs(what))),
    [`${name}RatioOfPairs`]: pairs(what).map(round),
  })
  return { ...of('speed', 'wall'), ...of('busiestThread', 'thread') }
}

const round = (value) => Number(value.toFixed(4))
