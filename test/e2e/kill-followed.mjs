/**
 * The followed job under the kill test: it gets its input while it lives and dies, and between its lives. When all of that
 * is in its output, event time ends; when that has been answered too, the job is suspended.
 */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { runProcess, verifyOutput } from './job-process.mjs'
import { Feed } from './kill-feed.mjs'
import { InFlightTally } from './kill-in-flight.mjs'
import { Leftovers } from './kill-leftovers.mjs'
import { followedJobOf, parallelismOf, placed, planOfFollowed } from './kill-plan.mjs'

const JOB = fileURLToPath(new URL('./programs/followed-job.mjs', import.meta.url))
const FEED_MS = 20
const LOOK_MS = 200
/** When nothing has changed for so long, nothing more will come. */
const PATIENCE_MS = 15_000
/** What millrace run says of a job that a signal has suspended. */
const SUSPENDED = 143
/** Where barriers overtake, what each writer of rows takes in a second: less than comes. */
const SINK_RATE = 1000
/** What needs no end of event time. */
const BEFORE_THE_END = ['events', 'numbers', 'rules', 'invalid']

/**
 * As runChainJob. `coverage` says what the job has met: files, renames, halves of lines, rules, lives at another
 * parallelism and lives that were suspended.
 */
export async function runFollowedJob({ seed, number, folder, place, mayKill, killed }) {
  const job = placed(followedJobOf(seed, number), number, place)
  const { settings } = job
  const leftovers = new Leftovers(folder)
  const inFlight = new InFlightTally()
  const feed = new Feed(join(folder, 'input'), { records: settings.records, random: job.feedRandom })
  const coverage = { rescaled: 0, suspended: 0 }
  let { lives, livesAtEnd } = job
  let before
  let hadCheckpoint = false
  for (let life = 0; ; life++) {
    const parallelism = parallelismOf(job)
    if (before !== undefined && before !== parallelism) coverage.rescaled++
    before = parallelism
    const feeding = lives-- > 0 && mayKill()
    const dying = !feeding && mayKill() && livesAtEnd-- > 0
    const [plan, attend] = feeding
      ? [planOfFollowed(job, { life, hadCheckpoint }), feedingUntilDeath(feed)]
      : [{}, endingIt(feed, folder, { dieAfterMs: dying ? 150 * job.random() : undefined })]
    if (feeding) feed.step()
    const end = await followedProcess(folder, { ...settings, parallelism }, { ...plan, attend })
    if (end.evidence !== undefined) inFlight.lived(end.evidence)
    hadCheckpoint ||= end.evidence !== undefined && end.evidence.published.length > 0
    if (end.killed) {
      killed(end.evidence)
      leftovers.killed(life, end.evidence)
    } else if (end.code !== SUSPENDED) return { settings, failure: `${end.ending} in life ${life}`, stderr: end.stderr }
    else if (feeding) coverage.suspended++
    else break
  }
  leftovers.ended({ least: 1, most: settings.retained })
  const { problems, counts } = leftovers
  const verdict = await verifyFollowedOutput(folder)
  return { settings, verdict, problems, coverage: { ...coverage, ...feed.done, ...counts, ...inFlight.counts } }
}

/** `attend` and `fault` in the plan; `suspendMs` as in kill-plan.mjs. */
export function followedProcess(folder, settings, plan) {
  const program = [
    ...[JOB, '--input', join(folder, 'input'), '--output', join(folder, 'output')],
    ...(settings.alignedTimeoutMs === undefined ? [] : ['--sink-rate', String(SINK_RATE)]),
    ...(plan.fault === undefined ? [] : ['--fault', plan.fault]),
  ]
  return runProcess(folder, program, settings, plan, async (living) => {
    if (plan.suspendMs !== undefined)
      void living.line('task.RUNNING').then(() => setTimeout(living.suspend, plan.suspendMs))
    await plan.attend(living)
  })
}

export function verifyFollowedOutput(folder) {
  return verifyOutput(['--input', join(folder, 'input'), '--output', join(folder, 'output')])
}

/** Input for as long as the process lives. */
export function feedingUntilDeath(feed) {
  return async ({ signal }) => {
    while (!signal.aborted) {
      feed.step()
      await pause(FEED_MS)
    }
  }
}

/** The rest of the input and its end. `dieAfterMs`: it is killed so long after event time has ended; else suspended. */
export function endingIt(feed, folder, { dieAfterMs, patienceMs = PATIENCE_MS } = {}) {
  return async (living) => {
    const until = (isComplete) => outputIs(isComplete, { folder, patienceMs, signal: living.signal })
    feed.finish()
    await until(({ parts }) => BEFORE_THE_END.every((name) => parts[name].lost === 0))
    feed.mark()
    if (dieAfterMs !== undefined) {
      await pause(dieAfterMs)
      living.kill()
      return
    }
    await until(({ exact }) => exact)
    // Everything may have been there before: a process that has only begun does not know the signal yet.
    await living.line('task.RUNNING')
    living.suspend()
  }
}

/** Resolves when the output is as wanted, or will never be. */
async function outputIs(isComplete, { folder, patienceMs, signal }) {
  let before = ''
  let changedMs = performance.now()
  while (!signal.aborted && performance.now() - changedMs < patienceMs) {
    const verdict = await verifyFollowedOutput(folder)
    if (verdict.parts === undefined || isComplete(verdict) || isHopeless(verdict)) return
    const now = JSON.stringify(verdict)
    if (now !== before) changedMs = performance.now()
    before = now
    await pause(LOOK_MS)
  }
}

/** Sinks commit one after the other: a window may be seen before the late records that are missing in it. */
function isHopeless({ parts: { windows, ...parts } }) {
  const all = [...Object.values(parts), { ...windows, altered: 0 }]
  return all.some(({ duplicated, altered, outOfOrder }) => duplicated + altered + outOfOrder > 0)
}
