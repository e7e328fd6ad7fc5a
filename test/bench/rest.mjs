#!/usr/bin/env node
/**
 * npm run bench -- S1|S2 --rest [--records n] [--keys n] [--parallelism p] [--warmup-records n] [--reps n]
 * What a REST server costs a job: without one, with one that nobody asks, and with one that is asked every second for its
 * metrics and for what a dashboard shows of the job. One process a run, the three in turn. Prints one JSON line.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { plainLoop } from './plain-loop.mjs'
import { restCost, VARIANTS } from './rest/cost.mjs'

const ONE_RUN = fileURLToPath(new URL('rest/one-run.mjs', import.meta.url))

/** So many that a run takes some seconds, and the server is asked some times. */
const DEFAULTS = {
  S1: { records: 1_000_000_000, keys: 0, warmupRecords: 200_000_000 },
  S2: { records: 30_000_000, keys: 100_000, warmupRecords: 8_000_000 },
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
const reps = numberOf('reps', 5)
const options = { records, keys: keys || 1, parallelism: Number(flags.parallelism), freshKeys: false, preload: false }

const checksum = plainLoop(workload, options)()
const rounds = Array.from({ length: reps }, (_, index) => round(index))
const head = { engine: 'millrace', runtime: `Node ${process.version}`, workload, records, keys }
console.log(
  JSON.stringify({
    ...head,
    ...{ parallelism: options.parallelism, warmupRecords, runs: reps },
    ...restCost(rounds, { records, checksum }),
  }),
)

/** Every round begins with another of the three, so that no one of them always comes after the same. */
function round(index) {
  const first = index % VARIANTS.length
  const order = [...VARIANTS.slice(first), ...VARIANTS.slice(0, first)]
  return Object.fromEntries(order.map((variant) => [variant, oneRun(variant, `round ${index + 1} of ${reps}`)]))
}

function oneRun(variant, where) {
  process.stderr.write(`${where}: ${workload}, ${variant} ...\n`)
  const task = JSON.stringify({ workload, options, warmupRecords, variant })
  const output = execFileSync(process.execPath, [ONE_RUN, task], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return JSON.parse(output.trim().split('\n').at(-1))
}
