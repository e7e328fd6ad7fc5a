/** Applications, which Flink 2.3 has above jobs: each job is one of its own, under the job's id. The dashboard starts with them. */
import type { ExecutionGraphSnapshot, JobStatus } from '../../runtime/job-handle.ts'
import { clusterConfiguration } from '../cluster-configuration.ts'
import { jobOverview, jobTimes } from '../job-shapes.ts'
import { timestampsOf } from '../job-states.ts'
import { idParameter } from '../path-parameters.ts'
import { APPLICATION_NOT_FOUND, applicationNotFoundMessage, serverRefusal } from '../refusals.ts'
import type { RestCluster } from '../rest-cluster.ts'
import { ok, type RestRequest, type Route } from '../route.ts'

const APPLICATION_STATES = ['CREATED', 'RUNNING', 'FAILING', 'FAILED', 'CANCELING', 'CANCELED', 'FINISHED'] as const

/** An application does not know the finer ones. SUSPENDED: this process does no more for it. */
const STATE_OF: Readonly<Record<JobStatus, (typeof APPLICATION_STATES)[number]>> = {
  INITIALIZING: 'RUNNING',
  CREATED: 'RUNNING',
  RUNNING: 'RUNNING',
  RESTARTING: 'RUNNING',
  FAILING: 'FAILING',
  FAILED: 'FAILED',
  CANCELLING: 'CANCELING',
  CANCELED: 'CANCELED',
  SUSPENDED: 'CANCELED',
  FINISHED: 'FINISHED',
}

/** GET /applications/overview, /applications/:applicationid, and below it /exceptions and /jobmanager/config. */
export const applicationsRoutes: readonly Route[] = [
  { method: 'GET', path: '/applications/overview', handle: (_, cluster) => ok({ applications: overviews(cluster) }) },
  {
    method: 'GET',
    path: '/applications/:applicationid',
    handle: (request, cluster) => ok(details(asked(request, cluster), cluster.ports.clock.now())),
  },
  {
    method: 'GET',
    path: '/applications/:applicationid/exceptions',
    handle(request, cluster) {
      asked(request, cluster)
      // Those of the program around the job. What the job failed of is its own.
      return ok({ exceptionHistory: { entries: [] } })
    },
  },
  {
    method: 'GET',
    path: '/applications/:applicationid/jobmanager/config',
    handle: (request, cluster) => ok(clusterConfiguration(cluster, asked(request, cluster).configuration.written)),
  },
]

function overviews(cluster: RestCluster) {
  const nowMs = cluster.ports.clock.now()
  const graphs = cluster.jobs.all().map((job) => job.executionGraph())
  return graphs.toReversed().map((graph) => ({ ...application(graph, nowMs), jobs: { [graph.status]: 1 } }))
}

function details(graph: ExecutionGraphSnapshot, nowMs: number) {
  const { statusAtMs } = graph
  return {
    ...application(graph, nowMs),
    timestamps: timestampsOf(APPLICATION_STATES, {
      ...statusAtMs,
      CREATED: graph.startedAtMs,
      RUNNING: graph.startedAtMs,
      CANCELING: statusAtMs.CANCELLING,
      CANCELED: statusAtMs.CANCELED ?? statusAtMs.SUSPENDED,
    }),
    jobs: [jobOverview(graph, nowMs)],
  }
}

function application(graph: ExecutionGraphSnapshot, nowMs: number) {
  return {
    id: graph.jobId,
    name: `SingleJobApplication(${graph.jobName})`,
    ...jobTimes(graph, nowMs),
    status: STATE_OF[graph.status],
  }
}

/** As Flink, 500 for an unknown one. */
function asked(request: RestRequest, cluster: RestCluster): ExecutionGraphSnapshot {
  const id = idParameter(request, 'applicationid')
  const job = cluster.jobs.find(id)
  if (job === undefined) throw serverRefusal(APPLICATION_NOT_FOUND, applicationNotFoundMessage(id))
  return job.executionGraph()
}
