/**
 * What a job tells of itself to whoever shows it: its graph, when what happened, why it failed. Types only, plain JSON;
 * Flink's AccessExecutionGraph. Numbers that change with every record are in `task-measurements.ts`.
 */
import type { JobStatus, TaskStatus } from './job-handle.ts'

export interface ExecutionGraphSnapshot {
  readonly jobId: string
  readonly jobName: string
  readonly status: JobStatus
  /** When each status was entered last, in milliseconds since the epoch; left out: never. */
  readonly statusAtMs: Readonly<Partial<Record<JobStatus, number>>>
  /** When it was INITIALIZING; 0: not known, for it had ended before this process. */
  readonly startedAtMs: number
  /** Null: it runs; 0: not known. */
  readonly endedAtMs: number | null
  /** In topological order: sources first. */
  readonly vertices: readonly VertexSnapshot[]
  readonly edges: readonly EdgeSnapshot[]
  /** Newest first; at most `web.exception-history-size`. One for each failure that was put to the restart strategy, or that ended the job. */
  readonly failures: readonly FailureSnapshot[]
  readonly restarts: number
  readonly configuration: JobConfigurationSnapshot
}

export interface VertexSnapshot {
  /** 32 hexadecimal digits. */
  readonly id: string
  readonly name: string
  readonly parallelism: number
  readonly maxParallelism: number
  readonly isSource: boolean
  /** From head to tail. */
  readonly operators: readonly { readonly id: string; readonly name: string; readonly uid: string | null }[]
  /** In the order of their indices. */
  readonly subtasks: readonly SubtaskSnapshot[]
}

export interface SubtaskSnapshot {
  readonly index: number
  readonly current: AttemptSnapshot
  /** Oldest first; the last 16 that are over. */
  readonly previous: readonly AttemptSnapshot[]
}

export interface AttemptSnapshot {
  /** Of this subtask, from 0. */
  readonly attempt: number
  /** As events and charts number it, from 1; 0: it was never deployed. */
  readonly executionAttempt: number
  readonly status: TaskStatus
  /** When each status was entered; left out: never. Always with CREATED. */
  readonly statusAtMs: Readonly<Partial<Record<TaskStatus, number>>>
  /** Null: it is not over. */
  readonly endedAtMs: number | null
  readonly failure: ThrowableSnapshot | null
}

export interface EdgeSnapshot {
  /** Places in `vertices`. */
  readonly from: number
  readonly to: number
  readonly input: number
  readonly partitioner: 'forward' | 'rebalance' | 'rescale' | 'shuffle' | 'broadcast' | 'global' | 'hash' | 'custom'
}

/** One failure of the job, with those that came until it was RUNNING again: at most 100. */
export interface FailureSnapshot {
  readonly atMs: number
  readonly throwable: ThrowableSnapshot
  /** Null: it was no task's. */
  readonly task: FailedTask | null
  readonly concurrent: readonly {
    readonly atMs: number
    readonly throwable: ThrowableSnapshot
    readonly task: FailedTask | null
  }[]
}

export interface FailedTask {
  /** Place in `vertices`. */
  readonly vertex: number
  readonly subtask: number
  /** Of this subtask, from 0. */
  readonly attempt: number
  /** Whose code threw; null: it is not known. */
  readonly operator: string | null
}

export interface ThrowableSnapshot {
  /** `TypeError`, `StreamError` or what the thrown object's constructor is called. */
  readonly name: string
  readonly message: string
  /** `Name: message`, frames, then the same of its causes, each behind `Caused by: `; at most 65,536 characters. No secret of the configuration. */
  readonly stack: string
}

export interface JobConfigurationSnapshot {
  /** Options of ours that were set at any level, as one would write them into a file; values of secrets as `******`. */
  readonly written: readonly { readonly key: string; readonly value: string }[]
  /** `parallelism.default` */
  readonly parallelism: number
  readonly checkpointing: {
    readonly mode: 'EXACTLY_ONCE' | 'AT_LEAST_ONCE'
    /** Null: no periodic checkpoints. */
    readonly intervalMs: number | null
    readonly timeoutMs: number
    readonly minPauseMs: number
    readonly maxConcurrent: number
    /** 2^31 - 1: any number. */
    readonly tolerableFailures: number
    readonly unaligned: boolean
    readonly alignedTimeoutMs: number
    readonly retention: 'NO_EXTERNALIZED_CHECKPOINTS' | 'DELETE_ON_CANCELLATION' | 'RETAIN_ON_CANCELLATION'
    readonly checkpointsAfterTasksFinish: boolean
  }
  readonly stateBackend: 'hashmap' | 'leveldb'
  /** Null: in memory. */
  readonly checkpointDirectory: string | null
  readonly savepointDirectory: string | null
  /** As a sentence, with Flink's words where Flink has the strategy. */
  readonly restartStrategy: string
}
