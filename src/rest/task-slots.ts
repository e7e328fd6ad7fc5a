/**
 * How many slots the one task manager has. Nobody sets a number here: a job takes what it needs, and the largest need there
 * ever was, of all jobs together, is the number of slots that are shown.
 */
import type { JobHandle } from '../runtime/job-handle.ts'

export interface TaskSlots {
  /** At least 1. */
  readonly total: number
  readonly free: number
}

export function taskSlots(jobs: readonly JobHandle[]): TaskSlots {
  const changes = jobs.flatMap((job) => {
    const { startedAtMs, endedAtMs } = job.executionGraph()
    const slots = slotsOf(job)
    const taken = { atMs: startedAtMs, slots }
    return endedAtMs === null ? [taken] : [taken, { atMs: endedAtMs, slots: -slots }]
  })
  // What is given back at the moment at which something is taken is taken again.
  changes.sort((one, other) => one.atMs - other.atMs || one.slots - other.slots)
  let used = 0
  let total = 1
  for (const { slots } of changes) {
    used += slots
    total = Math.max(total, used)
  }
  return { total, free: total - used }
}

/** Of a job while it runs: subtasks of different vertices share one. */
export function slotsOf(job: JobHandle): number {
  return Math.max(0, ...job.executionGraph().vertices.map(({ parallelism }) => parallelism))
}
