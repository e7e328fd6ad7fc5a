/** One job: its page in the dashboard, and its status alone. */
import { type JobLook, lookAt } from '../job-look.ts'
import { jobTimes } from '../job-shapes.ts'
import { countsOf, JOB_STATES, timestampsOf } from '../job-states.ts'
import { idParameter, servedJob } from '../path-parameters.ts'
import { planOf } from '../plan-shape.ts'
import { unknownToDispatcher } from '../refusals.ts'
import type { RestCluster } from '../rest-cluster.ts'
import { ok, type RestRequest, type Route } from '../route.ts'
import { vertexOverview } from '../vertex-shapes.ts'

/** GET /jobs/:jobid and /jobs/:jobid/status. */
export const jobDetailsRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/jobs/:jobid',
    handle: (request, cluster) => ok(jobDetails(lookAt(servedJob(request, cluster), cluster))),
  },
  { method: 'GET', path: '/jobs/:jobid/status', handle: (request, cluster) => ok(jobStatus(request, cluster)) },
]

function jobDetails(look: JobLook) {
  const { graph, nowMs } = look
  const vertices = graph.vertices.map((vertex, place) => vertexOverview({ vertex, place }, look))
  return {
    jid: graph.jobId,
    // Each job is an application of its own, under the same id.
    'application-id': graph.jobId,
    name: graph.jobName,
    isStoppable: false,
    state: graph.status,
    'job-type': 'STREAMING',
    schedulerType: 'Default',
    ...jobTimes(graph, nowMs),
    maxParallelism: graph.vertices.reduce((most, { maxParallelism }) => Math.max(most, maxParallelism), -1),
    now: nowMs,
    timestamps: timestampsOf(JOB_STATES, graph.statusAtMs),
    vertices,
    'status-counts': countsOf(vertices.map(({ status }) => status)),
    plan: planOf(graph),
    'pending-operators': 0,
  }
}

/** As it is now; the graph may be a moment older. */
function jobStatus(request: RestRequest, cluster: RestCluster) {
  const jobId = idParameter(request, 'jobid')
  const job = cluster.jobs.find(jobId)
  if (job === undefined) throw unknownToDispatcher(jobId)
  return { status: job.status() }
}
