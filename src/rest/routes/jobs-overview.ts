/** The jobs of the process: their ids, and the list that the command line and the dashboard show. */
import { jobOverview } from '../job-shapes.ts'
import type { RestCluster } from '../rest-cluster.ts'
import { ok, type Route } from '../route.ts'

/** GET /jobs, /jobs/overview: newest first. */
export const jobsOverviewRoutes: readonly Route[] = [
  { method: 'GET', path: '/jobs', handle: (_, cluster) => ok({ jobs: newestFirst(cluster).map(jobId) }) },
  { method: 'GET', path: '/jobs/overview', handle: (_, cluster) => ok({ jobs: overviews(cluster) }) },
]

function jobId(job: { readonly jobId: string; status(): string }) {
  return { id: job.jobId, status: job.status() }
}

function overviews(cluster: RestCluster) {
  const nowMs = cluster.ports.clock.now()
  return newestFirst(cluster).map((job) => jobOverview(job.executionGraph(), nowMs))
}

function newestFirst(cluster: RestCluster) {
  return cluster.jobs.all().toReversed()
}
