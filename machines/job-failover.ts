/**
 * Failover: which tasks a failure takes along, what they wait for, and how they come back. The others run on meanwhile, in
 * the attempt in which they were deployed. Pure functions of context and fact.
 */
import { blame, type JobStep, record, writeRecord } from './job-arithmetic.ts'
import type { DeployedTask, JobContext, JobFact } from './job-vocabulary.ts'
import type { ExecutionState } from './task.ts'

const GONE: readonly ExecutionState[] = ['CREATED', 'FINISHED', 'CANCELED', 'FAILED']

/** Nothing runs of the whole job. */
export const allGone = (c: JobContext): boolean => c.states.every((state) => GONE.includes(state))

/** Nothing runs any more of what is to restart. */
const restartingAreGone = (c: JobContext): boolean =>
  c.states.every((state, task) => !c.restarting[task] || GONE.includes(state))

export const mayRestart = (c: JobContext): boolean => c.backoffOver && restartingAreGone(c)

/** State is at hand for everything that is to restart: none has failed while it was read. */
export const isWhole = (c: JobContext): boolean =>
  c.restoreFailed === null && c.attempts.every((attempt, task) => !c.restarting[task] || attempt === c.attempt)

/** A task that cannot be cancelled: a second attempt would run beside it. */
export const isStuck = (f: JobFact): boolean =>
  f.type === 'task.failed' && f.cause.code === 'TASK_CANCELLATION_TIMED_OUT'

/** A failed task takes its region along, and any other failure the whole job, but for what fails while state is read. */
function restartingWith(c: JobContext, f: JobFact): readonly boolean[] {
  if (f.type === 'state.notRestored') return c.restarting
  return c.regions.map(
    (region, task) => c.restarting[task] === true || f.type !== 'task.failed' || region === c.regions[f.task],
  )
}

function put(c: JobContext, f: JobFact, restarting: readonly boolean[]): JobStep {
  const { next, orders } = blame(c, f)
  if (!('cause' in f)) return { next, orders }
  return {
    next: { ...next, restarting },
    orders: [...orders, { type: 'askRestart', attempt: c.attempt, cause: f.cause, atMs: f.atMs }],
  }
}

/** Puts the failure to the restart strategy. */
export const ask = (c: JobContext, f: JobFact): JobStep => put(c, f, restartingWith(c, f))

/** The same where sources of any region may have stopped for a savepoint that will not be: all have to go back. */
export const askForAll = (c: JobContext, f: JobFact): JobStep =>
  put(
    c,
    f,
    c.regions.map(() => true),
  )

/** While the strategy is asked about another failure: what it decides holds for this one, too. */
export function join(c: JobContext, f: JobFact): JobStep {
  const { next, orders } = record(c, f)
  return { next: { ...next, restarting: restartingWith(c, f) }, orders }
}

/** While others wait for their restart, or are being restored: it waits with them, and nobody is asked again. */
export function joinRestart(c: JobContext, f: JobFact): JobStep {
  const { next, orders } = join(c, f)
  const tasks = deployed(c).filter(({ task }) => next.restarting?.[task] && !c.restarting[task])
  return { next, orders: tasks.length === 0 ? orders : [...orders, { type: 'cancelTasks', tasks }] }
}

/** Something other than a task has failed while state was read, an enumerator for one. */
export function failRestore(c: JobContext, f: JobFact): JobStep {
  const { next, orders } = joinRestart(c, f)
  return { next: 'cause' in f ? { ...next, restoreFailed: { cause: f.cause, atMs: f.atMs } } : next, orders }
}

/** State is at hand, and something that the attempt needs failed meanwhile; that failure is recorded already. */
export function askAfterRestore(c: JobContext): JobStep {
  if (c.restoreFailed === null) return { next: {}, orders: [] }
  const { cause } = c.restoreFailed
  return { next: { cause }, orders: [{ type: 'askRestart', attempt: c.attempt, ...c.restoreFailed }] }
}

export const granted = (c: JobContext, f: JobFact): JobStep => ({
  next: { backoffOver: false },
  orders:
    f.type === 'restart.granted'
      ? [{ type: 'startTimer', timer: 'backoff', attempt: c.attempt, delayMs: f.delayMs }]
      : [],
})

export const denied = (_: JobContext, f: JobFact): JobStep => ({
  next: f.type === 'restart.denied' ? { denied: f.reason } : {},
  orders: [],
})

export const backedOff = (): JobStep => ({ next: { backoffOver: true }, orders: [] })

export const restoreFirst = (c: JobContext): JobStep => ({
  next: {},
  orders: [{ type: 'restoreState', attempt: c.attempt, tasks: places(c.restarting) }],
})

/**
 * The number of the attempt rises here, so that whatever the restarting tasks still report of their old one is ignored from
 * now on.
 */
export function prepareNext(c: JobContext): JobStep {
  const attempt = c.attempt + 1
  return {
    next: {
      attempt,
      restoreFailed: null,
      attempts: c.attempts.map((old, task) => (c.restarting[task] ? attempt : old)),
      states: c.states.map((state, task) => (c.restarting[task] ? 'CREATED' : state)),
    },
    orders: [{ type: 'restoreState', attempt, tasks: places(c.restarting) }],
  }
}

/** The first time, the record says so: a job that ran is recovered otherwise than one that never did. */
export function deploy(c: JobContext, f: JobFact): JobStep {
  const checkpointId = f.type === 'state.restored' ? f.checkpointId : null
  const written = c.revision > RECORDED_AS_CREATED ? { next: {}, orders: [] } : writeRecord('RUNNING')(c)
  return {
    next: {
      states: c.states.map((state, task) => (c.restarting[task] ? 'SCHEDULED' : state)),
      awaitFinalCheckpoint: c.awaitFinalCheckpoint.map((awaits, task) => awaits && !c.restarting[task]),
      restarting: c.restarting.map(() => false),
      finalCheckpointCalled: false,
      cause: null,
      ...written.next,
    },
    orders: [
      { type: 'deployTasks', attempt: c.attempt, checkpointId, tasks: places(c.restarting) },
      { type: 'startScheduler', attempt: c.attempt },
      ...written.orders,
    ],
  }
}

/** The revision of the first record, which says CREATED. */
const RECORDED_AS_CREATED = 1

/** Every task of the job. */
export const cancelTasks = (c: JobContext): JobStep => ({
  next: {},
  orders: [{ type: 'cancelTasks', tasks: deployed(c) }],
})

/** Those that are to restart. */
export const cancelRestarting = (c: JobContext): JobStep => ({
  next: {},
  orders: [{ type: 'cancelTasks', tasks: deployed(c).filter(({ task }) => c.restarting[task]) }],
})

export const stopTimer = (timer: 'backoff' | 'suspension') => (): JobStep => ({
  next: {},
  orders: [{ type: 'stopTimer', timer }],
})

const deployed = (c: JobContext): readonly DeployedTask[] => c.attempts.map((attempt, task) => ({ task, attempt }))

const places = (chosen: readonly boolean[]): readonly number[] =>
  chosen.flatMap((isChosen, task) => (isChosen ? [task] : []))
