/** What the owner of a running job holds: types only. `execute.ts` makes it, the API wraps it. */
import type { SubtaskCheckpointMetrics } from './checkpoint-metrics.ts'
import type { CheckpointStatisticsSnapshot } from './checkpoint-statistics-snapshot.ts'
import type { ExecutionGraphSnapshot } from './execution-graph-snapshot.ts'
import type { TaskMeasurements } from './task-measurements.ts'

export type { CheckpointStatisticsSnapshot } from './checkpoint-statistics-snapshot.ts'
export type { ExecutionGraphSnapshot } from './execution-graph-snapshot.ts'
export type { TaskMeasurements } from './task-measurements.ts'

export type JobStatus =
  | 'INITIALIZING'
  | 'CREATED'
  | 'RUNNING'
  | 'FAILING'
  | 'RESTARTING'
  | 'CANCELLING'
  | 'SUSPENDED'
  | 'FINISHED'
  | 'FAILED'
  | 'CANCELED'

/** Of one subtask of one vertex in one attempt, as Flink's. */
export type TaskStatus =
  | 'CREATED'
  | 'SCHEDULED'
  | 'DEPLOYING'
  | 'INITIALIZING'
  | 'RUNNING'
  | 'FINISHED'
  | 'CANCELING'
  | 'CANCELED'
  | 'FAILED'

export interface JobHandle {
  readonly jobId: string
  readonly jobName: string
  status(): JobStatus
  /** Settles when the checkpoint is complete, with its id. */
  triggerCheckpoint(options?: CheckpointOptions): Promise<number>
  /** Settles with its path when it is complete; the job runs on. */
  triggerSavepoint(options?: SavepointOptions): Promise<string>
  /**
   * Settles with the path of the savepoint when the job is FINISHED and everything that the savepoint covers is committed.
   * Rejects with CHECKPOINT_FAILED where none was taken, and with the end of the job where it ended otherwise.
   */
  stopWithSavepoint(options: StopOptions): Promise<string>
  /** Settles with the path of the savepoint when the job is CANCELED; nothing is committed for it. */
  cancelWithSavepoint(options?: SavepointOptions): Promise<string>
  /** Takes a last checkpoint where there is a directory, then ends the job as SUSPENDED. */
  suspend(options?: { readonly timeoutMs?: number | undefined }): Promise<void>
  cancel(): Promise<void>
  /** Settles at the end: rejects with JOB_FAILED, JOB_CANCELED or JOB_SUSPENDED. Never an unhandled rejection. */
  readonly result: Promise<JobExecutionResult>
  /** Calls `listener` with every later event until the returned function is called, or the job has ended. A throw of it is dropped. */
  subscribe(listener: (event: JobEvent) => void): () => void
  metrics(): JobMetrics
  /** Of this moment; also after the end. */
  checkpoints(): CheckpointStatisticsSnapshot
  /** Of this moment; also after the end. */
  executionGraph(): ExecutionGraphSnapshot
  /** Of this moment: of each subtask its newest attempt, and those before that `executionGraph` still lists. Also after the end. */
  measurements(): readonly TaskMeasurements[]
}

export interface CheckpointOptions {
  /** FULL: refers to no file of an earlier checkpoint. Left out, CONFIGURED: as the job is set. */
  readonly type?: 'CONFIGURED' | 'FULL' | 'INCREMENTAL' | undefined
}

export interface SavepointOptions {
  /** A folder or file URI; left out: `execution.checkpointing.savepoint-dir`. */
  readonly targetDirectory?: string | undefined
  readonly formatType?: 'CANONICAL' | 'NATIVE' | undefined
}

export interface StopOptions extends SavepointOptions {
  readonly drain: boolean
}

/** Of a job that FINISHED. */
export interface JobExecutionResult {
  readonly jobId: string
  /** From the first RUNNING to the end. */
  readonly netRuntimeMs: number
}

/**
 * What happens to a job, by `type`. `atMs` is in milliseconds since the epoch, `error` the very object that was thrown;
 * `subtask` counts from 0, `attempt` from 1.
 */
export type JobEvent =
  | { readonly type: 'job.status'; readonly status: JobStatus; readonly atMs: number; readonly error?: unknown }
  | {
      readonly type: 'task.status'
      readonly vertex: string
      readonly subtask: number
      readonly attempt: number
      readonly status: TaskStatus
      readonly atMs: number
      readonly error?: unknown
    }
  | {
      readonly type: 'checkpoint.triggered'
      readonly checkpointId: number
      readonly kind: string
      readonly atMs: number
    }
  /** A subtask has done its part of a checkpoint; that may have been given up meanwhile. */
  | ({
      readonly type: 'checkpoint.acknowledged'
      readonly checkpointId: number
      readonly vertex: string
      readonly subtask: number
      readonly attempt: number
      readonly atMs: number
    } & SubtaskCheckpointMetrics)
  | {
      readonly type: 'checkpoint.completed'
      readonly checkpointId: number
      readonly kind: string
      readonly atMs: number
      readonly durationMs: number
      readonly bytes: number
      readonly path: string | undefined
      /** At least one subtask let a barrier overtake records. */
      readonly unaligned: boolean
      /** The longest alignment of a subtask, from its first barrier to its last. */
      readonly alignmentMs: number
      /** Of all subtasks: records that were processed during alignment, an estimate; records in flight that were stored. */
      readonly processedBytes: number
      readonly persistedBytes: number
    }
  | {
      readonly type: 'checkpoint.aborted'
      readonly checkpointId: number | undefined
      readonly reason: string
      readonly message: string
      readonly atMs: number
    }
  | { readonly type: 'restart.scheduled'; readonly delayMs: number; readonly atMs: number; readonly error: unknown }

export interface JobMetrics {
  /** Records that sources emitted, and that sinks took, since the start of the process. */
  readonly recordsIn: number
  readonly recordsOut: number
  readonly lastCheckpointId: number | undefined
  readonly lastCheckpointDurationMs: number | undefined
  /** Of records that were processed during alignment, an estimate; of records in flight that were stored. */
  readonly lastCheckpointProcessedBytes: number | undefined
  readonly lastCheckpointPersistedBytes: number | undefined
  readonly completedCheckpoints: number
  readonly failedCheckpoints: number
  readonly restarts: number
  /** Share of the last second in which subtasks had work but no credit: 0 to 1. */
  readonly backPressuredRatio: number
  /** Named counts of sources, `skippedRecords` for one. */
  readonly counts: Readonly<Record<string, number>>
}
