/** Savepoints that leave their job running or cancel it, and how each savepoint stands, of a stop too. Flink's SavepointHandlers. */
import { checkCancelEnabled, onJob, standing, triggered } from '../asynchronous-answers.ts'
import { fileLocation } from '../file-location.ts'
import { idParameter } from '../path-parameters.ts'
import { handlerRefusal } from '../refusals.ts'
import { BodyFields } from '../request-body.ts'
import type { RestCluster } from '../rest-cluster.ts'
import { accepted, type RestAnswer, type RestRequest, type Route } from '../route.ts'
import { savepointDirectory } from '../savepoint-directory.ts'

export const savepointsRoutes: readonly Route[] = [
  { method: 'POST', path: '/jobs/:jobid/savepoints', handle: trigger },
  { method: 'GET', path: '/jobs/:jobid/savepoints/:triggerid', handle: status },
]

/** What Flink's enum is called in refusals; STOP has it too. */
export const FORMAT_TYPE = 'org.apache.flink.core.execution.SavepointFormatType'
export const FORMATS = ['CANONICAL', 'NATIVE'] as const

async function trigger(request: RestRequest, cluster: RestCluster): Promise<RestAnswer> {
  const jobId = idParameter(request, 'jobid')
  const body = new BodyFields(request, 'SavepointTriggerRequestBody')
  const cancels = body.flag('cancel-job')
  const formatType = body.choice('formatType', FORMATS, FORMAT_TYPE)
  const triggerId = body.id('triggerId') ?? cluster.ports.ids.jobId()
  const named = body.text('target-directory')
  if (cancels) checkCancelEnabled(cluster, 'Cancelling a job')
  const served = cluster.jobs.find(jobId)
  const targetDirectory = await savepointDirectory(cluster, served, 'target-directory', named)
  const answer = triggered(cluster, { kind: 'savepoint', jobId, triggerId }, () =>
    onJob(jobId, served, (job) => {
      const wish = { targetDirectory, formatType }
      return cancels ? job.cancelWithSavepoint(wish) : job.triggerSavepoint(wish)
    }),
  )
  return accepted(answer)
}

function status(request: RestRequest, cluster: RestCluster): RestAnswer {
  const jobId = idParameter(request, 'jobid')
  const triggerId = idParameter(request, 'triggerid')
  const found = standing(
    cluster,
    { kind: 'savepoint', jobId, triggerId },
    {
      success: (path: string) => ({ location: fileLocation(path) }),
      failure: (failure) => ({ 'failure-cause': failure }),
    },
  )
  if (found === undefined)
    throw handlerRefusal(404, `There is no savepoint operation with triggerId=${triggerId} for job ${jobId}.`)
  return found
}
