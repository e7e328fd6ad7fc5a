/** Looks at what a job tells of itself again and again: what is over stays as it is, and nothing that was counted is taken back. */
import { isOver } from '../../../src/api/ended-job.ts'
import type { AttemptSnapshot } from '../../../src/runtime/execution-graph-snapshot.ts'
import type { JobHandle, JobStatus, TaskMeasurements } from '../../../src/runtime/job-handle.ts'

const OVER: readonly string[] = ['FINISHED', 'CANCELED', 'FAILED']
/** Of a task, and of a job's checkpoints: they grow. */
const GROWING = [
  ...['numRecordsIn', 'numRecordsOut', 'numBytesIn', 'numBytesOut', 'busyMs', 'backPressuredMs', 'idleMs'],
  ...['currentInputWatermark', 'numFiredTimers', 'blockedMs', 'maxBlockedMs'],
] as const
const CHECKPOINT_COUNTS = ['total', 'completed', 'failed', 'restored'] as const
/** Sums of floating-point numbers. */
const ROUNDING = 1e-6

export class Watcher {
  readonly #complain: (what: string) => void
  readonly #attempts = new Map<string, AttemptSnapshot>()
  readonly #newest = new Map<string, number>()
  readonly #measured = new Map<string, TaskMeasurements>()
  #counts: Readonly<Record<(typeof CHECKPOINT_COUNTS)[number], number>> = {
    ...{ total: 0, completed: 0, failed: 0, restored: 0 },
  }
  #restarts = 0
  #end: JobStatus | undefined

  constructor(complain: (what: string) => void) {
    this.#complain = complain
  }

  look(job: JobHandle, nowMs: number): void {
    this.#lookAtStatus(job.status())
    this.#lookAtGraph(job, nowMs)
    for (const task of job.measurements()) this.#lookAtTask(task)
    const { counts } = job.checkpoints()
    for (const name of CHECKPOINT_COUNTS)
      if (counts[name] < this.#counts[name])
        this.#complain(`checkpoints ${name} went from ${this.#counts[name]} to ${counts[name]}`)
    if (counts.total !== counts.inProgress + counts.completed + counts.failed)
      this.#complain(`checkpoints do not add up: ${JSON.stringify(counts)}`)
    this.#counts = counts
  }

  #lookAtStatus(status: JobStatus): void {
    if (this.#end !== undefined && status !== this.#end) this.#complain(`the job was ${this.#end} and is ${status}`)
    if (isOver(status)) this.#end = status
  }

  #lookAtGraph(job: JobHandle, nowMs: number): void {
    const graph = job.executionGraph()
    if (graph.restarts < this.#restarts) this.#complain(`restarts went from ${this.#restarts} to ${graph.restarts}`)
    this.#restarts = graph.restarts
    if (graph.status !== job.status()) this.#complain(`the graph is ${graph.status}, its job ${job.status()}`)
    if ((graph.endedAtMs !== null) !== isOver(graph.status))
      this.#complain(`the graph is ${graph.status} and ended at ${graph.endedAtMs}`)
    for (const [place, { subtasks }] of graph.vertices.entries())
      for (const { index, current, previous } of subtasks) {
        const task = `${place}#${index}`
        if (current.attempt < (this.#newest.get(task) ?? 0)) this.#complain(`attempts of ${task} went backwards`)
        this.#newest.set(task, current.attempt)
        for (const attempt of [...previous, current]) this.#lookAtAttempt(task, attempt, nowMs)
        for (const attempt of previous)
          if (!OVER.includes(attempt.status))
            this.#complain(`attempt ${attempt.attempt} of ${task} has a successor and is ${attempt.status}`)
      }
  }

  #lookAtAttempt(task: string, attempt: AttemptSnapshot, nowMs: number): void {
    const name = `${task} attempt ${attempt.attempt}`
    const before = this.#attempts.get(name)
    this.#attempts.set(name, attempt)
    if (OVER.includes(attempt.status) !== (attempt.endedAtMs !== null))
      this.#complain(`${name} is ${attempt.status} and ended at ${attempt.endedAtMs}`)
    for (const atMs of Object.values(attempt.statusAtMs)) if (atMs > nowMs) this.#complain(`${name} knows the future`)
    if (before === undefined || before === attempt) return
    if (OVER.includes(before.status) && before.status !== attempt.status)
      this.#complain(`${name} was ${before.status} and is ${attempt.status}`)
    for (const [status, atMs] of Object.entries(before.statusAtMs))
      if (attempt.statusAtMs[status as keyof typeof attempt.statusAtMs] !== atMs)
        this.#complain(`${name} was ${status} at ${atMs}, and not any more`)
  }

  #lookAtTask(task: TaskMeasurements): void {
    const { vertex, subtask, executionAttempt } = task
    const name = `${vertex}#${subtask} execution ${executionAttempt}`
    const before = this.#measured.get(name)
    this.#measured.set(name, task)
    for (const count of GROWING)
      if (Number.isNaN(task[count])) this.#complain(`${count} of ${name} is no number`)
      else if (before !== undefined && task[count] < before[count] - ROUNDING)
        this.#complain(`${count} of ${name} went from ${before[count]} to ${task[count]}`)
    if (before?.isOver === true && JSON.stringify(before) !== JSON.stringify(task))
      this.#complain(`${name} was over and has changed: ${JSON.stringify(before)} is ${JSON.stringify(task)}`)
    for (const [nth, operator] of task.operators.entries())
      for (const count of ['numRecordsIn', 'numRecordsOut'] as const)
        if ((operator[count] ?? 0) < (before?.operators[nth]?.[count] ?? 0))
          this.#complain(`${count} of ${operator.name} in ${name} went down to ${operator[count]}`)
  }
}
