/** A vertex as a whole: what its subtasks come to together. */
import { type PlacedAttempt, startedAt, statusDurations, type TimedState } from './attempt-shapes.ts'
import { elapsedMs } from './elapsed.ts'
import { type IoMetrics, ioMetricsOf, ioTotals } from './io-metrics.ts'
import type { JobLook } from './job-look.ts'
import { countsOf, statusOfVertex } from './job-states.ts'
import type { PlacedVertex } from './path-parameters.ts'
import { statisticsOf } from './subtask-statistics.ts'

/** The newest attempts of its subtasks, in the order of their indices. */
export function currentAttempts({ vertex, place }: PlacedVertex): readonly PlacedAttempt[] {
  return vertex.subtasks.map(({ index, current }) => ({ vertex: place, subtask: index, attempt: current }))
}

/** From the first deployment to the last end; -1: not yet. */
export function vertexTimes(attempts: readonly PlacedAttempt[], nowMs: number) {
  const starts = attempts.map(({ attempt }) => startedAt(attempt)).filter((at) => at !== undefined)
  if (starts.length === 0) return { 'start-time': -1, 'end-time': -1, duration: -1 }
  const startMs = starts.reduce((first, at) => Math.min(first, at))
  const ends = attempts.map(({ attempt }) => attempt.endedAtMs).filter((at) => at !== null)
  if (ends.length < attempts.length)
    return { 'start-time': startMs, 'end-time': -1, duration: elapsedMs(startMs, nowMs) }
  const endMs = ends.reduce((last, at) => Math.max(last, at))
  return { 'start-time': startMs, 'end-time': endMs, duration: elapsedMs(startMs, endMs) }
}

/** An entry of `vertices` of a job. */
export function vertexOverview(placed: PlacedVertex, look: JobLook) {
  const { vertex } = placed
  const attempts = currentAttempts(placed)
  const statuses = attempts.map(({ attempt }) => attempt.status)
  return {
    id: vertex.id,
    // All vertices of a job share their slots.
    slotSharingGroupId: look.graph.jobId,
    name: vertex.name,
    maxParallelism: vertex.maxParallelism,
    parallelism: vertex.parallelism,
    status: statusOfVertex(statuses),
    ...vertexTimes(attempts, look.nowMs),
    tasks: countsOf(statuses),
    metrics: ioTotalsOf(attempts, look),
  }
}

export function ioTotalsOf(attempts: readonly PlacedAttempt[], look: JobLook) {
  return ioTotals(attempts.map(({ vertex, subtask, attempt }) => look.measured(vertex, subtask, attempt)))
}

/** Each number of the subtasks compared. */
export function aggregated(attempts: readonly PlacedAttempt[], look: JobLook) {
  const io = attempts.map(({ vertex, subtask, attempt }) => ioMetricsOf(look.measured(vertex, subtask, attempt)))
  const durations = attempts.map(({ attempt }) => statusDurations(attempt, look.nowMs))
  const ofIo = (name: keyof IoMetrics) => statisticsOf(io.map((one) => one[name]))
  const ofState = (state: TimedState) => statisticsOf(durations.map((one) => one[state]))
  return {
    metrics: {
      'read-bytes': ofIo('read-bytes'),
      'write-bytes': ofIo('write-bytes'),
      'read-records': ofIo('read-records'),
      'write-records': ofIo('write-records'),
      'accumulated-backpressured-time': ofIo('accumulated-backpressured-time'),
      'accumulated-idle-time': ofIo('accumulated-idle-time'),
      'accumulated-busy-time': ofIo('accumulated-busy-time'),
    },
    'status-duration': {
      CREATED: ofState('CREATED'),
      SCHEDULED: ofState('SCHEDULED'),
      DEPLOYING: ofState('DEPLOYING'),
      INITIALIZING: ofState('INITIALIZING'),
      RUNNING: ofState('RUNNING'),
    },
  }
}
