/** What a job's chart remembers and orders at each of its steps: pure functions of context and fact. */
import type { Cause } from './cause.ts'
import type {
  JobContext,
  JobFact,
  JobOrder,
  JobStatus,
  RecordContent,
  Retention,
  TerminalStatus,
} from './job-vocabulary.ts'
import type { ExecutionState } from './task.ts'

export interface JobStep {
  readonly next: Partial<JobContext>
  readonly orders: readonly JobOrder[]
}

const GONE: readonly ExecutionState[] = ['CREATED', 'FINISHED', 'CANCELED', 'FAILED']

/** Nothing of the attempt runs any more, or nothing runs yet. */
export const allGone = (c: JobContext): boolean => c.states.every((state) => GONE.includes(state))

/** Whether with this fact every subtask has finished. */
export const finishesAll = (c: JobContext, f: JobFact): boolean =>
  f.type === 'task.changed' && noted(c, f).every((state) => state === 'FINISHED')

/** Whether with this fact a subtask has finished. */
export const finishesOne = (f: JobFact): boolean => f.type === 'task.changed' && f.state === 'FINISHED'

/** Facts that belong to an attempt count only while it is the current one; the rest always do. */
export const isCurrent = (c: JobContext, f: JobFact): boolean => !('attempt' in f) || f.attempt === c.attempt

/** No restart can help, or none may follow: a savepoint has ended the job. */
export const isFinal = (c: JobContext, f: JobFact): boolean =>
  'cause' in f && (!f.cause.restartHelps || c.sealed !== null)

/** Nothing has stopped for a savepoint: each task has finished, or waits for its final checkpoint. */
export const hasEndedByItself = (c: JobContext): boolean =>
  c.states.every((state, task) => state === 'FINISHED' || c.awaitFinalCheckpoint[task])

/** A task that cannot be cancelled: a second attempt would run beside it. */
export const isStuck = (f: JobFact): boolean =>
  f.type === 'task.failed' && f.cause.code === 'TASK_CANCELLATION_TIMED_OUT'

/** Flink's table of retention, but for a suspended job, which always keeps what it can go on from. */
export function keepsCheckpoints(status: TerminalStatus, retention: Retention): boolean {
  switch (status) {
    case 'SUSPENDED':
      return true
    case 'FINISHED':
      return false
    case 'FAILED':
      return retention !== 'NO_EXTERNALIZED_CHECKPOINTS'
    case 'CANCELED':
      return retention === 'RETAIN_ON_CANCELLATION'
  }
}

function noted(c: JobContext, f: JobFact): readonly ExecutionState[] {
  if (f.type !== 'task.changed' && f.type !== 'task.failed') return c.states
  return c.states.map((state, task) => (task !== f.task ? state : f.type === 'task.failed' ? 'FAILED' : f.state))
}

export const note = (c: JobContext, f: JobFact): JobStep => ({ next: { states: noted(c, f) }, orders: [] })

/**
 * The last task to wait for its final checkpoint is what calls for it, or a task that finishes while others are left. One
 * call is enough for all of them: what becomes of it says whether another has to follow.
 */
export function awaitFinalCheckpoint(c: JobContext, f: JobFact): JobStep {
  const awaiting =
    f.type === 'finalCheckpoint.awaited' ? c.awaitFinalCheckpoint.with(f.task, true) : c.awaitFinalCheckpoint
  const states = noted(c, f)
  const all = states.every((state, task) => state === 'FINISHED' || awaiting[task])
  const calls = all && !c.finalCheckpointCalled
  return {
    next: { states, awaitFinalCheckpoint: awaiting, finalCheckpointCalled: c.finalCheckpointCalled || calls },
    orders: calls ? [{ type: 'triggerFinalCheckpoint', attempt: c.attempt }] : [],
  }
}

/** A task that finishes while the checkpoint is under way may take it along: only then is it called for again at once. */
export function endFinalCheckpoint(c: JobContext, f: JobFact): JobStep {
  if (f.type !== 'finalCheckpoint.ended') return { next: {}, orders: [] }
  if (f.outcome === 'missed') return { next: {}, orders: [{ type: 'triggerFinalCheckpoint', attempt: c.attempt }] }
  return noteFinalCheckpoint(c, f)
}

/** Whether a task that finishes later calls for another one. */
export const noteFinalCheckpoint = (c: JobContext, f: JobFact): JobStep => ({
  next: {
    finalCheckpointCalled: c.finalCheckpointCalled && f.type === 'finalCheckpoint.ended' && f.outcome === 'completed',
  },
  orders: [],
})

/** A failure that decides nothing more: it stands in the history and that is all. */
export function record(c: JobContext, f: JobFact): JobStep {
  if (!('cause' in f)) return note(c, f)
  const task = f.type === 'task.failed' ? f.task : null
  return {
    next: { states: noted(c, f) },
    orders: [{ type: 'recordFailure', attempt: c.attempt, task, cause: f.cause, atMs: f.atMs }],
  }
}

/** A failure on which the job's fate rests. */
export function blame(c: JobContext, f: JobFact): JobStep {
  const { next, orders } = record(c, f)
  return 'cause' in f ? { next: { ...next, cause: f.cause }, orders } : { next, orders }
}

export function ask(c: JobContext, f: JobFact): JobStep {
  const { next, orders } = blame(c, f)
  if (!('cause' in f)) return { next, orders }
  return { next, orders: [...orders, { type: 'askRestart', attempt: c.attempt, cause: f.cause, atMs: f.atMs }] }
}

export function failRestore(c: JobContext, f: JobFact): JobStep {
  const { next, orders } = record(c, f)
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

/** The number of the attempt rises here, so that whatever the old one still reports is ignored from now on. */
export const prepareNext = (c: JobContext): JobStep => ({
  next: { attempt: c.attempt + 1, restoreFailed: null, states: c.states.map(() => 'CREATED' as const) },
  orders: [{ type: 'restoreState', attempt: c.attempt + 1 }],
})

/** The first time, the record says so: a job that ran is recovered otherwise than one that never did. */
export function deploy(c: JobContext, f: JobFact): JobStep {
  const checkpointId = f.type === 'state.restored' ? f.checkpointId : null
  const written = c.revision > RECORDED_AS_CREATED ? { next: {}, orders: [] } : writeRecord('RUNNING')(c)
  return {
    next: {
      states: c.states.map(() => 'SCHEDULED' as const),
      awaitFinalCheckpoint: c.states.map(() => false),
      finalCheckpointCalled: false,
      cause: null,
      ...written.next,
    },
    orders: [
      { type: 'deployTasks', attempt: c.attempt, checkpointId },
      { type: 'startScheduler', attempt: c.attempt },
      ...written.orders,
    ],
  }
}

/** The revision of the first record, which says CREATED. */
const RECORDED_AS_CREATED = 1

export const writeRecord =
  (status: JobStatus, content?: Partial<RecordContent>) =>
  (c: JobContext): JobStep => ({
    next: { revision: c.revision + 1 },
    orders: [
      {
        type: 'writeRecord',
        revision: c.revision + 1,
        status,
        checkpoints: 'kept',
        sealed: c.sealed,
        cause: null,
        ...content,
      },
    ],
  })

/** The record names the savepoint before anything that it covers is committed. */
export function seal(c: JobContext, f: JobFact): JobStep {
  if (f.type !== 'savepoint.published') return { next: {}, orders: [] }
  const sealed = { savepoint: f.savepoint, drained: f.drained }
  const { next, orders } = writeRecord('RUNNING', { sealed })(c)
  return { next: { ...next, sealed }, orders: [{ type: 'reportSealed', savepoint: f.savepoint }, ...orders] }
}

/** The record was written, or something else has ended the waiting for it. */
export function answerSeal(c: JobContext, f: JobFact): JobStep {
  if (c.sealed === null) return { next: {}, orders: [] }
  const { savepoint } = c.sealed
  return { next: {}, orders: [{ type: f.type === 'record.written' ? 'confirmSeal' : 'denySeal', savepoint }] }
}

/** The job has gone another way while the savepoint was written. */
export const denySeal = (_: JobContext, f: JobFact): JobStep => ({
  next: {},
  orders: f.type === 'savepoint.published' ? [{ type: 'denySeal', savepoint: f.savepoint }] : [],
})

/** Whoever asked has not ended it, and it does not run on. */
export function overtakeStop(_: JobContext, f: JobFact): JobStep {
  const isItsOwn =
    f.type === 'stop.abandoned' ||
    f.type === 'stop.failed' ||
    f.type === 'savepoint.published' ||
    (f.type === 'cancel.requested' && f.savepoint !== null)
  return { next: {}, orders: isItsOwn ? [] : [{ type: 'overtakeStop' }] }
}

export const answerStop = (type: 'admitStop' | 'refuseStop') => (): JobStep => ({ next: {}, orders: [{ type }] })

/** The job runs on: periodic checkpoints as before, and the final one where every task has come to wait for it. */
export function resumeCheckpoints(c: JobContext, f: JobFact): JobStep {
  const { next, orders } = awaitFinalCheckpoint(c, f)
  return { next, orders: [{ type: 'startScheduler', attempt: c.attempt }, ...orders] }
}

/** While the job stops with a savepoint no other checkpoint is called for. */
export const noteAwaiting = (c: JobContext, f: JobFact): JobStep => ({
  next: { ...awaitFinalCheckpoint(c, f).next, finalCheckpointCalled: c.finalCheckpointCalled },
  orders: [],
})

/** Cancelled with savepoint: the record names it, so that the job can go on from there. */
export const cancelled = (c: JobContext, f: JobFact): JobStep => ({
  next:
    f.type === 'cancel.requested' && f.savepoint !== null
      ? { sealed: { savepoint: f.savepoint, drained: false } }
      : { sealed: c.sealed },
  orders: [],
})

export const cancelTasks = (c: JobContext): JobStep => ({
  next: {},
  orders: [{ type: 'cancelTasks', attempt: c.attempt }],
})

export const stopTimer = (timer: 'backoff' | 'suspension') => (): JobStep => ({
  next: {},
  orders: [{ type: 'stopTimer', timer }],
})

export const takeLastCheckpoint = (c: JobContext, f: JobFact): JobStep => ({
  next: {},
  orders:
    f.type === 'suspend.requested'
      ? [
          { type: 'stopScheduler' },
          { type: 'startTimer', timer: 'suspension', attempt: c.attempt, delayMs: f.timeoutMs },
          { type: 'takeSuspendCheckpoint', attempt: c.attempt },
        ]
      : [],
})

const causeOf = (c: JobContext, status: TerminalStatus): Cause | null => (status === 'FAILED' ? c.cause : null)

export const recordEnd = (status: TerminalStatus) => (c: JobContext) =>
  writeRecord(status, {
    checkpoints: keepsCheckpoints(status, c.retention) ? 'kept' : 'deleting',
    cause: causeOf(c, status),
  })(c)

export const settle =
  (status: TerminalStatus) =>
  (c: JobContext): JobStep => ({
    next: {},
    orders: [{ type: 'settleCheckpoints', keep: keepsCheckpoints(status, c.retention) }],
  })

export const notRecorded = (_: JobContext, f: JobFact): JobStep => ({
  next: f.type === 'record.notWritten' ? { notRecorded: f.cause } : {},
  orders: [],
})

export const end =
  (status: TerminalStatus) =>
  (c: JobContext): JobStep => {
    const failed = status === 'FAILED'
    return {
      next: {},
      orders: [
        {
          type: 'endJob',
          status,
          cause: causeOf(c, status),
          denied: failed ? c.denied : null,
          sealed: c.sealed,
          notRecorded: c.notRecorded,
        },
      ],
    }
  }
