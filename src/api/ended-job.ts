/** The handle of a job that `resume` found at its end: nothing runs, and nothing is left to do. */
import { StreamError } from '../base/errors.ts'
import type { JobHandle, JobStatus } from '../runtime/job-handle.ts'

/** Its result says that it ran for no time at all. */
export function endedJob(job: {
  readonly jobId: string
  readonly jobName: string
  readonly status: string
}): JobHandle {
  const { jobId, jobName } = job
  return {
    jobId,
    jobName,
    status: () => job.status as JobStatus,
    triggerCheckpoint: () =>
      Promise.reject(
        new StreamError('CHECKPOINT_FAILED', {
          message: `The job "${jobName}" (${jobId}) has ended: there is nothing to take a checkpoint of.`,
        }),
      ),
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
