/**
 * Runs a plan: one process after the other on one simulated disk, each operated over REST, until the input is through. Each
 * starts where the one before has ended: from the savepoint that the API told, or from what the record of the job says.
 */
import { StreamError } from '../../../src/base/errors.ts'
import { seededRandom } from '../../../src/base/random.ts'
import { SimulatedDisk } from '../../../src/base/simulated-disk.ts'
import type { Tally } from '../random-graphs/trouble.ts'
import type { SimulatedWorld } from '../simulated-world.ts'
import { Store } from './accounts.ts'
import { localPathOf } from './errands.ts'
import type { Backend, LifePlan, Plan } from './plan.ts'
import { type ProcessReport, runProcess } from './process.ts'
import type { Sabotage } from './sabotage.ts'

/** Processes in peace behind those of the plan. */
const MOST_MORE = 2

/** From what a process starts. */
export interface Start {
  /** Of the job; another name, another record. */
  readonly name: string
  readonly from: string | undefined
  /** The savepoint that it really starts from: its record may name another one. */
  readonly needs: string | undefined
  readonly claimMode: 'CLAIM' | 'NO_CLAIM'
  readonly backend: Backend
}

export interface History {
  /** In words; none: all is as it must be. */
  readonly problems: readonly string[]
  /** Of each process. */
  readonly traces: readonly string[]
  readonly worlds: readonly SimulatedWorld[]
}

export async function runHistory(plan: Plan, tally: Tally, sabotage?: Sabotage): Promise<History> {
  const store = new Store()
  const traces: string[] = []
  const worlds: SimulatedWorld[] = []
  const problems: string[] = []
  const savepoints = new Savepoints()
  let disk = newDisk()
  let start: Start = {
    name: 'accounts',
    from: undefined,
    needs: undefined,
    claimMode: 'NO_CLAIM',
    backend: plan.backend,
  }
  /** Sources may have stopped for good before the end of the input. */
  let isDrained = false
  for (let lived = 0; ; lived++) {
    if (lived === plan.lives.length + MOST_MORE) {
      problems.push(`the input was not through after ${lived} processes`)
      break
    }
    const life = plan.lives[Math.min(lived, plan.lives.length - 1)] as LifePlan
    const report = await runProcess({ plan, life, lived, disk, store, start, savepoints, tally, sabotage })
    traces.push(report.world.traceHash())
    worlds.push(report.world)
    problems.push(...report.complaints)
    tally.add(`processes: ${report.outcome.type}${report.status === undefined ? '' : ` ${report.status}`}`)
    if (report.outcome.type === 'hung') problems.push(`process ${lived} hung: ${report.outcome.why}`)
    if (problems.length > 0) break
    disk = diskAfter(report.world, life, report.outcome.type)
    isDrained ||= mayBeDrained(report)
    savepoints.told(report)
    const next = nextStart(report, { start, savepoints, sabotage, name: `accounts, ${lived + 1} times begun` })
    if (typeof next === 'string') problems.push(`process ${lived}: ${next}`)
    if (next === undefined || typeof next === 'string') break
    tally.add(
      next.name === start.name
        ? 'starts: resumed'
        : next.from === undefined
          ? 'starts: anew'
          : 'starts: from a savepoint',
    )
    start = next
  }
  if (problems.length === 0) problems.push(...plan.input.differences(store.committed, isDrained))
  return { problems, traces, worlds }
}

function newDisk(): SimulatedDisk {
  const disk = new SimulatedDisk()
  disk.makeFolder('/data')
  disk.syncFolder('/')
  return disk
}

function diskAfter(world: SimulatedWorld, { loss, seed }: LifePlan, outcome: string): SimulatedDisk {
  if (outcome !== 'died' || loss === 'nothing') return world.files.kill().disk
  return world.files.crash({ random: seededRandom(seed), model: loss }).disk
}

/** A drain that has failed for certain has stopped no source for good. */
function mayBeDrained({ errands, outcome, status }: ProcessReport): boolean {
  if (errands?.locationOf('drain') !== undefined) return true
  return errands?.all.some(({ kind }) => kind === 'drain') === true && (outcome.type === 'died' || status === 'FAILED')
}

interface Before {
  readonly start: Start
  readonly savepoints: Savepoints
  readonly sabotage: Sabotage | undefined
  /** For a job of its own. */
  readonly name: string
}

/** Undefined: the job is done. A text: what must not be. */
function nextStart(
  { outcome, status, errands, hadEnded, life }: ProcessReport,
  { start, savepoints, sabotage, name }: Before,
): Start | string | undefined {
  if (outcome.type === 'threw') {
    const { error } = outcome
    // It failed before it had done anything: from the same once more.
    if (StreamError.is(error) && error.code === 'JOB_NOTHING_KEPT') return { ...start, name }
    return `it ended with ${String(error)} ${error instanceof Error ? error.stack : ''}`
  }
  const told = errands?.locationOf('stop', 'cancel with savepoint')
  const resumed = told === undefined ? start : { ...start, needs: told.path }
  if (outcome.type === 'died') return resumed
  if (hadEnded || errands?.locationOf('drain') !== undefined) return undefined
  if (told === undefined) return status === 'FINISHED' ? undefined : start
  if (life.resumes && sabotage !== 'an older savepoint') return resumed
  const from = sabotage === 'an older savepoint' ? (savepoints.oldest ?? told.path) : told.path
  const backend = told.errand.format === 'CANONICAL' ? life.nextBackend : start.backend
  return { name, from, needs: from, claimMode: life.claimMode, backend }
}

/** All that somebody was told of. */
export class Savepoints {
  readonly #all: string[] = []

  get oldest(): string | undefined {
    return this.#all[0]
  }

  told({ errands }: ProcessReport): void {
    for (const { kind, told } of errands?.all ?? [])
      if (kind !== 'checkpoint' && kind !== 'disposal' && told !== undefined && 'result' in told)
        this.#all.push(localPathOf(told.result))
  }

  /** Those that a process does not need: what it started from it does, until it has a checkpoint of its own. */
  but({ needs, claimMode }: Start, hasCheckpoint: boolean): readonly string[] {
    return hasCheckpoint && claimMode === 'NO_CLAIM' ? this.#all : this.#all.filter((path) => path !== needs)
  }
}
