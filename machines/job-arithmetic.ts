/**
 * What a job's chart notes of each fact, whatever follows of it: states of tasks, failures, the final checkpoint, the
 * record. Pure functions of context and fact.
 */
import type { JobContext, JobFact, JobOrder, JobStatus, RecordContent } from './job-vocabulary.ts'
import type { ExecutionState } from './task.ts'

export interface JobStep {
  readonly next: Partial<JobContext>
  readonly orders: readonly JobOrder[]
}

/** Whether with this fact every subtask has finished. */
export const finishesAll = (c: JobContext, f: JobFact): boolean =>
  f.type === 'task.changed' && noted(c, f).every((state) => state === 'FINISHED')

/** Whether with this fact a subtask has finished. */
export const finishesOne = (f: JobFact): boolean => f.type === 'task.changed' && f.state === 'FINISHED'

/**
 * What a task tells counts while it is in that attempt, which may be older than the job's: others may have restarted since.
 * Other facts with an attempt count in the current one, the rest always.
 */
export function isCurrent(c: JobContext, f: JobFact): boolean {
  if ('task' in f) return f.attempt === c.attempts[f.task]
  return !('attempt' in f) || f.attempt === c.attempt
}

/** No restart can help, or none may follow: a savepoint has ended the job. */
export const isFinal = (c: JobContext, f: JobFact): boolean =>
  'cause' in f && (!f.cause.restartHelps || c.sealed !== null)

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

/** While the job stops with a savepoint, or some of it restarts, no checkpoint is called for. */
export const noteAwaiting = (c: JobContext, f: JobFact): JobStep => ({
  next: { ...awaitFinalCheckpoint(c, f).next, finalCheckpointCalled: c.finalCheckpointCalled },
  orders: [],
})
