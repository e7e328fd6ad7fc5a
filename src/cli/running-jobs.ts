/** The jobs of one run: shows them while they run, and knows how each has ended. It starts and decides nothing. */
import type { Clock, Timer } from '../base/clock.ts'
import type { RunningJob, RunningJobMetrics } from '../base/run-context.ts'
import { endingOf, type JobEnding } from './exit-code.ts'
import type { Reporter } from './reporter.ts'
import { ratesBetween } from './status-line.ts'

const SAMPLE_EVERY_MS = 1000

interface Watched {
  readonly job: RunningJob
  look: { readonly atMs: number; readonly metrics: RunningJobMetrics }
  readonly ended: Promise<void>
}

export class RunningJobs {
  readonly #clock: Clock
  readonly #reporter: Reporter
  readonly #running = new Set<Watched>()
  readonly #endings: JobEnding[] = []
  #timer: Timer | undefined
  #announce: () => void = () => {}

  constructor(clock: Clock, reporter: Reporter) {
    this.#clock = clock
    this.#reporter = reporter
  }

  /** How the jobs that have ended did so, in that order. */
  get endings(): readonly JobEnding[] {
    return this.#endings
  }

  get running(): readonly RunningJob[] {
    return [...this.#running].map(({ job }) => job)
  }

  add(job: RunningJob): void {
    this.#reporter.jobStarted(job)
    const stopListening = job.subscribe((event) => this.#reporter.event(job, event))
    const ended = job.result
      .then(
        ({ netRuntimeMs }) => this.#end(watched, 'finished', undefined, netRuntimeMs),
        (failure) => this.#end(watched, endingOf(failure), failure, undefined),
      )
      .finally(stopListening)
    const watched: Watched = { job, look: this.#lookAt(job), ended }
    this.#running.add(watched)
    this.#timer ??= this.#sampleLater()
    this.#announce()
  }

  /** Settles when no job runs; at once when there is none. */
  async allEnded(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running].map(({ ended }) => ended))
  }

  /** Calls at the next job that is added, once. The returned function takes it back. */
  onNextStarted(announce: () => void): () => void {
    this.#announce = announce
    return () => {
      this.#announce = () => {}
    }
  }

  #end(watched: Watched, ending: JobEnding, failure: unknown, netRuntimeMs: number | undefined): void {
    this.#running.delete(watched)
    this.#endings.push(ending)
    if (ending === 'failed') this.#reporter.error(failure)
    this.#reporter.jobEnded(watched.job, ending, netRuntimeMs)
    if (this.#running.size > 0) return
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #sampleLater(): Timer {
    return this.#clock.setTimer(SAMPLE_EVERY_MS, () => {
      this.#reporter.sampled([...this.#running].map((watched) => this.#sample(watched)))
      this.#timer = this.#sampleLater()
    })
  }

  #sample(watched: Watched) {
    const { job, look: before } = watched
    const now = this.#lookAt(job)
    watched.look = now
    const rates = ratesBetween(before, now)
    return { jobId: job.jobId, jobName: job.jobName, status: job.status(), metrics: now.metrics, ...rates }
  }

  #lookAt(job: RunningJob) {
    return { atMs: this.#clock.monotonic(), metrics: job.metrics() }
  }
}
