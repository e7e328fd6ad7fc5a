/**
 * Counts failed checkpoints and says when they fail the job. Knows nothing of queues, tasks or time.
 */
import type { CheckpointKind } from './checkpoint-coordinator-vocabulary.ts'

export interface FailureCount {
  readonly count: number
  /** Ids that were counted since the last reset: an id counts once. */
  readonly counted: readonly number[]
  /** Nothing that concerns this id or an older one is counted any more. */
  readonly lastSucceededId: number
}

export interface CheckpointFailure {
  /** null: it failed before it had an id. */
  readonly checkpointId: number | null
  readonly kind: CheckpointKind
  readonly reason: string
  /** Whether a task refused; false: it failed on the coordinator's side. */
  readonly byTask: boolean
}

export const noFailures: FailureCount = { count: 0, counted: [], lastSucceededId: 0 }

const COUNTED: readonly string[] = [
  'IO_EXCEPTION',
  'CHECKPOINT_ASYNC_EXCEPTION',
  'CHECKPOINT_EXPIRED',
  'CHECKPOINT_DECLINED',
  'FINALIZE_CHECKPOINT_FAILURE',
]

/** Reasons that belong to the time before a trigger: the coordinator's, even when a task gives them. */
const PRE_FLIGHT: readonly string[] = [
  'PERIODIC_SCHEDULER_SHUTDOWN',
  'TOO_MANY_CHECKPOINT_REQUESTS',
  'MINIMUM_TIME_BETWEEN_CHECKPOINTS',
  'NOT_ALL_REQUIRED_TASKS_RUNNING',
  'BLOCKING_OUTPUT_EXIST',
  'IO_EXCEPTION',
]

/**
 * The count after a failure, and whether the job fails of it. A savepoint that fails on the coordinator's side concerns
 * nobody; a synchronous one that a task refuses always fails the job, for the task may already stand still.
 */
export function countFailure(
  failures: FailureCount,
  failure: CheckpointFailure,
  tolerable: number | 'unlimited',
): { readonly failures: FailureCount; readonly failsJob: boolean } {
  const onTaskSide = failure.byTask && !PRE_FLIGHT.includes(failure.reason)
  if (!onTaskSide && failure.kind !== 'checkpoint') return { failures, failsJob: false }
  if (onTaskSide && failure.kind === 'synchronousSavepoint') return { failures, failsJob: true }
  if (tolerable === 'unlimited' || !COUNTED.includes(failure.reason)) return { failures, failsJob: false }

  const { checkpointId } = failure
  if (checkpointId !== null && (checkpointId <= failures.lastSucceededId || failures.counted.includes(checkpointId)))
    return { failures, failsJob: false }
  const count = failures.count + 1
  if (count > tolerable) return { failures: { ...failures, count: 0, counted: [] }, failsJob: true }
  const counted = checkpointId === null ? failures.counted : [...failures.counted, checkpointId]
  return { failures: { ...failures, count, counted }, failsJob: false }
}

/** The count after a success: only one that is newer than every success before starts it again. */
export function countSuccess(failures: FailureCount, checkpointId: number): FailureCount {
  if (checkpointId <= failures.lastSucceededId) return failures
  return { count: 0, counted: [], lastSucceededId: checkpointId }
}
