/** What a mini cluster knows of a job: its events so far, and whether something has come. */
import type { JobEvent, JobHandle } from '../runtime/job-handle.ts'

export class WatchedJob {
  readonly handle: JobHandle
  readonly events: JobEvent[] = []
  readonly #tasks: number
  /** Of the newest attempt, by task. */
  readonly #statuses = new Map<string, string>()
  #attempt = -1
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

  /** The job is RUNNING, and every task of the newest attempt is, or has finished. */
  get running(): boolean {
    const up = [...this.#statuses.values()].filter((status) => status === 'RUNNING' || status === 'FINISHED')
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
      if (event.attempt > this.#attempt) this.#statuses.clear()
      this.#attempt = Math.max(this.#attempt, event.attempt)
      if (event.attempt === this.#attempt) this.#statuses.set(`${event.vertex}#${event.subtask}`, event.status)
    }
    this.#ask()
  }

  #ask(): void {
    const conditions = this.#conditions
    this.#conditions = []
    for (const ask of conditions) ask()
  }
}
