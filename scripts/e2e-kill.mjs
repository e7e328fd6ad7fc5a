/**
 * The kill test: runs the chain job of test/e2e/programs/ in processes of their own, kills them with SIGKILL at random
 * moments, resumes until each job has finished, and has every output checked by a separate program, test/e2e/verify.mjs.
 *
 *   npm run e2e:kill -- --cycles 500                  so many kills, spread over as many jobs as it takes
 *   npm run e2e:kill -- --seed 7 --only-job 12        the plan of one job again; --keep leaves its files
 *   npm run e2e:kill -- --control no-restore          negative controls: exit 0 only if the verifier finds the damage
 *   npm run e2e:kill -- --control commit-early
 *
 * About half of the kills come from outside at a random time. The others aim at a narrow window: the job's process sends
 * itself SIGKILL at a point that MILLRACE_KILL_AT names (test/e2e/programs/trace.mjs). Which class a kill belongs to is
 * told from what it left behind (test/e2e/classify.mjs), never from what was aimed at. The last line printed is the report.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CLASSES, classify } from '../test/e2e/classify.mjs'
import { COMMAND, runProcess, verifyOutput } from '../test/e2e/job-process.mjs'
import { jobOf, parallelismOf, planOf } from '../test/e2e/kill-plan.mjs'
import { makeReady } from './ready.mjs'

/** Of 500 kills; of other numbers in proportion. */
const LEAST_OF_A_CLASS = 25
const LEAST_AFTER_CHECKPOINT = 0.8
/** Fewer kills need not fall everywhere. */
const ENOUGH_TO_SPREAD = 200

const { values: options } = parseArgs({
  options: {
    cycles: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
    lanes: { type: 'string', default: '2' },
    'only-job': { type: 'string' },
    control: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
})
const seed = Number(options.seed)
const cycles = Number(options.cycles)

// A test that runs this script must not find itself rebuilding what other tests are running.
if (process.env.npm_lifecycle_event === 'e2e:kill') makeReady()
if (!existsSync(COMMAND)) {
  console.error(`${COMMAND} is missing: run "npm run build" first.`)
  process.exit(2)
}
const work = mkdtempSync(join(tmpdir(), 'millrace-kill-'))
const passed = options.control === undefined ? await killCycles() : await negativeControl(options.control)
if (passed && !options.keep) rmSync(work, { recursive: true, force: true })
process.exit(passed ? 0 : 1)

async function killCycles() {
  const report = { kills: 0, jobs: 0, afterCheckpoint: 0, places: {}, details: {}, wrong: [] }
  for (const name of CLASSES) report.places[name] = 0
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
  return summary(report, (performance.now() - startedMs) / 1000)
}

/** One job from its first process to its verified end, with as many kills on the way as its plan gives. */
async function oneJob(number, report) {
  const job = jobOf(seed, number)
  const folder = folderOf(`job-${number}`)
  const wrong = (what, more) =>
    void report.wrong.push(
      `job ${number}: ${what}\n${more}\n${JSON.stringify(job.settings)}\nfiles: ${folder}\nagain: npm run e2e:kill -- --seed ${seed} --only-job ${number} --cycles ${cycles}`,
    )
  let hadCheckpoint = false
  for (let life = 0; ; life++) {
    const settings = { ...job.settings, parallelism: parallelismOf(job) }
    const end = await runProcess(folder, settings, report.kills < cycles ? planOf(job, life) : {})
    if (!end.killed && !end.done) return wrong(`${end.ending} in life ${life}`, end.stderr)
    // A process that was to be killed and was faster has ended the job.
    if (!end.killed) break
    count(report, classify({ ...end.evidence, resumed: hadCheckpoint }))
    hadCheckpoint ||=
      end.evidence.published.length > 0 || end.evidence.lines.some(({ type }) => type === 'checkpoint.completed')
  }
  const verdict = await verifyOutput(folder, job.settings)
  if (!verdict.exact) return wrong('its output is not exact', JSON.stringify(verdict))
  report.jobs++
  if (!options.keep) rmSync(folder, { recursive: true, force: true })
}

/**
 * The same kill twice, without and with a fault: the honest run must be exact, the broken one must be found out. Kills at
 * random miss the window of `commit-early`; the hook hits it.
 */
async function negativeControl(control) {
  const faults = {
    // The second process starts without its state, and keeps the output of the first.
    'no-restore': { sink: 'file', killAt: 'commit.ended:8', second: { resume: false } },
    // Committed at the barrier, killed before the checkpoint is durable.
    'commit-early': {
      sink: 'ledger',
      killAt: 'sink.prepared:8',
      first: { commitEarly: true },
      second: { commitEarly: true },
    },
  }
  const fault = faults[control]
  if (fault === undefined) {
    console.error(`--control ${control}: there are ${Object.keys(faults).join(', ')}.`)
    return false
  }
  const settings = {
    ...jobOf(seed, 0).settings,
    sink: fault.sink,
    parallelism: 2,
    intervalMs: 50,
    rate: 30_000,
    records: 12_000,
  }
  const run = async (name, { first = {}, second = {} }) => {
    const folder = folderOf(name)
    const killed = await runProcess(folder, settings, { killAt: fault.killAt, ...first })
    const ended = await runProcess(folder, settings, second)
    const asPlanned = killed.killed && ended.done
    if (!asPlanned) console.error(`${name}: ${killed.ending}, then ${ended.ending}\n${killed.stderr}${ended.stderr}`)
    const verdict = await verifyOutput(folder, settings)
    console.log(`${name}: ${JSON.stringify(verdict)}`)
    return { asPlanned, exact: verdict.exact }
  }
  const honest = await run('without the fault', {})
  const broken = await run('with the fault', fault)
  const caught = honest.asPlanned && honest.exact && broken.asPlanned && !broken.exact
  console.log(caught ? `${control}: found by the verifier` : `${control}: NOT found by the verifier`)
  return caught
}

function folderOf(name) {
  const folder = join(work, name)
  mkdirSync(join(folder, 'output'), { recursive: true })
  return folder
}

function count(report, { place, afterCheckpoint, detail }) {
  report.kills++
  report.places[place]++
  const line = `${place}: ${detail}`
  report.details[line] = (report.details[line] ?? 0) + 1
  if (afterCheckpoint) report.afterCheckpoint++
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${report.kills} kills, ${report.jobs} jobs verified`)
  else if (report.kills % 25 === 0) console.log(`${report.kills} kills, ${report.jobs} jobs verified`)
}

function summary({ kills, jobs, afterCheckpoint, places, details, wrong }, seconds) {
  if (process.stdout.isTTY) process.stdout.write('\r\x1b[K')
  for (const [what, times] of Object.entries(details).sort()) console.log(`${String(times).padStart(5)}  ${what}`)
  for (const failure of wrong) console.error(failure)
  const share = afterCheckpoint / kills
  const least = Math.floor((LEAST_OF_A_CLASS * kills) / 500)
  const spread = share >= LEAST_AFTER_CHECKPOINT && CLASSES.every((name) => name === 'other' || places[name] >= least)
  const report = { seed, kills, jobs, wrong: wrong.length, places, afterCheckpoint: round(share, 3), spread }
  console.log(JSON.stringify({ ...report, seconds: round(seconds, 1), killsPerSecond: round(kills / seconds, 2) }))
  return wrong.length === 0 && (spread || kills < ENOUGH_TO_SPREAD)
}

function round(value, digits) {
  return Number(value.toFixed(digits))
}
