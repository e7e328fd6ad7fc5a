/** One attempt of one subtask: when it ran, how long it was in each state, where and what it did. */
import type { AttemptSnapshot } from '../runtime/execution-graph-snapshot.ts'
import { elapsedMs } from './elapsed.ts'
import { ioTotals } from './io-metrics.ts'
import type { JobLook } from './job-look.ts'

/** States whose durations are shown. Those behind RUNNING end it. */
const ON_THE_WAY = ['CREATED', 'SCHEDULED', 'DEPLOYING', 'INITIALIZING', 'RUNNING'] as const
const IN_ORDER = [...ON_THE_WAY, 'CANCELING', 'FINISHED', 'CANCELED', 'FAILED'] as const

export type TimedState = (typeof ON_THE_WAY)[number]

/** An attempt and its place. */
export interface PlacedAttempt {
  /** Place in the graph. */
  readonly vertex: number
  readonly subtask: number
  readonly attempt: AttemptSnapshot
}

/** When it began to be deployed; undefined: it never was. */
export function startedAt({ statusAtMs }: AttemptSnapshot): number | undefined {
  return statusAtMs.DEPLOYING ?? statusAtMs.INITIALIZING ?? statusAtMs.RUNNING
}

/** In milliseconds; -1: it was never in this state. The state that it is in now lasts until `nowMs`. */
export function statusDurations(attempt: AttemptSnapshot, nowMs: number): Readonly<Record<TimedState, number>> {
  const { statusAtMs } = attempt
  const lasted = (state: TimedState) => {
    const sinceMs = statusAtMs[state]
    if (sinceMs === undefined) return -1
    const next = IN_ORDER.slice(IN_ORDER.indexOf(state) + 1).find((later) => statusAtMs[later] !== undefined)
    return elapsedMs(sinceMs, (next === undefined ? undefined : statusAtMs[next]) ?? nowMs)
  }
  return {
    CREATED: lasted('CREATED'),
    SCHEDULED: lasted('SCHEDULED'),
    DEPLOYING: lasted('DEPLOYING'),
    INITIALIZING: lasted('INITIALIZING'),
    RUNNING: lasted('RUNNING'),
  }
}

/** An entry of `subtasks` of a vertex, and the answer for one subtask or attempt. */
export function attemptDetails({ vertex, subtask, attempt }: PlacedAttempt, look: JobLook) {
  const startMs = startedAt(attempt)
  const { endedAtMs } = attempt
  return {
    subtask,
    status: attempt.status,
    attempt: attempt.attempt,
    endpoint: look.endpoint,
    'start-time': startMs ?? -1,
    'end-time': endedAtMs ?? -1,
    duration: startMs === undefined ? -1 : elapsedMs(startMs, endedAtMs ?? look.nowMs),
    metrics: ioTotals([look.measured(vertex, subtask, attempt)]),
    'taskmanager-id': look.taskManagerId,
    'status-duration': statusDurations(attempt, look.nowMs),
    /** The name that older clients read. */
    start_time: startMs ?? -1,
  }
}
