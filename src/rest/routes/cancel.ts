/** Cancels a job and does not wait for its end: by PATCH, and by the two GETs of Flink's dashboard. Flink's JobCancellationHandler. */
import { isOver } from '../../api/ended-job.ts'
import { takeNoNotice } from '../../base/unawaited.ts'
import type { JobHandle } from '../../runtime/job-handle.ts'
import { checkCancelEnabled } from '../asynchronous-answers.ts'
import { idParameter } from '../path-parameters.ts'
import { handlerRefusal, JOB_NOT_FOUND, jobNotFoundMessage, unreadable } from '../refusals.ts'
import type { RestCluster } from '../rest-cluster.ts'
import { accepted, type RestAnswer, type RestRequest, type Route } from '../route.ts'

export const cancelRoutes: readonly Route[] = [
  { method: 'PATCH', path: '/jobs/:jobid', handle: cancelOrStop },
  { method: 'GET', path: '/jobs/:jobid/yarn-cancel', mutates: true, handle: cancel },
  // Changes nothing, whoever sends it.
  { method: 'GET', path: '/jobs/:jobid/yarn-stop', handle: stop },
]

const STOP_IS_GONE =
  'The termination mode "stop" has been removed. For an ungraceful shutdown, please use "cancel" instead. For a graceful shutdown, please use "jobs/:jobId/stop" instead.'

function cancelOrStop(request: RestRequest, cluster: RestCluster): RestAnswer {
  idParameter(request, 'jobid')
  const mode = request.query.get('mode') ?? 'cancel'
  if (mode.toLowerCase() === 'stop') return stop(request)
  if (mode.toLowerCase() !== 'cancel') throw unreadable('query', 'mode', mode)
  return cancel(request, cluster)
}

function cancel(request: RestRequest, cluster: RestCluster): RestAnswer {
  const jobId = idParameter(request, 'jobid')
  const job = cluster.jobs.find(jobId)
  if (job === undefined)
    throw handlerRefusal(404, `Job could not be found.\nCaused by: ${JOB_NOT_FOUND}: ${jobNotFoundMessage(jobId)}`)
  checkCancelEnabled(cluster, 'Cancelling a job')
  return cancelled(job)
}

/** 202; of a job that has ended otherwise, 409. */
export function cancelled(job: JobHandle): RestAnswer {
  const status = job.status()
  if (isOver(status) && status !== 'CANCELED')
    throw handlerRefusal(
      409,
      `Job cancellation failed because the job has already reached another terminal state (${status}).`,
    )
  takeNoNotice(job.cancel())
  return accepted({})
}

function stop(request: RestRequest): never {
  idParameter(request, 'jobid')
  throw handlerRefusal(308, STOP_IS_GONE)
}
