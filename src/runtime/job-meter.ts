/** Adds up what the metrics of a job tell: records over all attempts, back-pressure since the last look. Changes nothing. */
import type { Clock } from '../base/clock.ts'
import type { EventCounts } from './job-events.ts'
import type { JobEvent, JobMetrics } from './job-handle.ts'

interface Records {
  readonly recordsIn: number
  readonly recordsOut: number
}

/** What is read of a subtask in one attempt. */
export interface MeteredTask extends Records {
  /** How long it waited for credit of an output. */
  readonly backPressuredMs: number
}

interface Look {
  readonly atMs: number
  readonly waitedMs: ReadonlyMap<MeteredTask, number>
  readonly ratio: number
}

export class JobMeter {
  readonly #clock: Clock
  readonly #events: EventCounts
  readonly #counts: Record<string, number> = {}
  #tasks: () => readonly MeteredTask[] = () => []
  #current: readonly MeteredTask[] = []
  /** Of tasks in attempts that are gone. */
  #earlier: Records = { recordsIn: 0, recordsOut: 0 }
  /** `waitedMs`: how long each task had waited by then. */
  #looked: Look = { atMs: 0, waitedMs: new Map(), ratio: 0 }
  #runningSinceMs: number | undefined

  constructor(clock: Clock, events: EventCounts) {
    this.#clock = clock
    this.#events = events
  }

  watch(tasks: () => readonly MeteredTask[]): void {
    this.#tasks = tasks
  }

  see(event: JobEvent): void {
    if (event.type !== 'job.status' || event.status !== 'RUNNING') return
    this.#runningSinceMs ??= this.#clock.monotonic()
    // The tasks that restart are about to be replaced; their counts stay.
    this.#lookAtTasks()
  }

  count(name: string, added: number): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + added
  }

  /** From the first RUNNING until now. */
  netRuntimeMs(): number {
    return this.#runningSinceMs === undefined ? 0 : this.#clock.monotonic() - this.#runningSinceMs
  }

  metrics(): JobMetrics {
    const tasks = this.#lookAtTasks()
    return {
      ...summed(tasks, this.#earlier),
      ...this.#events,
      backPressuredRatio: this.#backPressure(tasks),
      counts: { ...this.#counts },
    }
  }

  #lookAtTasks(): readonly MeteredTask[] {
    const tasks = this.#tasks()
    if (tasks !== this.#current) {
      const replaced = this.#current.filter((task) => !tasks.includes(task))
      this.#earlier = summed(replaced, this.#earlier)
      this.#current = tasks
    }
    return tasks
  }

  /** Of the subtask that waited longest since the last look. Two looks at one instant tell the same. */
  #backPressure(tasks: readonly MeteredTask[]): number {
    const atMs = this.#clock.monotonic()
    const before = this.#looked
    const spanMs = atMs - before.atMs
    if (spanMs <= 0) return before.ratio
    const waitedMs = new Map(tasks.map((task) => [task, task.backPressuredMs]))
    const longestMs = Math.max(0, ...[...waitedMs].map(([task, ms]) => ms - (before.waitedMs.get(task) ?? 0)))
    const ratio = Math.min(1, longestMs / spanMs)
    this.#looked = { atMs, waitedMs, ratio }
    return ratio
  }
}

function summed(tasks: readonly MeteredTask[], earlier: Records): Records {
  return tasks.reduce(
    (sum, task) => ({ recordsIn: sum.recordsIn + task.recordsIn, recordsOut: sum.recordsOut + task.recordsOut }),
    earlier,
  )
}
