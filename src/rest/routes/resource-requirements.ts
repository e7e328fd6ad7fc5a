/** A change of parallelism while the job runs: refused as Flink's default scheduler does, after the request was checked as Flink does. */
import type { JobHandle } from '../../runtime/job-handle.ts'
import { idParameter } from '../path-parameters.ts'
import { handlerRefusal, serverRefusal, unknownToDispatcher } from '../refusals.ts'
import type { RestCluster } from '../rest-cluster.ts'
import type { RestFailure, RestRequest, Route } from '../route.ts'

const ID = /^[0-9a-f]{32}$/i

/** GET and PUT /jobs/:jobid/resource-requirements. */
export const resourceRequirementsRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/jobs/:jobid/resource-requirements',
    handle(request, cluster) {
      knownJob(request, cluster)
      throw notAdaptive()
    },
  },
  {
    method: 'PUT',
    path: '/jobs/:jobid/resource-requirements',
    handle(request, cluster) {
      const named = namedVertices(request.body)
      const { vertices } = knownJob(request, cluster).executionGraph()
      const missing = vertices.filter(({ id }) => !named.has(id))
      if (missing.length > 0) throw incomplete(missing.map(({ id }) => id))
      throw notAdaptive()
    },
  },
]

function knownJob(request: RestRequest, cluster: RestCluster): JobHandle {
  const jobId = idParameter(request, 'jobid')
  const job = cluster.jobs.find(jobId)
  if (job === undefined) throw unknownToDispatcher(jobId)
  return job
}

function namedVertices(body: unknown): ReadonlySet<string> {
  if (!isObject(body) || !Object.entries(body).every(([id, one]) => ID.test(id) && isRequirement(one)))
    throw handlerRefusal(400, 'Request did not match expected format JobResourceRequirementsBody.')
  const ids = Object.keys(body)
  if (ids.length === 0) throw handlerRefusal(400, 'Request body does not specify resource requirements.')
  return new Set(ids.map((id) => id.toLowerCase()))
}

function isRequirement(value: unknown): boolean {
  const parallelism = isObject(value) ? value.parallelism : undefined
  return isObject(parallelism) && isBound(parallelism.lowerBound) && isBound(parallelism.upperBound)
}

/** One that is left out is the default. */
function isBound(value: unknown): boolean {
  return value === undefined || Number.isInteger(value)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function incomplete(ids: readonly string[]): RestFailure {
  const lines = ids.map((id) => `The request is incomplete, missing job vertex [${id}] resource requirements.`)
  return handlerRefusal(400, lines.join('\n'))
}

function notAdaptive(): RestFailure {
  const what = 'The DefaultScheduler does not support changing the parallelism without a job restart.'
  const who = 'This feature is currently only expected to work with the AdaptiveScheduler.'
  return serverRefusal('java.lang.UnsupportedOperationException', `${what} ${who}`)
}
