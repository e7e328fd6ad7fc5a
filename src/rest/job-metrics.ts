/** The metrics of a job as a whole, with Flink's names: times in its states, restarts, checkpoints. */
import type { CheckpointStatisticsSnapshot, ExecutionGraphSnapshot, JobStatus } from '../runtime/job-handle.ts'
import { elapsedMs } from './elapsed.ts'
import { fileLocation } from './file-location.ts'
import type { Metric } from './metric.ts'

/** `nowMs` is in milliseconds since the epoch. */
export function jobMetrics(
  graph: ExecutionGraphSnapshot,
  checkpoints: CheckpointStatisticsSnapshot,
  nowMs: number,
): readonly Metric[] {
  return [...timeMetrics(graph, nowMs), ...restartMetrics(graph, nowMs), ...checkpointMetrics(checkpoints)]
}

const TIMED: readonly (readonly [name: string, status: JobStatus])[] = [
  ['initializingTime', 'INITIALIZING'],
  ['createdTime', 'CREATED'],
  ['runningTime', 'RUNNING'],
  ['restartingTime', 'RESTARTING'],
  ['cancellingTime', 'CANCELLING'],
  ['failingTime', 'FAILING'],
]

/** How long the job has been in the state in which it is; 0 for the others. */
function timeMetrics(graph: ExecutionGraphSnapshot, nowMs: number): readonly Metric[] {
  const current = graph.vertices.flatMap(({ subtasks }) => subtasks.map((subtask) => subtask.current))
  const deploying = current.filter(({ status }) => status === 'DEPLOYING').map((one) => one.statusAtMs.DEPLOYING)
  const settled = current.every(({ status }) => status === 'RUNNING' || status === 'FINISHED')
  const settledAt = current.map(({ statusAtMs }) => statusAtMs.RUNNING ?? statusAtMs.FINISHED ?? nowMs)
  return [
    ...TIMED.map(([name, status]) => ({
      name,
      value: graph.status === status ? since(graph.statusAtMs[status], nowMs) : 0,
    })),
    { name: 'deployingTime', value: Math.max(0, ...deploying.map((atMs) => since(atMs, nowMs))) },
    {
      name: 'allSubTasksRunningOrFinishedTime',
      value: graph.status === 'RUNNING' && settled ? since(Math.max(...settledAt), nowMs) : 0,
    },
  ]
}

function restartMetrics(graph: ExecutionGraphSnapshot, nowMs: number): readonly Metric[] {
  const { status, statusAtMs, endedAtMs } = graph
  const isUp = status === 'RUNNING' || endedAtMs !== null
  const isDown = status === 'RESTARTING' || status === 'FAILING'
  return [
    { name: 'uptime', value: isUp ? since(statusAtMs.RUNNING, endedAtMs ?? nowMs) : 0 },
    { name: 'downtime', value: isDown ? since(statusAtMs.FAILING ?? statusAtMs.RESTARTING, nowMs) : 0 },
    { name: 'numRestarts', value: graph.restarts },
    // No job changes its parallelism while it runs.
    { name: 'numRescales', value: 0 },
  ]
}

function checkpointMetrics({ counts, latest }: CheckpointStatisticsSnapshot): readonly Metric[] {
  const { completed, savepoint, restored } = latest
  const last = (savepoint?.checkpointId ?? -1) > (completed?.checkpointId ?? -1) ? savepoint : completed
  return [
    { name: 'totalNumberOfCheckpoints', value: counts.total },
    { name: 'numberOfInProgressCheckpoints', value: counts.inProgress },
    { name: 'numberOfCompletedCheckpoints', value: counts.completed },
    { name: 'numberOfFailedCheckpoints', value: counts.failed },
    { name: 'lastCompletedCheckpointId', value: last?.checkpointId ?? -1 },
    { name: 'lastCheckpointCompletedTimestamp', value: last?.endedAtMs ?? -1 },
    { name: 'lastCheckpointDuration', value: last?.endToEndMs ?? -1 },
    { name: 'lastCheckpointSize', value: last?.checkpointedBytes ?? -1 },
    { name: 'lastCheckpointFullSize', value: last?.stateBytes ?? -1 },
    { name: 'lastCheckpointProcessedData', value: last?.processedBytes ?? -1 },
    { name: 'lastCheckpointPersistedData', value: last?.persistedBytes ?? -1 },
    { name: 'lastCheckpointRestoreTimestamp', value: restored?.restoredAtMs ?? -1 },
    { name: 'lastCheckpointExternalPath', value: typeof last?.path === 'string' ? fileLocation(last.path) : 'n/a' },
  ]
}

/** 0 for what never was. */
function since(atMs: number | undefined, nowMs: number): number {
  return atMs === undefined ? 0 : elapsedMs(atMs, nowMs)
}
