/** The old way to change the parallelism of a job, which Flink has switched off for good. */
import { idParameter } from '../path-parameters.ts'
import { handlerRefusal } from '../refusals.ts'
import type { RestRequest, Route } from '../route.ts'

export const rescalingRoutes: readonly Route[] = [
  { method: 'PATCH', path: '/jobs/:jobid/rescaling', handle: refuse },
  { method: 'GET', path: '/jobs/:jobid/rescaling/:triggerid', handle: refuse },
]

function refuse(request: RestRequest): never {
  idParameter(request, 'jobid')
  throw handlerRefusal(503, 'Rescaling is temporarily disabled. See FLINK-12312.')
}
