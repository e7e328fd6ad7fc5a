/** The states that Flink knows, in its order, and counts of tasks by state as its answers spell them. */
import type { JobStatus, TaskStatus } from '../runtime/job-handle.ts'

/** RECONCILING: none of our jobs is ever. */
export const JOB_STATES = [
  'INITIALIZING',
  'CREATED',
  'RUNNING',
  'FAILING',
  'FAILED',
  'CANCELLING',
  'CANCELED',
  'FINISHED',
  'RESTARTING',
  'SUSPENDED',
  'RECONCILING',
] as const satisfies readonly (JobStatus | 'RECONCILING')[]

export const TASK_STATES = [
  'CREATED',
  'SCHEDULED',
  'DEPLOYING',
  'RUNNING',
  'FINISHED',
  'CANCELING',
  'CANCELED',
  'FAILED',
  'RECONCILING',
  'INITIALIZING',
] as const satisfies readonly (TaskStatus | 'RECONCILING')[]

/** By each of `states`; 0: never. */
export function timestampsOf<State extends string>(
  states: readonly State[],
  atMs: Readonly<Partial<Record<string, number>>>,
): Readonly<Record<string, number>> {
  return Object.fromEntries(states.map((state) => [state, atMs[state] ?? 0]))
}

/** How many there are of each, all ten upper-case. */
export function countsOf(statuses: readonly TaskStatus[]): Readonly<Record<string, number>> {
  return Object.fromEntries(TASK_STATES.map((state) => [state, statuses.filter((one) => one === state).length]))
}

/** The status of a vertex: the most telling one of its subtasks; before any of them runs it is CREATED. */
export function statusOfVertex(statuses: readonly TaskStatus[]): TaskStatus {
  const telling = (['FAILED', 'CANCELING', 'CANCELED', 'INITIALIZING', 'RUNNING'] as const).find((state) =>
    statuses.includes(state),
  )
  if (telling !== undefined) return telling
  if (!statuses.includes('FINISHED')) return 'CREATED'
  return statuses.every((status) => status === 'FINISHED') ? 'FINISHED' : 'RUNNING'
}
