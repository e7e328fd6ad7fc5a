/** What a mini cluster knows of a job: its events so far, and whether something has come. */
import type { JobEvent, JobHandle } from '../runtime/job-handle.ts'

export class WatchedJob {
  readonly handle: JobHandle
  readonly events: JobEvent[] = []
  readonly #tasks: number
  /** By task, in its newest attempt: only those that restart begin a new one. */
  readonly #tasksSeen = new Map<string, { readonly attempt: number; readonly status: string }>()
  #conditions: (() => void)[] = []
  #ended = false

  /** `tasks`: how many subtasks the job has. */
  constructor(handle: JobHandle, tasks: number) {
    this.handle = handle
    this.#tasks = tasks
    handle.subscribe((event) => this.#see(event))
    const ended = () => {
      this.#ended = true
      this.#ask()
    }
    handle.result.then(ended, ended)
  }

  get ended(): boolean {
    return this.#ended
  }

  /** The job is RUNNING, and so is every task in its newest attempt, or it has finished. */
  get running(): boolean {
    const up = [...this.#tasksSeen.values()].filter(({ status }) => status === 'RUNNING' || status === 'FINISHED')
    return this.handle.status() === 'RUNNING' && up.length === this.#tasks
  }

  /** Resolves when it holds, or when the job has ended; asked after each event. */
  when(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const ask = () => {
        if (this.#ended || condition()) resolve()
        else this.#conditions.push(ask)
      }
      ask()
    })
  }

  #see(event: JobEvent): void {
    this.events.push(event)
    if (event.type === 'task.status') {
      const { vertex, subtask, attempt, status } = event
      const task = `${vertex}#${subtask}`
      if (attempt >= (this.#tasksSeen.get(task)?.attempt ?? 0)) this.#tasksSeen.set(task, { attempt, status })
    }
    this.#ask()
  }

  #ask(): void {
    const conditions = this.#conditions
    this.#conditions = []
    for (const ask of conditions) ask()
  }
}
