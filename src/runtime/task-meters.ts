/**
 * The measurements of all subtasks of a job: of each its newest attempt, and those before it as far as they are remembered.
 * Also when the job is over: then only figures are left.
 */
import type { MeteredTask } from './job-meter.ts'
import type { TaskMeasurements } from './task-measurements.ts'
import type { TaskMeter } from './task-meter.ts'

/** Attempts of a subtask before its newest, as many as the execution graph lists. */
const EARLIER_ATTEMPTS = 16

interface Place {
  readonly task: number
  readonly meter: TaskMeter
}

export class TaskMeters {
  #places: readonly Place[] = []
  /** By task, oldest first. */
  readonly #earlier = new Map<number, TaskMeasurements[]>()
  #current: readonly MeteredTask[] = []

  /** In their newest attempts. Another object whenever tasks were deployed. */
  get current(): readonly MeteredTask[] {
    return this.#current
  }

  /** The attempts that they replace are over. */
  deployed(places: readonly Place[]): void {
    const replaced = (task: number) => places.some((place) => place.task === task)
    for (const { task, meter } of this.#places) if (replaced(task)) this.#remember(task, meter.measurements())
    const others = this.#places.filter(({ task }) => !replaced(task))
    this.#places = [...others, ...places].sort((one, other) => one.task - other.task)
    this.#current = this.#places.map(({ meter }) => meter)
  }

  /** In the order of vertices and subtasks, of each the oldest attempt first. */
  measurements(): readonly TaskMeasurements[] {
    return this.#places.flatMap(({ task, meter }) => [...(this.#earlier.get(task) ?? []), meter.measurements()])
  }

  /** The job is over, also for a task that could not tell its end: only figures stay in memory. */
  end(): void {
    for (const { meter } of this.#places) meter.end()
  }

  #remember(task: number, measurements: TaskMeasurements): void {
    const kept = this.#earlier.get(task) ?? []
    kept.push(measurements)
    if (kept.length > EARLIER_ATTEMPTS) kept.shift()
    this.#earlier.set(task, kept)
  }
}
