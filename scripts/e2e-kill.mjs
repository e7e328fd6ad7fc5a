/**
 * The kill test: runs the chain job of test/e2e/programs/ in processes of their own, kills them with SIGKILL at random
 * moments, resumes until each job has finished, and has every output checked by the separate program test/e2e/verify.mjs.
 *
 *   npm run e2e:kill -- --cycles 500                  so many kills, spread over as many jobs as it takes
 *   npm run e2e:kill -- --seed 7 --only-job 12        the plan of one job again; --keep leaves its files
 *   npm run e2e:kill -- --control no-restore          negative controls: exit 0 only if the verifier finds the damage
 *   npm run e2e:kill -- --control commit-early
 *
 * About half of the kills come from outside at a random time. The others hit a narrow window: the job's process sends
 * itself SIGKILL at a point that MILLRACE_KILL_AT names (test/e2e/programs/trace.mjs). Which class a kill belongs to is
 * told from what it left behind (test/e2e/classify.mjs), never from what was aimed at.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { CLASSES, classify } from '../test/e2e/classify.mjs'
import { root } from './ready.mjs'

const COMMAND = join(root, 'dist', 'src', 'cli', 'main.js')
const JOB = join(root, 'test', 'e2e', 'programs', 'chain-job.mjs')
const VERIFIER = join(root, 'test', 'e2e', 'verify.mjs')
const INTERVAL_MS = 50
/** A process that lives longer without being killed is stuck. */
const LONGEST_LIFE_MS = 60_000
/** Of 500 kills; other numbers in proportion. */
const LEAST_OF_A_CLASS = 25
const LEAST_AFTER_CHECKPOINT = 0.8

const { values: options } = parseArgs({
  options: {
    cycles: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(process.pid) },
    lanes: { type: 'string', default: '2' },
    'only-job': { type: 'string' },
    control: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
})
const seed = Number(options.seed)
const cycles = Number(options.cycles)
const work = mkdtempSync(join(tmpdir(), 'millrace-kill-'))

if (!existsSync(COMMAND)) {
  console.error(`${COMMAND} is missing: run "npm run build" first.`)
  process.exit(2)
}
const passed = options.control === undefined ? await killCycles() : await negativeControl(options.control)
if (passed && !options.keep) rmSync(work, { recursive: true, force: true })
process.exit(passed ? 0 : 1)

async function killCycles() {
  const report = {
    cycles: 0,
    jobs: 0,
    afterCheckpoint: 0,
    places: Object.fromEntries(CLASSES.map((name) => [name, 0])),
    details: {},
    wrong: [],
  }
  console.log(`seed ${seed}, ${cycles} kills, files in ${work}`)
  const startedMs = performance.now()
  const onlyJob = options['only-job']
  let next = onlyJob === undefined ? 0 : Number(onlyJob)
  const lane = async () => {
    while (report.wrong.length === 0 && (onlyJob === undefined ? report.cycles < cycles : next === Number(onlyJob)))
      await oneJob(next++, report)
  }
  await Promise.all(Array.from({ length: onlyJob === undefined ? Number(options.lanes) : 1 }, lane))
  return summary(report, (performance.now() - startedMs) / 1000)
}

/** One job from its first process to its verified end, with as many kills as its plan gives. */
async function oneJob(number, report) {
  const random = seededRandom(seed * 100_003 + number)
  const rate = pick(random, [10_000, 30_000, 90_000])
  const job = {
    number,
    name: `job ${number}`,
    folder: join(work, `job-${number}`),
    sink: pick(random, ['file', 'ledger']),
    parallelism: pick(random, [2, 3, 4]),
    /** Each process then draws a parallelism of its own. */
    rescales: random() < 0.3,
    seed: Math.floor(random() * 2 ** 31),
    rate,
    records: Math.round(rate * (0.1 + 0.3 * random())),
    hadCheckpoint: false,
  }
  mkdirSync(join(job.folder, 'output'), { recursive: true })
  for (let life = 0; ; life++) {
    const enough = report.cycles >= cycles
    if (job.rescales) job.parallelism = pick(random, [1, 2, 3, 4])
    const end = await runProcess(job, enough ? {} : planOf(life, random))
    if (end.killed) {
      count(report, job, end)
      continue
    }
    if (end.code !== 0)
      return void report.wrong.push(failureOf(job, `exit code ${end.code} in life ${life}`, end.stderr))
    // The job is over; a process that was to be killed and came too late has counted for nothing.
    break
  }
  report.jobs++
  const verdict = await verifyOutput(job)
  if (!verdict.exact) return void report.wrong.push(failureOf(job, 'not exact', JSON.stringify(verdict)))
  if (!options.keep) rmSync(job.folder, { recursive: true, force: true })
}

/** Where this process should die. Also aims at the clean-up, in case the job gets that far. */
function planOf(life, random) {
  const delay = (most) => (random() * most).toFixed(2)
  const atEnd = random() < 0.9 ? `,job.FINISHED:1:${random() < 0.3 ? 0 : delay(5)}` : ''
  const at = (point) => ({ killAt: point + atEnd })
  if (life === 0 && random() < 0.8)
    return random() < 0.3 ? at(`execute:1:${delay(60)}`) : at(`task.RUNNING:1:${delay(INTERVAL_MS)}`)
  const draw = random()
  const nth = 1 + Math.floor(random() * 6)
  if (draw < 0.12) return at(`checkpoint.triggered:${nth}:${delay(6)}`)
  if (draw < 0.18) return at(`sink.prepared:${nth}`)
  if (draw < 0.23) return at(`checkpoint.completed:${nth}:${delay(1)}`)
  if (draw < 0.32) return at(`commit.begun:${nth}:${random() < 0.5 ? 0 : delay(2)}`)
  if (draw < 0.37) return at(`commit.ended:${nth}`)
  if (draw < 0.4) return at(`execute:1:${delay(60)}`)
  if (draw < 0.44) return at(`task.INITIALIZING:${nth}:${random() < 0.5 ? 0 : delay(6)}`)
  return {
    killAt: atEnd.slice(1),
    after: random() < 0.3 ? 'execute' : 'task.RUNNING',
    afterMs: random() * (random() < 0.2 ? 1000 : 400),
    stopMs: random() < 0.1 ? random() * 200 : 0,
  }
}

/** Resolves when the process is gone: how it ended, and where it was. */
async function runProcess(
  job,
  { killAt = '', after = 'execute', afterMs, stopMs = 0, resume = true, commitEarly = false },
) {
  const checkpoints = join(job.folder, 'checkpoints')
  const child = spawn(
    process.execPath,
    [
      COMMAND,
      'run',
      '--no-rest',
      ...(resume ? ['--resume'] : []),
      ...['-p', String(job.parallelism)],
      ...define('execution.checkpointing.interval', `${INTERVAL_MS} ms`),
      ...define('execution.checkpointing.dir', checkpoints),
      ...define('execution.checkpointing.num-retained', '2'),
      // A failure is a finding, nothing to recover from inside the process.
      ...define('restart-strategy.type', 'none'),
      JOB,
      ...['--seed', String(job.seed), '--records', String(job.records), '--rate', String(job.rate)],
      ...['--output', join(job.folder, 'output'), '--sink', job.sink],
      ...(commitEarly ? ['--commit-early'] : []),
    ],
    {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      env: { ...process.env, MILLRACE_TRACE: '1', MILLRACE_KILL_AT: killAt },
    },
  )
  const lines = []
  let stderr = ''
  let stuck = false
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr = (stderr + text).slice(-4000)
  })
  const kill = () => child.kill('SIGKILL')
  let timer
  /** Stopped for a while and continued, some are: time passes for everybody else. */
  const stopThenKill = () => {
    if (stopMs === 0) return kill()
    child.kill('SIGSTOP')
    timer = setTimeout(() => {
      child.kill('SIGCONT')
      timer = setTimeout(kill, stopMs / 2)
    }, stopMs)
  }
  createInterface({ input: child.stdio[3] }).on('line', (line) => {
    const traced = JSON.parse(line)
    lines.push(traced)
    if (traced.type === after && afterMs !== undefined && timer === undefined) timer = setTimeout(stopThenKill, afterMs)
  })
  const limit = setTimeout(() => {
    stuck = true
    kill()
  }, LONGEST_LIFE_MS)
  const { code, signal } = await new Promise((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  )
  clearTimeout(timer)
  clearTimeout(limit)
  if (stuck)
    return { killed: false, code: 'none: stuck', stderr: `${stderr}\nlast lines: ${JSON.stringify(lines.slice(-20))}` }
  const disk = readDisk(checkpoints)
  const resumed = job.hadCheckpoint
  job.hadCheckpoint ||= disk.published.length > 0 || lines.some(({ type }) => type === 'checkpoint.completed')
  return { killed: signal === 'SIGKILL', code: code ?? signal, stderr, lines, evidence: { lines, resumed, ...disk } }
}

/** What the dead process has left of its checkpoints. */
function readDisk(checkpoints) {
  const [jobId] = existsSync(checkpoints) ? readdirSync(checkpoints) : []
  if (jobId === undefined) return { published: [], cleanedUp: false }
  const folder = join(checkpoints, jobId)
  const published = readdirSync(folder)
    .map((name) => Number(/^chk-(\d+)$/.exec(name)?.[1]))
    .filter((id) => existsSync(join(folder, `chk-${id}`, '_metadata')))
  return { published, cleanedUp: published.length === 0 && recordOf(folder)?.status === 'FINISHED' }
}

function recordOf(folder) {
  const path = join(folder, 'job.json')
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).record : undefined
}

function verifyOutput(job) {
  const verifier = spawn(
    process.execPath,
    [VERIFIER, '--seed', String(job.seed), '--records', String(job.records), '--output', join(job.folder, 'output')],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let printed = ''
  verifier.stdout.setEncoding('utf8').on('data', (text) => {
    printed += text
  })
  return new Promise((resolve) =>
    verifier.on('close', (code) =>
      resolve(printed === '' ? { exact: false, verifier: `exit code ${code}` } : JSON.parse(printed)),
    ),
  )
}

/**
 * The same kill twice, with and without a fault in the way of recovery: the honest run must be exact, the broken one must
 * be found out. A kill at random would miss the window of `commit-early`; the hook hits it.
 */
async function negativeControl(control) {
  const faults = {
    // The second process starts without its state, and keeps the output of the first.
    'no-restore': { sink: 'file', killAt: 'commit.ended:8', second: { resume: false }, first: {} },
    // Committed with the barrier, killed before the checkpoint is durable.
    'commit-early': {
      sink: 'ledger',
      killAt: 'sink.prepared:8',
      second: { commitEarly: true },
      first: { commitEarly: true },
    },
  }
  const fault = faults[control]
  if (fault === undefined) {
    console.error(`--control ${control}: there are ${Object.keys(faults).join(', ')}.`)
    return false
  }
  const run = async (name, { first, second }) => {
    const job = {
      folder: join(work, name),
      sink: fault.sink,
      parallelism: 2,
      seed,
      rate: 30_000,
      records: 12_000,
      hadCheckpoint: false,
    }
    mkdirSync(join(job.folder, 'output'), { recursive: true })
    const killed = await runProcess(job, { killAt: fault.killAt, ...first })
    const ended = await runProcess(job, second)
    if (!killed.killed || ended.code !== 0)
      console.error(`${name}: killed ${killed.killed}, then exit code ${ended.code}\n${killed.stderr}${ended.stderr}`)
    return { applied: killed.killed && ended.code === 0, verdict: await verifyOutput(job) }
  }
  const honest = await run('honest', { first: {}, second: {} })
  const broken = await run('broken', fault)
  console.log(`without the fault: ${JSON.stringify(honest.verdict)}`)
  console.log(`${control}: ${JSON.stringify(broken.verdict)}`)
  const caught = honest.applied && honest.verdict.exact && broken.applied && !broken.verdict.exact
  console.log(caught ? `${control}: found by the verifier` : `${control}: NOT as it should be`)
  return caught
}

function count(report, job, { evidence }) {
  const { place, afterCheckpoint, detail } = classify(evidence)
  report.cycles++
  report.places[place]++
  report.details[`${place}: ${detail.replace(/\d+/g, 'n')}`] =
    (report.details[`${place}: ${detail.replace(/\d+/g, 'n')}`] ?? 0) + 1
  if (afterCheckpoint) report.afterCheckpoint++
  const line = `${report.cycles} kills, ${report.jobs} jobs verified`
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line} (${job.name}, ${place})`)
  else if (report.cycles % 25 === 0) console.log(line)
}

function summary(report, seconds) {
  if (process.stdout.isTTY) process.stdout.write('\r\x1b[K')
  for (const [what, times] of Object.entries(report.details).sort())
    console.log(`${String(times).padStart(5)}  ${what}`)
  for (const failure of report.wrong) console.error(failure)
  const share = report.afterCheckpoint / report.cycles
  const { insideCheckpoint, other: _, ...rest } = report.places
  const least = Math.floor((LEAST_OF_A_CLASS * report.cycles) / 500)
  const spread =
    Object.values({ insideCheckpoint, ...rest }).every((times) => times >= least) && share >= LEAST_AFTER_CHECKPOINT
  // Few kills need not fall everywhere.
  const wanted = cycles < 200 || options['only-job'] !== undefined || spread
  console.log(
    JSON.stringify({
      seed,
      kills: report.cycles,
      jobs: report.jobs,
      wrong: report.wrong.length,
      places: report.places,
      afterCheckpoint: Number(share.toFixed(3)),
      spread,
      seconds: Number(seconds.toFixed(1)),
      killsPerSecond: Number((report.cycles / seconds).toFixed(2)),
    }),
  )
  return report.wrong.length === 0 && wanted
}

function failureOf(job, what, more) {
  return `${job.name} (${job.sink} sink, parallelism ${job.parallelism}, seed ${job.seed}): ${what}\n${more}\nfiles: ${job.folder}\nagain: npm run e2e:kill -- --seed ${seed} --only-job ${job.number} --cycles ${cycles}`
}

function define(key, value) {
  return ['-D', `${key}=${value}`]
}

function pick(random, choices) {
  return choices[Math.floor(random() * choices.length)]
}

/** mulberry32. */
function seededRandom(start) {
  let state = start | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let hash = Math.imul(state ^ (state >>> 15), 1 | state)
    hash = (hash + Math.imul(hash ^ (hash >>> 7), 61 | hash)) ^ hash
    return ((hash ^ (hash >>> 14)) >>> 0) / 2 ** 32
  }
}
