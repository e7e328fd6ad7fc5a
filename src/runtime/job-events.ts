/** Hands the events of a job to whoever listens, and counts what the metrics tell of them. */
import type { JobEvent } from './job-handle.ts'

export interface EventCounts {
  lastCheckpointId: number | undefined
  lastCheckpointDurationMs: number | undefined
  lastCheckpointProcessedBytes: number | undefined
  lastCheckpointPersistedBytes: number | undefined
  completedCheckpoints: number
  failedCheckpoints: number
  restarts: number
}

export class JobEvents {
  readonly counts: EventCounts = {
    lastCheckpointId: undefined,
    lastCheckpointDurationMs: undefined,
    lastCheckpointProcessedBytes: undefined,
    lastCheckpointPersistedBytes: undefined,
    completedCheckpoints: 0,
    failedCheckpoints: 0,
    restarts: 0,
  }
  readonly #listeners = new Set<(event: JobEvent) => void>()

  subscribe(listener: (event: JobEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  emit(event: JobEvent): void {
    this.#count(event)
    for (const listener of [...this.#listeners]) {
      try {
        listener(event)
      } catch {
        // A listener watches; what it throws must not change the job.
      }
    }
  }

  /** Nothing follows. */
  end(): void {
    this.#listeners.clear()
  }

  #count(event: JobEvent): void {
    if (event.type === 'checkpoint.completed') {
      this.counts.lastCheckpointId = event.checkpointId
      this.counts.lastCheckpointDurationMs = event.durationMs
      this.counts.lastCheckpointProcessedBytes = event.processedBytes
      this.counts.lastCheckpointPersistedBytes = event.persistedBytes
      this.counts.completedCheckpoints++
    } else if (event.type === 'checkpoint.aborted' && event.checkpointId !== undefined) this.counts.failedCheckpoints++
    else if (event.type === 'restart.scheduled') this.counts.restarts++
  }
}
