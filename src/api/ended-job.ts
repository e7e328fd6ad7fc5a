/** A job that has ended: how to tell, what is refused, and the handle of one that `resume` found at its end. */
import { StreamError } from '../base/errors.ts'
import type { JobHandle, JobStatus } from '../runtime/job-handle.ts'

/** Its result says that it ran for no time at all. */
export function endedJob(job: {
  readonly jobId: string
  readonly jobName: string
  readonly status: string
}): JobHandle {
  const { jobId, jobName } = job
  const nothing = async () => {
    throw nothingToCheckpoint(job)
  }
  return {
    jobId,
    jobName,
    status: () => job.status as JobStatus,
    triggerCheckpoint: nothing,
    triggerSavepoint: nothing,
    stopWithSavepoint: nothing,
    cancelWithSavepoint: nothing,
    suspend: () => Promise.resolve(),
    cancel: () => Promise.resolve(),
    result: Promise.resolve({ jobId, netRuntimeMs: 0 }),
    subscribe: () => () => {},
    metrics: () => ({
      recordsIn: 0,
      recordsOut: 0,
      lastCheckpointId: undefined,
      lastCheckpointDurationMs: undefined,
      completedCheckpoints: 0,
      failedCheckpoints: 0,
      restarts: 0,
      backPressuredRatio: 0,
      counts: {},
    }),
  }
}

/** Nothing of it runs any more, and nothing will. */
export function isOver(status: JobStatus): boolean {
  return status === 'FINISHED' || status === 'FAILED' || status === 'CANCELED' || status === 'SUSPENDED'
}

export function nothingToCheckpoint({ jobId, jobName }: Pick<JobHandle, 'jobId' | 'jobName'>): StreamError {
  return new StreamError('CHECKPOINT_FAILED', {
    message: `The job "${jobName}" (${jobId}) has ended: there is nothing to take a checkpoint or savepoint of.`,
    details: { jobId },
  })
}
