/** Checkpoints of the orders job: 25 completed, 17 a savepoint that failed, 15 one that completed, 49 in progress, 8 restored. */
import type {
  CheckpointStatisticsSnapshot,
  TrackedCheckpoint,
  TrackedVertex,
} from '../../../../src/runtime/checkpoint-statistics-snapshot.ts'
import { OUT, SOURCE, TOTALS } from './orders-ids.ts'

const NONE = { min: 0, max: 0, avg: 0, p50: null, p90: null, p95: null, p99: null, p999: null }
const SOME = { min: 9, max: 236, avg: 33, p50: 17, p90: 66.7, p95: 210.6, p99: 236, p999: 236 }

const SUBTASK = {
  ...{ startDelayMs: 3, alignmentMs: 1, unaligned: false, syncMs: 2, asyncMs: 25 },
  ...{ processedBytes: 7, persistedBytes: 0, checkpointedBytes: 2567, stateBytes: 2600 },
}

const NOBODY = {
  ...{ latestAckAtMs: null, endToEndMs: null, checkpointedBytes: 0, stateBytes: 0 },
  ...{ processedBytes: 0, persistedBytes: 0, numAcknowledgedSubtasks: 0 },
}

const totals = (numSubtasks: number, acknowledged: boolean) =>
  acknowledged
    ? {
        ...{ latestAckAtMs: 700_066, endToEndMs: 66, checkpointedBytes: 5168, stateBytes: 5200 },
        ...{ processedBytes: 14, persistedBytes: 0, numSubtasks, numAcknowledgedSubtasks: numSubtasks },
      }
    : { ...NOBODY, numSubtasks }

function vertex(id: string, parallelism: number, acknowledged: boolean): TrackedVertex {
  const summary = acknowledged ? SOME : NONE
  return {
    ...totals(parallelism, acknowledged),
    id,
    name: id,
    summary: {
      ...{ startDelayMs: summary, alignmentMs: summary, syncMs: summary, asyncMs: summary, endToEndMs: summary },
      ...{ processedBytes: summary, persistedBytes: summary, checkpointedBytes: summary, stateBytes: summary },
    },
    subtasks: Array.from({ length: parallelism }, (_, index) =>
      acknowledged
        ? { status: 'COMPLETED', index, ackAtMs: 700_066, endToEndMs: 66, ...SUBTASK }
        : { status: 'PENDING_OR_FAILED', index },
    ),
  }
}

export function tracked(
  given: Partial<TrackedCheckpoint> & Pick<TrackedCheckpoint, 'checkpointId'>,
): TrackedCheckpoint {
  const acknowledged = given.status !== 'FAILED'
  return {
    ...totals(4, acknowledged),
    ...{ kind: 'checkpoint', savepointFormat: null, status: 'COMPLETED', unaligned: false },
    ...{ triggeredAtMs: 700_000, endedAtMs: 700_070, failure: null, discarded: false },
    path: `/data/checkpoints/chk-${given.checkpointId}`,
    vertices: [vertex(SOURCE, 1, acknowledged), vertex(TOTALS, 2, acknowledged), vertex(OUT, 1, acknowledged)],
    ...given,
  }
}

const COMPLETED = tracked({ checkpointId: 25 })
const SAVEPOINT = tracked({
  ...{ checkpointId: 15, kind: 'savepoint', savepointFormat: 'CANONICAL', path: '/data/save points/savepoint-8630b4' },
})
const FAILED = tracked({
  ...{ checkpointId: 17, kind: 'savepoint', savepointFormat: 'CANONICAL', status: 'FAILED', path: null, endToEndMs: 6 },
  ...{ endedAtMs: 700_006, failure: { reason: 'IO_EXCEPTION', message: 'The disk is full.' } },
})
const IN_PROGRESS = tracked({
  ...{ checkpointId: 49, status: 'IN_PROGRESS', unaligned: true, endedAtMs: null, path: null },
})

export function trackedCheckpoints(): CheckpointStatisticsSnapshot {
  return {
    counts: { total: 31, inProgress: 1, completed: 21, failed: 9, restored: 2 },
    summary: {
      checkpointedBytes: SOME,
      stateBytes: SOME,
      endToEndMs: SOME,
      processedBytes: SOME,
      persistedBytes: SOME,
    },
    latest: {
      completed: COMPLETED,
      savepoint: SAVEPOINT,
      failed: FAILED,
      restored: { checkpointId: 8, kind: 'checkpoint', restoredAtMs: 650_000, path: '/data/checkpoints/chk-8' },
    },
    history: [IN_PROGRESS, COMPLETED],
  }
}
