/** A job as lists of jobs show it, and the times that every answer about it starts with. */
import type { ExecutionGraphSnapshot } from '../runtime/job-handle.ts'
import { elapsedMs } from './elapsed.ts'
import { countsOf } from './job-states.ts'

/** -1: it has not ended. */
export function jobTimes(graph: ExecutionGraphSnapshot, nowMs: number) {
  const { startedAtMs, endedAtMs } = graph
  return {
    'start-time': startedAtMs,
    'end-time': endedAtMs ?? -1,
    duration: elapsedMs(startedAtMs, endedAtMs ?? nowMs),
  }
}

/** An entry of `/jobs/overview`. */
export function jobOverview(graph: ExecutionGraphSnapshot, nowMs: number) {
  const attempts = graph.vertices.flatMap(({ subtasks }) => subtasks.map(({ current }) => current))
  const counts = Object.entries(countsOf(attempts.map(({ status }) => status)))
  const changes = attempts.map(({ status, statusAtMs }) => statusAtMs[status] ?? 0)
  return {
    jid: graph.jobId,
    name: graph.jobName,
    jobType: 'STREAMING',
    schedulerType: 'Default',
    ...jobTimes(graph, nowMs),
    state: graph.status,
    'last-modification': changes.reduce((latest, at) => Math.max(latest, at), graph.endedAtMs ?? 0),
    tasks: {
      ...Object.fromEntries(counts.map(([state, count]) => [state.toLowerCase(), count])),
      total: attempts.length,
    },
    'pending-operators': 0,
  }
}
