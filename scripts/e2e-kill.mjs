/**
 * The kill test: runs the jobs of test/e2e/programs/ in processes of their own, kills them with SIGKILL at random moments,
 * resumes until each job is through, and has every output checked by a separate program, test/e2e/verify.mjs. Two jobs get
 * half of the kills each: the chain job (bounded, hash chains for each key, two sinks) and the followed job (files that
 * grow, union state, broadcast rules, timers of both clocks, side outputs, buckets of CSV).
 *
 *   npm run e2e:kill -- --cycles 500                  so many kills, spread over as many jobs as it takes
 *   npm run e2e:kill -- --job followed                one of the two only
 *   npm run e2e:kill -- --backend leveldb --num-retained 3    state on disk, incremental checkpoints, so many kept
 *   npm run e2e:kill -- --unaligned                   barriers overtake the records before slow sinks; the report says how
 *                                                     many checkpoints hold records in flight, and there must be some
 *   npm run e2e:kill -- --seed 7 --only-job 12 --job chain    the plan of one job again; --keep leaves its files
 *   npm run e2e:kill -- --control no-restore          negative controls: exit 0 only if the verifier finds the damage;
 *                                                     commit-early, drop-timers, forget-union; on disk delete-early,
 *                                                     never-delete; or all of them: all
 *
 * About half of the kills come from outside at a random time. The others aim at a narrow window: the job's process sends
 * itself SIGKILL at a point that MILLRACE_KILL_AT names (test/e2e/programs/trace.mjs). Which class a kill belongs to is
 * told from what it left behind (test/e2e/classify.mjs), never from what was aimed at. The last line printed is the report.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { classify } from '../test/e2e/classify.mjs'
import { COMMAND } from '../test/e2e/job-process.mjs'
import { runChainJob } from '../test/e2e/kill-chain.mjs'
import { CONTROL_NAMES, negativeControl } from '../test/e2e/kill-controls.mjs'
import { runFollowedJob } from '../test/e2e/kill-followed.mjs'
import { KillReport } from '../test/e2e/kill-report.mjs'
import { SHARED_CONTROL_NAMES, sharedControl } from '../test/e2e/kill-shared-controls.mjs'
import { makeReady } from './ready.mjs'

const ALL_CONTROLS = [...CONTROL_NAMES, ...SHARED_CONTROL_NAMES]
const RUNS = { chain: runChainJob, followed: runFollowedJob }

const { values: options } = parseArgs({
  options: {
    cycles: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
    lanes: { type: 'string', default: '2' },
    job: { type: 'string' },
    'only-job': { type: 'string' },
    backend: { type: 'string', default: 'hashmap' },
    unaligned: { type: 'boolean', default: false },
    'num-retained': { type: 'string' },
    control: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
})
const seed = Number(options.seed)
const cycles = Number(options.cycles)
const place = {
  backend: options.backend,
  unaligned: options.unaligned,
  retained: options['num-retained'] === undefined ? undefined : Number(options['num-retained']),
}
if (!['hashmap', 'leveldb'].includes(place.backend))
  refuse(`--backend ${place.backend}: there are hashmap and leveldb.`)
if (options.job !== undefined && !Object.hasOwn(RUNS, options.job))
  refuse(`--job ${options.job}: there are ${Object.keys(RUNS).join(' and ')}.`)
if (options.control !== undefined && ![...ALL_CONTROLS, 'all'].includes(options.control))
  refuse(`--control ${options.control}: there are ${ALL_CONTROLS.join(', ')} and all.`)

// A test that runs this script must not find itself rebuilding what other tests are running.
if (process.env.npm_lifecycle_event === 'e2e:kill') makeReady()
if (!existsSync(COMMAND)) refuse(`${COMMAND} is missing: run "npm run build" first.`)
const work = mkdtempSync(join(tmpdir(), 'millrace-kill-'))
const passed = options.control === undefined ? await killCycles() : await controls(options.control)
if (passed && !options.keep) rmSync(work, { recursive: true, force: true })
process.exit(passed ? 0 : 1)

async function killCycles() {
  const report = new KillReport()
  console.log(`seed ${seed}, ${cycles} kills, files in ${work}`)
  const startedMs = performance.now()
  if (options['only-job'] !== undefined) await oneJob(Number(options['only-job']), report)
  else {
    let next = 0
    const lane = async () => {
      while (report.wrong.length === 0 && report.kills < cycles) await oneJob(next++, report)
    }
    await Promise.all(Array.from({ length: Number(options.lanes) }, lane))
  }
  if (process.stdout.isTTY) process.stdout.write('\r\x1b[K')
  for (const line of [...report.details(), ...report.parts()]) console.log(line)
  for (const failure of report.wrong) console.error(failure)
  console.log(JSON.stringify({ seed, ...report.summary((performance.now() - startedMs) / 1000) }))
  return report.passed({ inFlight: place.unaligned })
}

/** One job from its first process to its verified end, with as many kills on the way as its plan gives. */
async function oneJob(number, report) {
  const name = options.job ?? report.fewerKills()
  report.begun(name)
  const folder = folderOf(`job-${number}`)
  let hadCheckpoint = false
  const ended = await RUNS[name]({
    ...{ seed, number, folder, place },
    mayKill: () => report.kills < cycles,
    killed(evidence) {
      report.killed(name, classify({ ...evidence, resumed: hadCheckpoint }))
      hadCheckpoint ||=
        evidence.published.length > 0 || evidence.lines.some(({ type }) => type === 'checkpoint.completed')
      tell(report)
    },
  })
  report.ended(name, ended)
  if (ended.verdict?.exact !== true || ended.problems.length > 0) {
    const [what, more] = mistakeOf(ended)
    const unaligned = place.unaligned ? '--unaligned ' : ''
    const where = `--backend ${place.backend} ${unaligned}${place.retained === undefined ? '' : `--num-retained ${place.retained} `}`
    const again = `npm run e2e:kill -- --seed ${seed} --only-job ${number} --job ${name} ${where}--cycles ${cycles}`
    const settings = JSON.stringify(ended.settings)
    report.wrong.push(`${name} job ${number}: ${what}\n${more}\n${settings}\nfiles: ${folder}\nagain: ${again}`)
  } else if (!options.keep) rmSync(folder, { recursive: true, force: true })
}

function mistakeOf({ failure, stderr, verdict, problems }) {
  if (verdict === undefined) return [failure, stderr]
  if (!verdict.exact) return ['its output is not exact', JSON.stringify(verdict)]
  return ['its checkpoint folder is not as it must be', problems.join('\n')]
}

async function controls(name) {
  const honestRuns = new Map()
  const names = name === 'all' ? [...ALL_CONTROLS] : [name]
  let caught = true
  const lane = async () => {
    for (let each = names.shift(); each !== undefined; each = names.shift()) {
      const control = SHARED_CONTROL_NAMES.includes(each) ? sharedControl : negativeControl
      const found = await control(each, { seed, folderOf, say: (text) => console.log(text), honestRuns })
      console.log(found ? `${each}: found by the verifier` : `${each}: NOT found by the verifier`)
      caught &&= found
    }
  }
  await Promise.all(Array.from({ length: Number(options.lanes) }, lane))
  return caught
}

function folderOf(name) {
  const folder = join(work, name)
  mkdirSync(folder, { recursive: true })
  return folder
}

function tell({ kills, jobs }) {
  const line = `${kills} kills, ${jobs.chain + jobs.followed} jobs verified`
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line}`)
  else if (kills % 25 === 0) console.log(line)
}

function refuse(message) {
  console.error(message)
  process.exit(2)
}
