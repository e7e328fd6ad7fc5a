/** What is said of the rounds of `--rest`: speeds, and their ratios to the runs without a server. */
import { median } from '../measure.mjs'

/** No server; one that nobody asks; one that is asked every second. */
export const VARIANTS = ['without', 'idle', 'scraped']

/**
 * `rounds`: of each variant one run. `checksum`: what every run must have computed. Throws when one has not, or when a server
 * that was to be asked was not: then nothing may be said of speeds.
 */
export function restCost(rounds, { records, checksum }) {
  for (const round of rounds) for (const variant of VARIANTS) checkRun(variant, round[variant], checksum)
  const without = rounds.map((round) => round.without)
  const of = (variant) => rounds.map((round) => round[variant])
  return {
    checksum,
    without: speeds(without, records),
    idle: { ...speeds(of('idle'), records), ...ratios(without, of('idle')) },
    scraped: { ...speeds(of('scraped'), records), ...ratios(without, of('scraped')), ...answers(of('scraped')) },
  }
}

function checkRun(variant, run, checksum) {
  if (run.checksum !== checksum) throw new Error(`${variant}: checksum ${run.checksum} instead of ${checksum}`)
  if (variant === 'scraped' && !(run.scrapes.prometheusMs.length > 0))
    throw new Error('scraped: a run had ended before its server was asked; more records are needed')
}

function speeds(runs, records) {
  const of = (what) => runs.map((run) => run[what])
  return {
    recordsPerSecond: Math.round(records / median(of('wall'))),
    wallSeconds: round(median(of('wall'))),
    busiestThreadSeconds: round(median(of('thread'))),
    // Of a scraped run the scraper is one of the others.
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

function answers(runs) {
  const all = runs.map(({ scrapes }) => scrapes)
  const prometheusMs = all.flatMap((scrapes) => scrapes.prometheusMs)
  const pageMs = all.flatMap((scrapes) => scrapes.pageMs)
  return {
    answered: all.reduce((sum, { answered }) => sum + answered, 0),
    scrapesAll: all.map((scrapes) => scrapes.prometheusMs.length),
    prometheusMsMedian: round(median(prometheusMs)),
    prometheusMsWorst: round(Math.max(...prometheusMs)),
    pageMsMedian: round(median(pageMs)),
    pageMsWorst: round(Math.max(...pageMs)),
    scraperCpuSeconds: round(median(all.map(({ cpu }) => cpu))),
  }
}

const round = (value) => Number(value.toFixed(4))
