/** What a job tells of its checkpoints: types only. Plain JSON; the numbers are those of Flink's checkpoint statistics. */
import type { SubtaskCheckpointMetrics } from './checkpoint-metrics.ts'
import type { StatsSummarySnapshot } from './stats-summary.ts'

export interface CheckpointStatisticsSnapshot {
  /** `failed`: of those that had begun. `restored`: how often tasks were started from one. */
  readonly counts: {
    readonly total: number
    readonly inProgress: number
    readonly completed: number
    readonly failed: number
    readonly restored: number
  }
  /** Over all that completed, savepoints too; percentiles over the last 1,000. */
  readonly summary: {
    readonly checkpointedBytes: StatsSummarySnapshot
    readonly stateBytes: StatsSummarySnapshot
    readonly endToEndMs: StatsSummarySnapshot
    readonly processedBytes: StatsSummarySnapshot
    readonly persistedBytes: StatsSummarySnapshot
  }
  /** Kept when the history has let go of them; null: there was none. */
  readonly latest: {
    /** No savepoint. */
    readonly completed: TrackedCheckpoint | null
    readonly savepoint: TrackedCheckpoint | null
    readonly failed: TrackedCheckpoint | null
    readonly restored: RestoredCheckpoint | null
  }
  /** The last ones to be triggered, `web.checkpoints.history` of them, those in progress too; newest first. */
  readonly history: readonly TrackedCheckpoint[]
}

export interface TrackedCheckpoint extends CheckpointTotals {
  readonly checkpointId: number
  readonly kind: CheckpointKind
  /** Null: no savepoint. */
  readonly savepointFormat: 'CANONICAL' | 'NATIVE' | null
  readonly status: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED'
  /** At least one subtask let a barrier overtake records. */
  readonly unaligned: boolean
  readonly triggeredAtMs: number
  /** When it was complete, or given up; null: it is in progress. */
  readonly endedAtMs: number | null
  /** Of one that FAILED: `reason` is one of Flink's. */
  readonly failure: { readonly reason: string; readonly message: string } | null
  /** Of one that COMPLETED; null: it is in memory. */
  readonly path: string | null
  /** It was deleted, because newer ones replace it or the job is over. */
  readonly discarded: boolean
  /** In the order of the job graph. */
  readonly vertices: readonly TrackedVertex[]
}

type CheckpointKind = 'checkpoint' | 'savepoint' | 'synchronousSavepoint'

/** Sums over the subtasks that have acknowledged. */
export interface CheckpointTotals {
  /** Null: nobody has. */
  readonly latestAckAtMs: number | null
  /** From the trigger to the last acknowledgement, of a failed checkpoint to its failure; null: nobody has acknowledged. */
  readonly endToEndMs: number | null
  readonly checkpointedBytes: number
  readonly stateBytes: number
  readonly processedBytes: number
  readonly persistedBytes: number
  readonly numSubtasks: number
  readonly numAcknowledgedSubtasks: number
}

export interface TrackedVertex extends CheckpointTotals {
  /** 32 hexadecimal digits. */
  readonly id: string
  readonly name: string
  /** Over its subtasks that have acknowledged. */
  readonly summary: {
    readonly [Name in keyof Omit<SubtaskCheckpointMetrics, 'unaligned'> | 'endToEndMs']: StatsSummarySnapshot
  }
  /** In the order of their indices. */
  readonly subtasks: readonly TrackedSubtask[]
}

export type TrackedSubtask =
  /** One that had finished before has written nothing. */
  | ({
      readonly status: 'COMPLETED'
      readonly index: number
      readonly ackAtMs: number
      readonly endToEndMs: number
    } & SubtaskCheckpointMetrics)
  | { readonly status: 'PENDING_OR_FAILED'; readonly index: number }

export interface RestoredCheckpoint {
  readonly checkpointId: number
  readonly kind: CheckpointKind
  readonly restoredAtMs: number
  /** Null: it is in memory. */
  readonly path: string | null
}
