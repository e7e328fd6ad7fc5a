/** The jobs of the process, those that have ended too: oldest first. Of those that have ended it keeps the last hundred. */
import { isOver, rememberedJob } from '../api/ended-job.ts'
import type { JobHandle } from '../runtime/job-handle.ts'

/** How many ended jobs stay visible. */
const MOST_ENDED = 100

export class ServedJobs {
  #jobs: readonly JobHandle[] = []

  /** A job of the same id that has ended gives way. */
  add(job: JobHandle): void {
    this.#jobs = [...this.#jobs.filter(({ jobId }) => jobId !== job.jobId), job]
    const ended = this.#jobs.filter((one) => isOver(one.status()))
    const forgotten = new Set(ended.slice(0, Math.max(0, ended.length - MOST_ENDED)))
    this.#jobs = this.#jobs.filter((one) => !forgotten.has(one))
  }

  /** Told when its result has settled: of a job that is over stays what can be told of it. */
  ended(job: JobHandle): void {
    if (this.#jobs.includes(job)) this.#jobs = this.#jobs.map((one) => (one === job ? rememberedJob(job) : one))
  }

  all(): readonly JobHandle[] {
    return this.#jobs
  }

  /** Lower case. */
  find(jobId: string): JobHandle | undefined {
    return this.#jobs.find((job) => job.jobId === jobId)
  }
}
