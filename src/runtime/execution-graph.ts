/**
 * Remembers what a job tells of itself, as Flink's ExecutionGraph: statuses and when they came, the attempts of each
 * subtask, failures. It watches and changes nothing.
 */
import type { Clock } from '../base/clock.ts'
import type { JobGraph, JobVertex } from '../graph/job-graph.ts'
import type { Cause, Causes } from './control/causes.ts'
import type { ExecutionGraphSnapshot, JobConfigurationSnapshot, VertexSnapshot } from './execution-graph-snapshot.ts'
import { FailureHistory } from './failure-history.ts'
import type { JobEvent, JobStatus } from './job-handle.ts'
import { tasksOf } from './restore-assignment.ts'
import { SubtaskAttempts } from './subtask-attempts.ts'
import { throwableSnapshot } from './throwable-snapshot.ts'

export interface ExecutionGraphOptions {
  readonly jobId: string
  readonly jobName: string
  readonly graph: JobGraph
  readonly configuration: JobConfigurationSnapshot
  readonly clock: Clock
  readonly causes: Causes
  /** How many failures are listed. */
  readonly mostFailures: number
  /** Takes secrets out of what is kept of a thrown object. */
  hide(text: string): string
}

/** One subtask by its place in the list of tasks. */
interface Subtask {
  readonly vertex: number
  readonly subtask: number
  readonly attempts: SubtaskAttempts
}

export class ExecutionGraph {
  readonly #options: ExecutionGraphOptions
  readonly #tasks: readonly Subtask[]
  /** By the name under which events tell of it. */
  readonly #byName: ReadonlyMap<string, Subtask>
  readonly #failures: FailureHistory
  readonly #startedAtMs: number
  #status: JobStatus = 'INITIALIZING'
  #statusAtMs: ExecutionGraphSnapshot['statusAtMs']
  #endedAtMs: number | null = null
  #restarts = 0
  /** Of this moment; undefined: something has happened since. */
  #snapshot: ExecutionGraphSnapshot | undefined

  /** The job is INITIALIZING. */
  constructor(options: ExecutionGraphOptions) {
    const atMs = options.clock.now()
    this.#options = options
    this.#startedAtMs = atMs
    this.#statusAtMs = { INITIALIZING: atMs }
    this.#failures = new FailureHistory(options.mostFailures)
    const named = tasksOf(options.graph).map(({ vertex, subtask, name }) => {
      const task: Subtask = { vertex, subtask, attempts: new SubtaskAttempts(subtask, atMs) }
      return [name, task] as const
    })
    this.#tasks = named.map(([, task]) => task)
    this.#byName = new Map(named)
  }

  /** The job tells it; before anybody else hears of it. */
  see(event: JobEvent): void {
    switch (event.type) {
      case 'job.status':
        return this.#enter(event.status, event.atMs)
      case 'task.status': {
        this.#snapshot = undefined
        const failure = 'error' in event ? throwableSnapshot(event.error, this.#options.hide) : null
        return this.#byName.get(event.vertex)?.attempts.changed(event.status, event.atMs, failure)
      }
      case 'restart.scheduled':
        this.#snapshot = undefined
        this.#restarts++
        return this.#failures.granted()
    }
  }

  /** What these tasks start from, or go on from, is looked for. */
  restoring(tasks: readonly number[]): void {
    this.#snapshot = undefined
    const atMs = this.#options.clock.now()
    for (const task of tasks) this.#tasks[task]?.attempts.restoring(atMs)
  }

  /** `attempt`: as events number it. Before the tasks tell anything. */
  deployed(tasks: readonly number[], attempt: number): void {
    this.#snapshot = undefined
    const atMs = this.#options.clock.now()
    for (const task of tasks) this.#tasks[task]?.attempts.deployed(attempt, atMs)
  }

  /** `task`: whose failure it is; null: no task's. */
  failed({ task, cause, atMs }: { readonly task: number | null; readonly cause: Cause; readonly atMs: number }): void {
    this.#snapshot = undefined
    const { causes, hide } = this.#options
    const failed = task === null ? undefined : this.#tasks[task]
    const current = failed?.attempts.current
    this.#failures.heard(cause, {
      atMs,
      // What a task failed of was told of it already.
      throwable: current?.failure ?? throwableSnapshot(causes.thrown(cause), hide),
      task:
        failed === undefined || current === undefined
          ? null
          : {
              vertex: failed.vertex,
              subtask: failed.subtask,
              attempt: current.attempt,
              operator: cause.operator ?? null,
            },
    })
  }

  /** The restart strategy is asked about this failure. */
  asked(cause: Cause): void {
    this.#snapshot = undefined
    this.#failures.asked(cause)
  }

  /** The last word about the job. Tells nothing new but where the control plane itself broke and could not say so. */
  ended(status: JobStatus, cause: Cause | null): void {
    const atMs = this.#options.clock.now()
    if (cause !== null && status === 'FAILED' && !this.#failures.knows(cause)) this.failed({ task: null, cause, atMs })
    if (this.#endedAtMs === null) this.#enter(status, atMs)
  }

  /** Of this moment. The same object until something happens. */
  snapshot(): ExecutionGraphSnapshot {
    this.#snapshot ??= this.#look()
    return this.#snapshot
  }

  #enter(status: JobStatus, atMs: number): void {
    this.#snapshot = undefined
    this.#failures.statusChanged(status)
    this.#status = status
    this.#statusAtMs = { ...this.#statusAtMs, [status]: atMs }
    if (!isOver(status)) return
    this.#endedAtMs = atMs
    for (const { attempts } of this.#tasks) attempts.jobEnded(atMs)
  }

  #look(): ExecutionGraphSnapshot {
    const { jobId, jobName, graph, configuration } = this.#options
    return {
      jobId,
      jobName,
      status: this.#status,
      statusAtMs: this.#statusAtMs,
      startedAtMs: this.#startedAtMs,
      endedAtMs: this.#endedAtMs,
      vertices: graph.vertices.map((vertex, index) => this.#vertex(vertex, index)),
      edges: graph.edges.map(({ from, to, input, partitioner }) => ({
        from,
        to,
        input,
        partitioner: partitioner.type,
      })),
      failures: this.#failures.failures(),
      restarts: this.#restarts,
      configuration,
    }
  }

  #vertex(vertex: JobVertex, index: number): VertexSnapshot {
    const { id, name, parallelism, maxParallelism, operators, source } = vertex
    return {
      id,
      name,
      parallelism,
      maxParallelism,
      isSource: source !== undefined,
      operators: operators.map((operator) => ({
        id: operator.operatorId,
        name: operator.name,
        uid: operator.uid ?? null,
      })),
      subtasks: this.#tasks.flatMap((task) => (task.vertex === index ? [task.attempts.snapshot()] : [])),
    }
  }
}

function isOver(status: JobStatus): boolean {
  return status === 'FINISHED' || status === 'FAILED' || status === 'CANCELED' || status === 'SUSPENDED'
}
