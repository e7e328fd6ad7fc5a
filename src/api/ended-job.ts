/** A job that has ended: how to tell, what is refused, and the handles that are left of it. */
import { StreamError } from '../base/errors.ts'
import type { ExecutionGraphSnapshot, JobHandle, JobStatus } from '../runtime/job-handle.ts'

const NO_NUMBERS = { min: 0, max: 0, avg: 0, p50: null, p90: null, p95: null, p99: null, p999: null }

/** Of a job that `resume` found at its end. Its result says that it ran for no time at all. */
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
      lastCheckpointProcessedBytes: undefined,
      lastCheckpointPersistedBytes: undefined,
      completedCheckpoints: 0,
      failedCheckpoints: 0,
      restarts: 0,
      backPressuredRatio: 0,
      counts: {},
    }),
    checkpoints: () => ({
      counts: { total: 0, inProgress: 0, completed: 0, failed: 0, restored: 0 },
      summary: {
        checkpointedBytes: NO_NUMBERS,
        stateBytes: NO_NUMBERS,
        endToEndMs: NO_NUMBERS,
        processedBytes: NO_NUMBERS,
        persistedBytes: NO_NUMBERS,
      },
      latest: { completed: null, savepoint: null, failed: null, restored: null },
      history: [],
    }),
    executionGraph: () => nothingKnown(job),
    measurements: () => [],
  }
}

/**
 * Of a job that is over: tells what `job` tells now, and keeps nothing alive that it was made of, such as the collections
 * of its sources. To be called when its result has settled.
 */
export function rememberedJob(job: JobHandle): JobHandle {
  const { jobId, jobName, result } = job
  const [metrics, checkpoints] = [job.metrics(), job.checkpoints()]
  const [graph, measurements] = [job.executionGraph(), job.measurements()]
  return {
    ...endedJob({ jobId, jobName, status: job.status() }),
    result,
    metrics: () => metrics,
    checkpoints: () => checkpoints,
    executionGraph: () => graph,
    measurements: () => measurements,
  }
}

/** Its record says how it ended, not when nor of what it was made. */
function nothingKnown({ jobId, jobName, status }: Parameters<typeof endedJob>[0]): ExecutionGraphSnapshot {
  return {
    jobId,
    jobName,
    status: status as JobStatus,
    statusAtMs: {},
    startedAtMs: 0,
    endedAtMs: 0,
    vertices: [],
    edges: [],
    failures: [],
    restarts: 0,
    configuration: UNKNOWN_CONFIGURATION,
  }
}

const UNKNOWN_CONFIGURATION: ExecutionGraphSnapshot['configuration'] = {
  written: [],
  parallelism: 1,
  checkpointing: {
    mode: 'EXACTLY_ONCE',
    intervalMs: null,
    timeoutMs: 600_000,
    minPauseMs: 0,
    maxConcurrent: 1,
    tolerableFailures: 0,
    unaligned: false,
    alignedTimeoutMs: 0,
    retention: 'DELETE_ON_CANCELLATION',
    checkpointsAfterTasksFinish: true,
  },
  stateBackend: 'hashmap',
  checkpointDirectory: null,
  savepointDirectory: null,
  restartStrategy: '',
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
