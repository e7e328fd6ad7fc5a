/** The subtasks of a job as the job's side sees them: their places, their names and what they last told of their state. */
import type { JobGraph } from '../graph/job-graph.ts'
import type { TaskStatus } from './job-handle.ts'
import { tasksOf } from './restore-assignment.ts'

export interface TaskView {
  readonly vertex: number
  readonly subtask: number
  /** `count (1/4)`, unique within the job. */
  readonly name: string
  state: TaskStatus
}

export class TaskViews {
  readonly all: readonly TaskView[]
  readonly #numbers: ReadonlyMap<string, number>

  constructor(graph: JobGraph) {
    this.all = tasksOf(graph).map((place) => ({ ...place, state: 'CREATED' }))
    this.#numbers = new Map(this.all.map(({ name }, number) => [name, number]))
  }

  view(task: number): TaskView {
    return this.all[task] as TaskView
  }

  /** Of the name that `view(number).name` gives. */
  number(name: string): number {
    return this.#numbers.get(name) as number
  }

  numberAt(vertex: number, subtask: number): number {
    return this.all.findIndex((view) => view.vertex === vertex && view.subtask === subtask)
  }

  deployed(tasks: Iterable<number>): void {
    for (const task of tasks) this.view(task).state = 'SCHEDULED'
  }
}
