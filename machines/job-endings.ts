/**
 * How a job ends: which checkpoints it leaves, with a savepoint or without, what the record of the end says. Pure functions
 * of context and fact.
 */
import type { Cause } from './cause.ts'
import { awaitFinalCheckpoint, type JobStep, writeRecord } from './job-arithmetic.ts'
import type { JobContext, JobFact, Retention, TerminalStatus } from './job-vocabulary.ts'

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

/** Nothing has stopped for a savepoint: each task has finished, or waits for its final checkpoint. */
export const hasEndedByItself = (c: JobContext): boolean =>
  c.states.every((state, task) => state === 'FINISHED' || c.awaitFinalCheckpoint[task])

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

/** Cancelled with savepoint: the record names it, so that the job can go on from there. */
export const cancelled = (c: JobContext, f: JobFact): JobStep => ({
  next:
    f.type === 'cancel.requested' && f.savepoint !== null
      ? { sealed: { savepoint: f.savepoint, drained: false } }
      : { sealed: c.sealed },
  orders: [],
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
