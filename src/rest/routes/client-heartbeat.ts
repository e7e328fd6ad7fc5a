/**
 * A client that stays attached to its job says that it lives. Accepted, and of no effect: only what was submitted through
 * REST could be bound to the life of a client, and nothing is.
 */
import { servedJob } from '../path-parameters.ts'
import { BodyFields } from '../request-body.ts'
import type { RestCluster } from '../rest-cluster.ts'
import { accepted, type RestAnswer, type RestRequest, type Route } from '../route.ts'

export const clientHeartbeatRoutes: readonly Route[] = [
  { method: 'PATCH', path: '/jobs/:jobid/clientHeartbeat', handle: heartbeat },
]

function heartbeat(request: RestRequest, cluster: RestCluster): RestAnswer {
  new BodyFields(request, 'JobClientHeartbeatRequestBody').wholeNumber('expiredTimestamp')
  servedJob(request, cluster)
  return accepted({})
}
