/** Cancels an application, which is one job here, with its id. Flink's ApplicationCancellationHandler. */
import { checkCancelEnabled } from '../asynchronous-answers.ts'
import { idParameter } from '../path-parameters.ts'
import { APPLICATION_NOT_FOUND, applicationNotFoundMessage, handlerRefusal } from '../refusals.ts'
import type { RestCluster } from '../rest-cluster.ts'
import type { RestAnswer, RestRequest, Route } from '../route.ts'
import { cancelled } from './cancel.ts'

export const applicationCancelRoutes: readonly Route[] = [
  { method: 'POST', path: '/applications/:applicationid/cancel', handle: cancel },
]

function cancel(request: RestRequest, cluster: RestCluster): RestAnswer {
  const id = idParameter(request, 'applicationid')
  const job = cluster.jobs.find(id)
  if (job === undefined) {
    const cause = `${APPLICATION_NOT_FOUND}: ${applicationNotFoundMessage(id)}`
    throw handlerRefusal(404, `Application could not be found.\nCaused by: ${cause}`)
  }
  checkCancelEnabled(cluster, 'Cancelling an application')
  return cancelled(job)
}
