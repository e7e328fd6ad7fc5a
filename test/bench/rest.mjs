#!/usr/bin/env node
/**
 * npm run bench -- S1|S2 --rest [--records n] [--keys n] [--parallelism p] [--warmup-records n] [--scraped-records n] [--reps n]
 * What a REST server costs a job: with one that nobody asks beside none, a process a run, in turn; and while Prometheus would
 * read its metrics, seconds with and without in turn in one long run. Prints one JSON line.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { plainLoop } from './plain-loop.mjs'
import { idleCost, scrapedCost, VARIANTS } from './rest/cost.mjs'

const ONE_RUN = fileURLToPath(new URL('rest/one-run.mjs', import.meta.url))
const WINDOWS = fileURLToPath(new URL('rest/windows.mjs', import.meta.url))

/** So many that a run takes some seconds, and the long one most of a minute. */
const DEFAULTS = {
  S1: { records: 1_000_000_000, keys: 0, warmupRecords: 200_000_000, scrapedRecords: 8_000_000_000 },
  S2: { records: 30_000_000, keys: 100_000, warmupRecords: 8_000_000, scrapedRecords: 200_000_000 },
}

const number = { type: 'string' }
const {
  values: flags,
  positionals: [workload],
} = parseArgs({
  allowPositionals: true,
  options: {
    rest: { type: 'boolean', default: false },
    records: number,
    keys: number,
    parallelism: { ...number, default: '1' },
    'warmup-records': number,
    'scraped-records': number,
    reps: { ...number, default: '5' },
  },
})
if (!(workload in DEFAULTS)) {
  console.error(`usage: npm run bench -- ${Object.keys(DEFAULTS).join('|')} --rest [--records n] [--reps n] ...`)
  process.exit(2)
}
const numberOf = (name, otherwise) => (flags[name] === undefined ? otherwise : Number(flags[name]))
const records = numberOf('records', DEFAULTS[workload].records)
const keys = numberOf('keys', DEFAULTS[workload].keys)
const warmupRecords = numberOf('warmup-records', DEFAULTS[workload].warmupRecords)
const scrapedRecords = numberOf('scraped-records', DEFAULTS[workload].scrapedRecords)
const reps = numberOf('reps', 5)
const options = { records, keys: keys || 1, parallelism: Number(flags.parallelism), freshKeys: false, preload: false }

const rounds = Array.from({ length: reps }, (_, index) => round(index))
const scrapedOptions = { ...options, records: scrapedRecords }
const scraped = inProcess(WINDOWS, { workload, options: scrapedOptions }, `${workload}, scraped in every other second`)
process.stderr.write('the same by plain loops ...\n')
console.log(
  JSON.stringify({
    ...{ engine: 'millrace', runtime: `Node ${process.version}`, workload, records, keys, scrapedRecords },
    ...{ parallelism: options.parallelism, warmupRecords, runs: reps },
    ...idleCost(rounds, { records, checksum: plainLoop(workload, options)() }),
    scraped: scrapedCost(scraped, plainLoop(workload, scrapedOptions)()),
  }),
)

/** Every round begins with another of the two, so that neither always comes after the same. */
function round(index) {
  const order = index % 2 === 0 ? VARIANTS : VARIANTS.toReversed()
  const of = (variant) => `round ${index + 1} of ${reps}: ${workload}, ${variant}`
  return Object.fromEntries(
    order.map((variant) => [variant, inProcess(ONE_RUN, { workload, options, warmupRecords, variant }, of(variant))]),
  )
}

function inProcess(program, task, what) {
  process.stderr.write(`${what} ...\n`)
  const output = execFileSync(process.execPath, [program, JSON.stringify(task)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return JSON.parse(output.trim().split('\n').at(-1))
}
