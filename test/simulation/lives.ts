/**
 * A job and its processes, one after the other on one disk: each may be ended by a crash or disturbed by a fault, the last
 * one is left in peace. Afterwards everything that was promised is looked up on the disk.
 */
import { StreamError } from '../../src/base/errors.ts'
import type { FileSystem } from '../../src/base/file-system.ts'
import { seededRandom } from '../../src/base/random.ts'
import type { DurabilityModel, SimulatedDisk } from '../../src/base/simulated-disk.ts'
import type { Interference, SimulatedOperation } from '../../src/base/simulated-file-system.ts'
import type { JobEvent } from '../../src/runtime/job-handle.ts'
import { CheckpointPromises } from './checkpoint-promises.ts'
import { compareOutput } from './disk-contents.ts'
import { type Input, type JobEnd, type JobSettings, runJob } from './kill-test-job.ts'
import { leftovers } from './leftovers.ts'
import { type Outcome, SimulatedWorld, type Speed, type WorldOptions } from './simulated-world.ts'

/** How a process ends: `kill` leaves the page cache, the others leave what was synced and some of the rest. */
export type Loss = 'kill' | DurabilityModel

export interface Life {
  readonly settings: JobSettings
  /** Of everything in this process. */
  readonly seed: number
  /** It dies before this operation, counted from 1. */
  readonly crash?: { readonly before: number; readonly loss: Loss } | undefined
  /** What else the disk does to it. */
  readonly interfere?: ((operation: SimulatedOperation) => Interference | undefined) | undefined
  readonly suspendAfterMs?: number | undefined
  readonly speed?: Speed | undefined
  readonly wrapFiles?: ((files: FileSystem) => FileSystem) | undefined
  /** What its stores do to it, where its state is on disk. */
  readonly storeFaults?: WorldOptions['storeFaults'] | undefined
  /** Something was made to go wrong besides the crash: the job may restart, and may end with an error. */
  readonly disturbed?: boolean | undefined
}

export interface LifeReport {
  readonly outcome: Outcome<JobEnd>
  readonly operations: number
  readonly events: readonly JobEvent[]
  readonly world: SimulatedWorld
}

export interface History {
  readonly lives: readonly LifeReport[]
  readonly disk: SimulatedDisk
  /** Each promise that was broken, in words. */
  readonly problems: readonly string[]
}

/** Lives until one ends the job; asks `next` for each further one. More than that many are a defect of their own. */
const MOST_LIVES = 12

export async function live(input: Input, next: (lived: number) => Life): Promise<History> {
  const problems: string[] = []
  const lives: LifeReport[] = []
  const promises = new CheckpointPromises()
  let disk = await input.disk()
  let resume: 'latest' | undefined = 'latest'
  for (let ended = false; !ended; ) {
    if (lives.length === MOST_LIVES) {
      problems.push(`the job had not ended after ${MOST_LIVES} processes`)
      break
    }
    const life = next(lives.length)
    const report = await liveOnce(life, { disk, lived: lives.length, resume, promises })
    lives.push(report)
    const { outcome, world } = report
    if (hasNothingToGoOnWith(outcome) && promises.completed === 0) {
      // It failed before it had done anything: the job is refused by name and begins anew.
      resume = undefined
      continue
    }
    resume = 'latest'
    if (outcome.type === 'returned') await promises.jobEnded(outcome.value, problems)
    ended = outcome.type === 'returned' || outcome.type === 'hung'
    if (outcome.type === 'hung') problems.push(`process ${lives.length} hung: ${outcome.why}`)
    if (outcome.type === 'threw') problems.push(...complaints(life, outcome.error, lives.length))
    if (outcome.type !== 'died' && life.disturbed !== true) problems.push(...restarts(report, lives.length))
    if (!ended) {
      disk = diskAfter(world, life)
      await promises.processEnded(disk, life.settings)
    } else disk = world.files.disk
  }
  const mayLeaveSomething = next(lives.length - 1).disturbed === true && hasWarned(lives.at(-1))
  problems.push(...differences(disk, input), ...(mayLeaveSomething ? [] : leftovers(disk)))
  return { lives, disk, problems }
}

interface Circumstances {
  readonly disk: SimulatedDisk
  readonly lived: number
  readonly resume: 'latest' | undefined
  readonly promises: CheckpointPromises
}

async function liveOnce(life: Life, { disk, lived, resume, promises }: Circumstances): Promise<LifeReport> {
  const { settings, seed, speed, crash, suspendAfterMs, interfere, wrapFiles, storeFaults } = life
  const events: JobEvent[] = []
  const world = new SimulatedWorld({
    seed,
    disk,
    speed,
    startMs: 1_700_000_000_000 + lived * 60_000,
    interfere: (operation) => (operation.index === crash?.before ? { type: 'stop' } : interfere?.(operation)),
    wrapFiles,
    storeFaults,
  })
  const outcome = await world.run(() =>
    runJob(world, settings, {
      resume,
      suspendAfterMs,
      watch: (event) => {
        events.push(event)
        promises.see(event)
      },
    }),
  )
  return { outcome, operations: world.files.operations, events, world }
}

/** A disk that refuses to record the end, or to clean up after it: the log says so, and the next start tidies up. */
function hasWarned(report: LifeReport | undefined): boolean {
  return report?.world.trace.some((line) => / (info|warn|error) .*could not /i.test(line)) ?? false
}

function hasNothingToGoOnWith(outcome: Outcome<JobEnd>): boolean {
  return outcome.type === 'threw' && StreamError.is(outcome.error) && outcome.error.code === 'JOB_NOTHING_KEPT'
}

/** What the next process finds. */
function diskAfter(world: SimulatedWorld, { crash, seed }: Life): SimulatedDisk {
  if (crash === undefined || crash.loss === 'kill') return world.files.kill().disk
  // What is lost depends on where it was lost: one draw for all would lose always the same share.
  const random = seededRandom(Math.imul(seed, 1_000_003) + crash.before)
  return world.files.crash({ random, model: crash.loss }).disk
}

/** An undisturbed process has no reason to fail, and whatever fails says what and why. */
function complaints({ disturbed, suspendAfterMs }: Life, error: unknown, lived: number): string[] {
  if (!StreamError.is(error)) return [`process ${lived} ended with a nameless error: ${String(error)}`]
  if (disturbed === true || (error.code === 'JOB_SUSPENDED' && suspendAfterMs !== undefined)) return []
  const cause = error.cause === undefined ? '' : ` (${String(error.cause)})`
  return [`process ${lived} failed without a reason: ${error.code}: ${error.message}${cause}`]
}

function restarts({ events }: LifeReport, lived: number): string[] {
  return events.flatMap((event) =>
    event.type === 'restart.scheduled' ? [`process ${lived} restarted without a reason: ${String(event.error)}`] : [],
  )
}

function differences(disk: SimulatedDisk, input: Input): string[] {
  const found = compareOutput(disk, input.expected())
  return Object.entries(found).flatMap(([what, count]) => (count === 0 ? [] : [`${count} lines ${what}`]))
}
