/** Rescaling history of the adaptive scheduler, which no job here has: what Flink says of a job with the default scheduler. */
import { servedJob } from '../path-parameters.ts'
import { handlerRefusal, refusal } from '../refusals.ts'
import type { RestFailure, Route } from '../route.ts'

const UNAVAILABLE = 'org.apache.flink.runtime.rest.handler.job.rescales.RescalesUnavailableException'

/** GET below /jobs/:jobid/rescales: 404 each. */
export const rescalesRoutes: readonly Route[] = [
  refusing('config', (jobId) => handlerRefusal(404, `AdaptiveScheduler is not enabled for this job (${jobId}).`)),
  refusing('overview', unavailable),
  refusing('history', unavailable),
  refusing('summary', unavailable),
  refusing('details/:rescaleuuid', unavailable),
]

function refusing(what: string, refused: (jobId: string) => RestFailure): Route {
  return {
    method: 'GET',
    path: `/jobs/:jobid/rescales/${what}`,
    handle(request, cluster) {
      throw refused(servedJob(request, cluster).jobId)
    },
  }
}

function unavailable(jobId: string): RestFailure {
  const why = `The job \`${jobId}\` has not enabled the \`Adaptive\` scheduler, or it has been enabled but the value of`
  const option =
    'configuration option `web.adaptive-scheduler.rescale-history.size` has not been set to greater than `0`.'
  return refusal(404, UNAVAILABLE, `${why} ${option}`)
}
