/**
 * Runs a plan: one process after the other on one simulated disk, until the job has ended; then everything that came out is
 * compared with the oracle. A process is disturbed as its plan says, and the last one is left in peace.
 */
import { StreamError } from '../../../src/base/errors.ts'
import { seededRandom } from '../../../src/base/random.ts'
import type { SimulatedDisk } from '../../../src/base/simulated-disk.ts'
import type { SimulatedWorld } from '../simulated-world.ts'
import { parallelismOfStreams } from './build-job.ts'
import { diskWith } from './build-sources.ts'
import { differences } from './compare.ts'
import { GrowingFiles } from './growing-files.ts'
import { InFlightTally } from './in-flight-tally.ts'
import { type OutsideSink, outsideSinks, ReadByProgram } from './outside.ts'
import type { Backend, LifePlan, Plan } from './plan.ts'
import { type Report, runProcess, startOf } from './run-process.ts'
import type { Sabotage } from './sabotage.ts'
import { type Tally, Trouble } from './trouble.ts'

/** Processes that are left in peace behind those of the plan, until one ends the job. */
const MOST_MORE = 1

export interface RunOptions {
  /** A mistake that is made on purpose. */
  readonly sabotage?: Sabotage | undefined
  /** Takes a line for each process. */
  readonly log?: string[] | undefined
}

/** What the processes of a plan have left behind. */
export interface Left {
  /** In words. */
  readonly problems: readonly string[]
  readonly outside: readonly OutsideSink[]
  readonly read: ReadByProgram
  readonly disk: SimulatedDisk
}

/** What is wrong, in words; nothing where everything is as the oracle says. */
export async function runPlan(plan: Plan, tally: Tally, options?: RunOptions): Promise<readonly string[]> {
  const { problems, outside, read, disk } = await runProcesses(plan, tally, options)
  return problems.length > 0 ? problems : differences(plan, outside, read, disk)
}

/** What comes out of them is not looked at. */
export async function runProcesses(plan: Plan, tally: Tally, { sabotage, log = [] }: RunOptions = {}): Promise<Left> {
  const problems: string[] = []
  const outside = outsideSinks(plan)
  const read = new ReadByProgram()
  const growing = new GrowingFiles(plan)
  const inFlight = new InFlightTally(tally, (one, other) => !isRescaled(plan, one, other))
  let disk = diskWith(plan.sources)
  let completed = 0
  let resume: 'latest' | undefined = 'latest'
  let backend = plan.settings.backend
  for (let lived = 0; ; lived++) {
    if (lived === plan.lives.length + MOST_MORE) {
      problems.push(`the job had not ended after ${lived} processes`)
      break
    }
    const life = plan.lives[Math.min(lived, plan.lives.length - 1)] as LifePlan
    const trouble = new Trouble(life, tally, startOf(lived), sabotage)
    const report = await runProcess({
      plan,
      life,
      lived,
      backend,
      disk,
      resume,
      outside,
      read,
      growing,
      trouble,
      inFlight,
    })
    const { outcome, events, world } = report
    const here = events.filter(({ type }) => type === 'checkpoint.completed').length
    note(tally, plan, report, lived, completed)
    log.push(
      `process ${lived}: ${outcome.type} at ${Math.round(world.clock.now() - startOf(lived))} ms, ${here} checkpoints`,
    )
    problems.push(...trouble.complaints, ...unexpected(report, life, lived, growing.isFollowed))
    completed += here
    if (outcome.type === 'hung' || problems.length > 0) break
    disk = diskAfter(world, life, outcome)
    // What failed before it had done anything is refused by name, and begins anew.
    const nothing =
      outcome.type === 'threw' && StreamError.is(outcome.error) && outcome.error.code === 'JOB_NOTHING_KEPT'
    if (report.stopped !== undefined) {
      backend = nextBackend(backend, life, report, tally)
      resume = 'latest'
      continue
    }
    if (outcome.type === 'returned' || (growing.isFollowed && life.end.type === 'nothing' && !nothing)) break
    if (nothing && completed > 0) problems.push(`process ${lived} found nothing after ${completed} checkpoints`)
    resume = nothing ? undefined : 'latest'
  }
  return { problems, outside, read, disk }
}

/** A canonical savepoint can be read by any backend. */
function nextBackend(backend: Backend, { end }: LifePlan, { stopped }: Report, tally: Tally): Backend {
  if (stopped !== 'CANONICAL' || end.type !== 'stop' || !end.swaps) return backend
  const next = backend === 'hashmap' ? 'leveldb' : 'hashmap'
  tally.add(`savepoints: from ${backend} to ${next}`)
  return next
}

function diskAfter(world: SimulatedWorld, { end, seed }: LifePlan, outcome: Report['outcome']): SimulatedDisk {
  if (outcome.type !== 'died' || end.type !== 'crash' || end.loss === 'kill') return world.files.kill().disk
  return world.files.crash({ random: seededRandom(seed), model: end.loss }).disk
}

/** A process fails for good only where its disk failed, and says why. */
function unexpected(
  { outcome, events, world }: Report,
  { end, diskFailsAt }: LifePlan,
  lived: number,
  isFollowed: boolean,
): string[] {
  if (outcome.type === 'hung') {
    const last = events.slice(-12).map((event) => `  ${JSON.stringify(event)}`)
    return [`process ${lived} hung: ${outcome.why}`, ...last, ...world.trace.slice(-12).map((line) => `  ${line}`)]
  }
  if (outcome.type !== 'threw') return []
  const { error } = outcome
  if (!StreamError.is(error))
    return [`process ${lived} ended with a nameless error: ${(error as Error)?.stack ?? String(error)}`]
  const isDue =
    // What the savepoint covers could not be committed: it is what the next process goes on from.
    (end.type === 'stop' && error.code === 'JOB_FAILED' && error.details.savepoint !== undefined) ||
    (error.code === 'JOB_SUSPENDED' && (end.type === 'suspend' || isFollowed)) ||
    error.code === 'JOB_NOTHING_KEPT' ||
    diskFailsAt.length > 0
  const cause = error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : String(error.cause)
  return isDue ? [] : [`process ${lived} failed without a reason: ${error.code}: ${error.message} (${cause})`]
}

function note(tally: Tally, plan: Plan, { outcome, events, world }: Report, lived: number, completed: number): void {
  const { code } = outcome.type === 'threw' && StreamError.is(outcome.error) ? outcome.error : { code: '' }
  tally.add(`processes: ${outcome.type}${code === '' ? '' : ` (${code})`}`)
  let kept = completed
  for (const event of events) {
    if (event.type === 'checkpoint.completed') {
      tally.add('job: checkpoints completed')
      kept++
    }
    if (event.type === 'restart.scheduled')
      tally.add(`job: restarts from ${kept > 0 ? 'a checkpoint' : 'the beginning'}`)
    if (event.type === 'checkpoint.aborted') tally.add(`checkpoint aborted: ${event.reason}`)
  }
  tally.add('job: virtual seconds', Math.round((world.clock.now() - startOf(lived)) / 1000))
  if (lived === 0) return
  const isOther = isRescaled(plan, lived - 1, lived)
  if (completed === 0 || (outcome.type === 'threw' && code !== 'JOB_SUSPENDED'))
    tally.add('resumed: without a checkpoint or to no use')
  else tally.add(isOther ? 'resumed: at another parallelism' : 'resumed: at the same parallelism')
}

function isRescaled(plan: Plan, one: number, other: number): boolean {
  const before = parallelismOfStreams(plan, one)
  return parallelismOfStreams(plan, other).some((parallelism, stream) => parallelism !== before[stream])
}
