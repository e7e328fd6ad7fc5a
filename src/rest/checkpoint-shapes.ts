/** Checkpoints as Flink's statistics show them: counts, summaries, one checkpoint, its vertices and subtasks. */

import type {
  CheckpointTotals,
  RestoredCheckpoint,
  TrackedCheckpoint,
  TrackedSubtask,
  TrackedVertex,
} from '../runtime/checkpoint-statistics-snapshot.ts'
import type { CheckpointStatisticsSnapshot } from '../runtime/job-handle.ts'
import { checkpointFailureText } from './checkpoint-failure-reasons.ts'
import { fileLocation } from './file-location.ts'

type Summary = CheckpointStatisticsSnapshot['summary']['stateBytes']

/** Nothing is buffered for an alignment; Flink keeps the figure for old clients. */
const NOTHING_BUFFERED = { min: 0, max: 0, avg: 0, p50: 0, p90: 0, p95: 0, p99: 0, p999: 0 }
/** What Flink shows for a checkpoint that is in memory. */
const NO_LOCATION = '<checkpoint-not-externally-addressable>'

const CLASS_NAMES = { IN_PROGRESS: 'in_progress', COMPLETED: 'completed', FAILED: 'failed' } as const

/** The answer for all checkpoints of a job. */
export function checkpointStatistics({ counts, summary, latest, history }: CheckpointStatisticsSnapshot) {
  const { total, completed, failed, restored } = counts
  return {
    counts: { restored, total, in_progress: counts.inProgress, completed, failed },
    summary: {
      checkpointed_size: summaryOf(summary.checkpointedBytes),
      state_size: summaryOf(summary.stateBytes),
      end_to_end_duration: summaryOf(summary.endToEndMs),
      alignment_buffered: NOTHING_BUFFERED,
      processed_data: summaryOf(summary.processedBytes),
      persisted_data: summaryOf(summary.persistedBytes),
    },
    latest: {
      completed: latest.completed && withoutTasks(latest.completed),
      savepoint: latest.savepoint && withoutTasks(latest.savepoint),
      failed: latest.failed && withoutTasks(latest.failed),
      restored: latest.restored && restoredOf(latest.restored),
    },
    history: history.map(withoutTasks),
  }
}

/** One checkpoint with what each vertex did for it. */
export function checkpointDetails(checkpoint: TrackedCheckpoint) {
  const tasks = checkpoint.vertices.map((vertex) => [vertex.id, vertexTotals(checkpoint, vertex)] as const)
  return { ...withoutTasks(checkpoint), tasks: Object.fromEntries(tasks) }
}

/** One vertex in one checkpoint, with its subtasks. */
export function checkpointOfVertex(checkpoint: TrackedCheckpoint, vertex: TrackedVertex) {
  const { summary, subtasks } = vertex
  return {
    ...vertexTotals(checkpoint, vertex),
    summary: {
      checkpointed_size: extentOf(summary.checkpointedBytes),
      state_size: extentOf(summary.stateBytes),
      end_to_end_duration: extentOf(summary.endToEndMs),
      checkpoint_duration: { sync: extentOf(summary.syncMs), async: extentOf(summary.asyncMs) },
      alignment: {
        buffered: NOTHING_BUFFERED,
        processed: extentOf(summary.processedBytes),
        persisted: extentOf(summary.persistedBytes),
        duration: extentOf(summary.alignmentMs),
      },
      start_delay: extentOf(summary.startDelayMs),
    },
    subtasks: subtasks.map(subtaskOf),
  }
}

function withoutTasks(checkpoint: TrackedCheckpoint) {
  const { status, kind, failure, triggeredAtMs, endedAtMs } = checkpoint
  return {
    className: CLASS_NAMES[status],
    id: checkpoint.checkpointId,
    status,
    is_savepoint: kind !== 'checkpoint',
    savepointFormat: checkpoint.savepointFormat,
    trigger_timestamp: triggeredAtMs,
    ...totals(checkpoint),
    checkpoint_type: typeOf(checkpoint),
    tasks: {},
    ...(status === 'COMPLETED' && { external_path: locationOf(checkpoint.path), discarded: checkpoint.discarded }),
    ...(status === 'FAILED' && {
      failure_timestamp: endedAtMs ?? triggeredAtMs,
      failure_message: failure === null ? '' : failureMessage(failure),
    }),
  }
}

function vertexTotals({ checkpointId, status }: TrackedCheckpoint, vertex: CheckpointTotals) {
  return { id: checkpointId, status, ...totals(vertex) }
}

/** As Flink puts a message and a reason together. */
function failureMessage({ reason, message }: NonNullable<TrackedCheckpoint['failure']>): string {
  const why = checkpointFailureText(reason)
  return message === '' ? why : `${message} Failure reason: ${why}`
}

/** -1: nobody has acknowledged. */
function totals(one: CheckpointTotals) {
  return {
    latest_ack_timestamp: one.latestAckAtMs ?? -1,
    checkpointed_size: one.checkpointedBytes,
    state_size: one.stateBytes,
    end_to_end_duration: whole(one.endToEndMs ?? -1),
    alignment_buffered: 0,
    processed_data: whole(one.processedBytes),
    persisted_data: one.persistedBytes,
    num_subtasks: one.numSubtasks,
    num_acknowledged_subtasks: one.numAcknowledgedSubtasks,
  }
}

function subtaskOf(subtask: TrackedSubtask) {
  const { index } = subtask
  if (subtask.status !== 'COMPLETED') return { className: 'pending', index, status: 'pending_or_failed' }
  return {
    className: 'completed',
    index,
    ack_timestamp: subtask.ackAtMs,
    end_to_end_duration: whole(subtask.endToEndMs),
    checkpointed_size: subtask.checkpointedBytes,
    state_size: subtask.stateBytes,
    checkpoint: { sync: whole(subtask.syncMs), async: whole(subtask.asyncMs) },
    alignment: {
      buffered: 0,
      processed: whole(subtask.processedBytes),
      persisted: subtask.persistedBytes,
      duration: whole(subtask.alignmentMs),
    },
    start_delay: whole(subtask.startDelayMs),
    unaligned_checkpoint: subtask.unaligned,
    aborted: false,
    status: 'completed',
  }
}

function restoredOf({ checkpointId, restoredAtMs, kind, path }: RestoredCheckpoint) {
  return {
    id: checkpointId,
    restore_timestamp: restoredAtMs,
    is_savepoint: kind !== 'checkpoint',
    external_path: locationOf(path),
  }
}

function typeOf({ kind, unaligned }: TrackedCheckpoint): string {
  if (kind === 'savepoint') return 'SAVEPOINT'
  if (kind === 'synchronousSavepoint') return 'SYNC_SAVEPOINT'
  return unaligned ? 'UNALIGNED_CHECKPOINT' : 'CHECKPOINT'
}

function locationOf(path: string | null): string {
  return path === null ? NO_LOCATION : fileLocation(path)
}

/** Of a vertex Flink keeps no percentiles; its clients expect none. */
function extentOf({ min, max, avg }: Summary) {
  return summaryOf({ min, max, avg, p50: null, p90: null, p95: null, p99: null, p999: null })
}

function summaryOf({ min, max, avg, p50, p90, p95, p99, p999 }: Summary) {
  const percentile = (value: number | null) => value ?? 'NaN'
  return {
    min: whole(min),
    max: whole(max),
    avg: whole(avg),
    p50: percentile(p50),
    p90: percentile(p90),
    p95: percentile(p95),
    p99: percentile(p99),
    p999: percentile(p999),
  }
}

/** Flink's clients want a long; ours may be of a clock that knows fractions. */
function whole(value: number): number {
  return Math.round(value)
}
