/**
 * Runs a plan: one process after the other on one simulated disk, each operated over REST, until the input is through. Each
 * starts where the one before has ended: from the savepoint that the API told, or from what the record of the job says.
 */
import { StreamError } from '../../../src/base/errors.ts'
import { Tally } from '../random-graphs/trouble.ts'
import { Store } from './accounts.ts'
import { localPathOf } from './errands.ts'
import type { Backend, LifePlan, Plan } from './plan.ts'
import type { Process, ProcessReport } from './process.ts'
import type { Sabotage } from './sabotage.ts'
import { SimulatedHost } from './simulated-host.ts'

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

/** Runs the processes of one history, each on what the one before has left. */
export interface Host {
  run(process: Process): Promise<ProcessReport>
}

export interface HistoryOptions {
  readonly tally?: Tally | undefined
  readonly sabotage?: Sabotage | undefined
  /** Left out: everything is simulated. */
  readonly host?: Host | undefined
}

/** What is wrong, in words; nothing: all is as it must be. */
export async function runHistory(plan: Plan, options: HistoryOptions = {}): Promise<readonly string[]> {
  const { tally = new Tally(), host = new SimulatedHost(), sabotage } = options
  const store = new Store()
  const savepoints = new Savepoints()
  const problems: string[] = []
  let start: Start | undefined = beginning(plan)
  /** Sources may have stopped for good before the end of the input. */
  let isDrained = false
  for (let lived = 0; start !== undefined && problems.length === 0; lived++) {
    const life: LifePlan | undefined = plan.lives[Math.min(lived, plan.lives.length - 1)]
    if (life === undefined || lived === plan.lives.length + MOST_MORE) {
      problems.push(`the input was not through after ${lived} processes`)
      break
    }
    tallyStart(tally, start, life, plan.lives[lived - 1])
    const report = await host.run({ plan, life, lived, store, start, savepoints, tally, sabotage })
    const { outcome, status } = report
    tally.add(`processes: ${outcome.type}${status === undefined ? '' : ` ${status}`}`)
    problems.push(...report.complaints, ...unexpected(report).map((what) => `process ${lived}: ${what}`))
    isDrained ||= mayBeDrained(report)
    savepoints.told(report)
    const next = nextStart(report, { start, savepoints, sabotage, name: `accounts, ${lived + 1} times begun` })
    if (next !== undefined) tally.add(`starts: ${howIt(next, start)}`)
    start = next
  }
  if (problems.length === 0) problems.push(...plan.input.differences(store.committed, isDrained))
  return problems
}

function tallyStart(tally: Tally, { backend }: Start, life: LifePlan, before: LifePlan | undefined): void {
  tally.add(`jobs: ${backend}`)
  if (before !== undefined && before.parallelism !== life.parallelism) tally.add('jobs: at another parallelism')
}

function howIt(starts: Start, before: Start): string {
  if (starts.name === before.name) return 'resumed'
  return starts.from === undefined ? 'anew' : `from a savepoint, ${starts.claimMode}`
}

const beginning = ({ backend }: Plan): Start => ({
  ...{ name: 'accounts', from: undefined, needs: undefined, claimMode: 'NO_CLAIM', backend },
})

function unexpected({ outcome, status }: ProcessReport): readonly string[] {
  if (outcome.type === 'hung') return [`it hung: ${outcome.why}`]
  if (outcome.type !== 'threw' || (status === undefined && isNothingKept(outcome.error))) return []
  const { error } = outcome
  return [`it ended with ${String(error)} ${error instanceof Error ? error.stack : ''}`]
}

/** It failed or was canceled before it had done anything. */
const isNothingKept = (error: unknown) => StreamError.is(error) && error.code === 'JOB_NOTHING_KEPT'

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

/** Undefined: the job is done. */
function nextStart(
  { outcome, status, errands, hadEnded, life }: ProcessReport,
  { start, savepoints, sabotage, name }: Before,
): Start | undefined {
  // From the same once more.
  if (outcome.type === 'threw') return { ...start, name }
  const isKilled = outcome.type === 'died'
  const told = errands?.locationOf('stop', 'cancel with savepoint')
  if (told !== undefined && (!life.resumes || sabotage === 'an older savepoint')) {
    const from = sabotage === 'an older savepoint' ? (savepoints.oldest ?? told.path) : told.path
    const backend = told.errand.format === 'CANONICAL' ? life.nextBackend : start.backend
    return { name, from, needs: from, claimMode: life.claimMode, backend }
  }
  if (told !== undefined) return { ...start, needs: told.path }
  const isDone = hadEnded || status === 'FINISHED'
  return isDone && !isKilled ? undefined : start
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
