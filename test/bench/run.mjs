#!/usr/bin/env node
/**
 * npm run bench -- S0|S1|S2|S5|S6|S7 [--records n] [--keys n] [--parallelism p] [--fresh-keys] [--warmup n] [--reps n]
 *                  [--checkpoint-interval-ms n] [--checkpoint-dir d] [--engine plain]
 *                  [--backend hashmap|leveldb] [--cache-size 64mb] [--incremental true|false]
 *   S5: [--seconds n] [--mode aligned|unaligned|alternating] [--aligned-timeout-ms n] [--sleeps promise|block]
 *       [--sleep-ms n] [--channel-credit n]; one run, no warm-up
 *   S7: without an interval, every run is made twice: without checkpoints, and with one every 1000 ms
 *   S6: [--fail-after n] [--min-checkpoints n]; with --cold the process is killed and a second one goes on
 * Runs a frozen workload and prints one JSON line. The figures are of the measured runs; warm-up runs are thrown away.
 */
import { parseArgs } from 'node:util'
import { backPressure } from './back-pressure.mjs'
import { coldRecoveries } from './cold-recovery.mjs'
import { checkpointCost, checkpointFigures, figures, recoveryFigures } from './figures.mjs'
import { LARGEST_KEY_TABLE } from './generator.mjs'
import { startMeasuring } from './measure.mjs'
import { plainLoop } from './plain-loop.mjs'
import { runJob } from './run-job.mjs'
import { snapshotWalkNsPerKey } from './snapshot-walk.mjs'
import { defaults, workloads } from './workloads.mjs'

const number = { type: 'string' }
const yes = { type: 'boolean', default: false }
const {
  values: flags,
  positionals: [workload],
} = parseArgs({
  allowPositionals: true,
  options: {
    engine: { ...number, default: 'millrace' },
    records: number,
    keys: number,
    parallelism: { ...number, default: '1' },
    'fresh-keys': yes,
    warmup: number,
    reps: number,
    'checkpoint-interval-ms': number,
    'checkpoint-dir': number,
    backend: { ...number, default: 'hashmap' },
    'cache-size': number,
    incremental: number,
    seconds: { ...number, default: '60' },
    mode: { ...number, default: 'unaligned' },
    'aligned-timeout-ms': { ...number, default: '100' },
    sleeps: { ...number, default: 'promise' },
    'sleep-ms': { ...number, default: '10' },
    'channel-credit': number,
    'fail-after': number,
    'min-checkpoints': { ...number, default: '1' },
    cold: yes,
    // What `--cold` starts: a process that kills itself at the failure, and the one that goes on.
    halt: yes,
    resume: yes,
  },
})
if (!(workload in workloads)) {
  console.error(`usage: npm run bench -- ${Object.keys(workloads).join('|')} [--records n] [--keys n] ...`)
  process.exit(2)
}
if (workload === 'S5' && flags.engine === 'plain') {
  console.error('S5 is about checkpoints: there is no plain loop of it')
  process.exit(2)
}
const startToFirstRecordMs = Date.now() - performance.timeOrigin
const numberOf = (name, otherwise) => (flags[name] === undefined ? otherwise : Number(flags[name]))
const records = numberOf('records', defaults[workload].records)
const keys = numberOf('keys', defaults[workload].keys)
const options = {
  records,
  keys: keys || 1,
  parallelism: Number(flags.parallelism),
  freshKeys: flags['fresh-keys'] || keys > LARGEST_KEY_TABLE,
  preload: false,
}
const intervalMs = numberOf('checkpoint-interval-ms', ['S5', 'S6'].includes(workload) ? 1000 : 0)
const warmup = numberOf('warmup', workload === 'S6' ? 0 : 1)
const reps = numberOf('reps', 5)
/** Of S7 when nothing else is asked for. */
const PAIRED_INTERVAL_MS = 1000
const state = { backend: flags.backend, cacheSize: flags['cache-size'], incremental: flags.incremental }
const run = (more = {}) => runJob(workload, options, { checkpointDir: flags['checkpoint-dir'], state, ...more })
const head = {
  engine: flags.engine,
  version: '0.1.0',
  runtime: `Node ${process.version}`,
  workload,
  records,
  keys,
  parallelism: options.parallelism,
  freshKeys: options.freshKeys,
  ...(flags.engine === 'plain' || workload === 'S5' ? {} : state),
  ...(workload === 'S5' ? {} : { warmupRuns: warmup, runs: reps }),
  ...(intervalMs > 0 ? { checkpointIntervalMs: intervalMs } : {}),
}
const failure = {
  failAfter: numberOf('fail-after', Math.floor(records / 3)),
  minCheckpoints: Number(flags['min-checkpoints']),
}

if (flags.engine === 'plain') print(await plainLoopFigures())
else await runMillrace()

async function runMillrace() {
  switch (workload) {
    case 'S5':
      print(await underBackPressure())
      break
    case 'S6':
      print(flags.cold ? await cold() : await recovery())
      break
    case 'S7':
      print(flags['checkpoint-interval-ms'] === undefined ? await checkpointsAgainstNone() : await plainFigures())
      break
    default:
      print(await plainFigures())
  }
}

/** The same program without an engine. */
async function plainLoopFigures() {
  const loop = plainLoop(workload, options)
  const probe = { maxGapMs: 0, maxSteadyGapMs: 0 }
  const runs = await measured(() => {
    globalThis.gc?.()
    const stop = startMeasuring()
    const checksum = loop()
    return { ...stop(), checksum, probe, freezes: [], memory: { anonymousMb: null, mappedMb: null } }
  })
  return figures(runs, options)
}

async function plainFigures() {
  const runs = await measured(() => run({ intervalMs }))
  return { ...figures(runs, options), startToFirstRecordMs, ...(intervalMs > 0 ? checkpointFigures(runs) : {}) }
}

function underBackPressure() {
  const { mode, sleeps } = flags
  return backPressure(
    { ...options, sleeps, sleepMs: Number(flags['sleep-ms']) },
    {
      ...{ mode, intervalMs, seconds: Number(flags.seconds), alignedTimeoutMs: Number(flags['aligned-timeout-ms']) },
      ...{ channelCredit: numberOf('channel-credit'), checkpointDir: flags['checkpoint-dir'] },
    },
  )
}

/** In turn, so that whatever else the machine does meets both. */
async function checkpointsAgainstNone() {
  const pairs = await measured(async () => [await run(), await run({ intervalMs: PAIRED_INTERVAL_MS })])
  const [without, withThem] = [pairs.map(([one]) => one), pairs.map(([, other]) => other)]
  return {
    checkpointIntervalMs: PAIRED_INTERVAL_MS,
    ...figures(withThem, options),
    ...checkpointFigures(withThem),
    ...checkpointCost(without, withThem, keys),
    ...(state.backend === 'hashmap' ? { snapshotWalkNsPerKey: await snapshotWalkNsPerKey(keys) } : {}),
    withoutCheckpoints: figures(without, options),
  }
}

async function recovery() {
  if (flags.halt || flags.resume) return await oneLife()
  const expected = plainLoop(workload, options)()
  const runs = await measured(() => run({ intervalMs, failure: { ...failure } }))
  return { ...failure, ...figures(runs, options, expected), ...checkpointFigures(runs), ...recoveryFigures(runs) }
}

async function cold() {
  const expected = plainLoop(workload, options)()
  const sizes = [
    ...['records', 'keys', 'parallelism', 'fail-after', 'min-checkpoints', 'checkpoint-interval-ms'],
    ...['backend', 'cache-size', 'incremental'],
  ]
  const given = sizes.flatMap((name) => (flags[name] === undefined ? [] : [`--${name}`, flags[name]]))
  return { ...failure, ...(await coldRecoveries([workload, ...given], reps, expected)) }
}

/** One process of `--cold`: it either ends by SIGKILL, or says when its first output came. */
async function oneLife() {
  const killed = flags.halt ? { ...failure, halt: () => process.kill(process.pid, 'SIGKILL') } : undefined
  const { checksum, probe } = await run({ intervalMs, failure: killed, resume: flags.resume })
  return { checksum, firstOutputAtMs: performance.timeOrigin + probe.firstOutputMs }
}

async function measured(once) {
  const runs = []
  for (let index = 0; index < warmup + reps; index++) {
    const outcome = await once()
    if (index >= warmup) runs.push(outcome)
  }
  return runs
}

function print(line) {
  console.log(JSON.stringify({ ...head, ...line }))
}
