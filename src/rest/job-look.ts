/** One look at a job, for one answer: its graph, its numbers and the time, all of the same moment. */
import type { AttemptSnapshot } from '../runtime/execution-graph-snapshot.ts'
import type { ExecutionGraphSnapshot, JobHandle, TaskMeasurements } from '../runtime/job-handle.ts'
import type { RestCluster } from './rest-cluster.ts'
import { taskManagerEndpoint } from './task-manager-location.ts'

export interface JobLook {
  readonly graph: ExecutionGraphSnapshot
  /** In milliseconds since the epoch. */
  readonly nowMs: number
  readonly endpoint: string
  readonly taskManagerId: string
  /** `vertex` is its place in the graph. Undefined: nothing was measured. */
  measured(vertex: number, subtask: number, attempt: AttemptSnapshot): TaskMeasurements | undefined
}

export function lookAt(job: JobHandle, cluster: RestCluster): JobLook {
  const measured = new Map(job.measurements().map((one) => [keyOf(one.vertex, one.subtask, one.executionAttempt), one]))
  return {
    graph: job.executionGraph(),
    nowMs: cluster.ports.clock.now(),
    endpoint: taskManagerEndpoint(cluster),
    taskManagerId: cluster.taskManagerId,
    measured: (vertex, subtask, { executionAttempt }) => measured.get(keyOf(vertex, subtask, executionAttempt)),
  }
}

function keyOf(vertex: number, subtask: number, executionAttempt: number): string {
  return `${vertex}/${subtask}/${executionAttempt}`
}
