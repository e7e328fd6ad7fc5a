/** A job as the recorded one: orders, totals by key in two subtasks, a writer; two failures, checkpoints and savepoints behind it. */
import type {
  AttemptSnapshot,
  ExecutionGraphSnapshot,
  FailureSnapshot,
  SubtaskSnapshot,
  VertexSnapshot,
} from '../../../../src/runtime/execution-graph-snapshot.ts'
import type { JobHandle, TaskMeasurements } from '../../../../src/runtime/job-handle.ts'
import { JOB, OUT, SOURCE, TOTALS } from './orders-ids.ts'
import { trackedCheckpoints } from './tracked-checkpoints.ts'

/** When the third attempt began, and two seconds later. */
export const BEGAN = 1_000_000
export const NOW = BEGAN + 2_000

/** Running for 1,900 ms. */
export function running(attempt: number, executionAttempt = attempt + 1): AttemptSnapshot {
  const { CREATED, SCHEDULED, DEPLOYING, INITIALIZING } = { ...deployed(BEGAN) }
  const statusAtMs = { CREATED, SCHEDULED, DEPLOYING, INITIALIZING, RUNNING: BEGAN + 100 }
  return { attempt, executionAttempt, status: 'RUNNING', statusAtMs, endedAtMs: null, failure: null }
}

/** One that came to its end `afterMs` after its beginning. */
export function over(
  attempt: number,
  status: 'FINISHED' | 'CANCELED' | 'FAILED',
  beganMs: number,
  afterMs: number,
): AttemptSnapshot {
  const endedAtMs = beganMs + afterMs
  const statusAtMs = { ...deployed(beganMs), RUNNING: beganMs + 100, [status]: endedAtMs }
  return { attempt, executionAttempt: attempt + 1, status, statusAtMs, endedAtMs, failure: null }
}

const deployed = (beganMs: number) => ({
  CREATED: beganMs,
  SCHEDULED: beganMs + 10,
  DEPLOYING: beganMs + 30,
  INITIALIZING: beganMs + 60,
})

export function vertex(id: string, name: string, attempts: readonly AttemptSnapshot[]): VertexSnapshot {
  const subtasks = attempts.map(
    (current, index): SubtaskSnapshot => ({
      index,
      current,
      previous: current.attempt === 0 ? [] : [over(0, 'FAILED', 500_000, 3_000), over(1, 'CANCELED', 600_000, 3_000)],
    }),
  )
  const isSource = name.startsWith('Source')
  const operators = [{ id, name, uid: null }]
  return { id, name, parallelism: attempts.length, maxParallelism: 128, isSource, operators, subtasks }
}

export function failure(
  attempt: number,
  atMs: number,
  concurrent: FailureSnapshot['concurrent'] = [],
): FailureSnapshot {
  const throwable = { name: 'RangeError', message: `order refused in attempt ${attempt}`, stack: 'RangeError: order' }
  return { atMs, throwable, task: { vertex: 1, subtask: 0, attempt, operator: 'Totals' }, concurrent }
}

/** `given` takes the place of what the running job says. */
export function ordersGraph(given: Partial<ExecutionGraphSnapshot> = {}): ExecutionGraphSnapshot {
  return {
    jobId: JOB,
    jobName: 'Running orders',
    status: 'RUNNING',
    statusAtMs: { INITIALIZING: 400_000, CREATED: 400_100, RESTARTING: 999_000, RUNNING: BEGAN },
    startedAtMs: 400_000,
    endedAtMs: null,
    vertices: [
      vertex(SOURCE, 'Source: Orders', [running(2)]),
      vertex(TOTALS, 'Totals', [running(2), running(2)]),
      vertex(OUT, 'Out: Writer', [running(2)]),
    ],
    edges: [
      { from: 0, to: 1, input: 0, partitioner: 'hash' },
      { from: 1, to: 2, input: 0, partitioner: 'rebalance' },
    ],
    failures: [failure(1, 603_000), failure(0, 503_000)],
    restarts: 2,
    configuration: {
      written: [{ key: 'parallelism.default', value: '2' }],
      parallelism: 2,
      checkpointing: {
        ...{ mode: 'EXACTLY_ONCE', intervalMs: 500, timeoutMs: 600_000, minPauseMs: 0, maxConcurrent: 1 },
        ...{ tolerableFailures: 100, unaligned: false, alignedTimeoutMs: 0, retention: 'RETAIN_ON_CANCELLATION' },
        checkpointsAfterTasksFinish: true,
      },
      stateBackend: 'hashmap',
      checkpointDirectory: '/data/checkpoints',
      savepointDirectory: null,
      restartStrategy: 'Restart with fixed delay (PT1.5S). #10 restart attempts.',
    },
    ...given,
  }
}

/** Of the newest attempts: 10 records for each step of vertex and subtask. */
export function ordersMeasurements(): readonly TaskMeasurements[] {
  return [measurements(0, 0, 40), measurements(1, 0, 10), measurements(1, 1, 31), measurements(2, 0, 41)]
}

export function measurements(vertex: number, subtask: number, records: number): TaskMeasurements {
  return {
    ...{ vertex, subtask, executionAttempt: 3, isOver: false },
    ...{ numRecordsIn: records, numRecordsOut: records, numBytesIn: records * 20.4, numBytesOut: records * 20.4 },
    ...{ busyMs: 100.6, backPressuredMs: 0, idleMs: 1_700.2, isBackPressured: false, initializationMs: 40 },
    ...{ currentInputWatermark: -Infinity, numFiredTimers: 0, operators: [] },
    ...{ inputQueueLength: 0, inputQueueCapacity: 10, outputQueueLength: 0, outputQueueCapacity: 10 },
    ...{ checkpointAlignmentMs: null, checkpointStartDelayMs: null, blockedMs: 0, maxBlockedMs: 0 },
  }
}

/** Of a job that nobody asks to do anything. */
export function ordersJob(graph: ExecutionGraphSnapshot = ordersGraph()): JobHandle {
  const refused = () => Promise.reject(new Error('this job only tells of itself'))
  return {
    jobId: graph.jobId,
    jobName: graph.jobName,
    status: () => graph.status,
    triggerCheckpoint: refused,
    triggerSavepoint: refused,
    stopWithSavepoint: refused,
    cancelWithSavepoint: refused,
    suspend: refused,
    cancel: refused,
    result: new Promise(() => {}),
    subscribe: () => () => {},
    metrics() {
      throw new Error('nobody asks for them')
    },
    checkpoints: trackedCheckpoints,
    executionGraph: () => graph,
    measurements: ordersMeasurements,
  }
}
