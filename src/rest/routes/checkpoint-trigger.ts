/** Checkpoints that somebody asks for, and how they stand. Flink's CheckpointHandlers. */
import { onJob, standing, triggered } from '../asynchronous-answers.ts'
import { idParameter } from '../path-parameters.ts'
import { handlerRefusal, serverRefusal } from '../refusals.ts'
import { BodyFields } from '../request-body.ts'
import type { RestCluster } from '../rest-cluster.ts'
import { accepted, type RestAnswer, type RestRequest, type Route } from '../route.ts'

export const checkpointTriggerRoutes: readonly Route[] = [
  { method: 'POST', path: '/jobs/:jobid/checkpoints', handle: trigger },
  { method: 'GET', path: '/jobs/:jobid/checkpoints/:triggerid', handle: status },
]

const TYPE = 'org.apache.flink.core.execution.CheckpointType'
const TYPES = ['INCREMENTAL', 'CONFIGURED', 'FULL'] as const

function trigger(request: RestRequest, cluster: RestCluster): RestAnswer {
  const jobId = idParameter(request, 'jobid')
  const body = new BodyFields(request, 'CheckpointTriggerRequestBody')
  const type = body.choice('checkpointType', TYPES, TYPE) ?? 'CONFIGURED'
  const triggerId = body.id('triggerId') ?? cluster.ports.ids.jobId()
  if (type === 'INCREMENTAL')
    throw serverRefusal(
      'java.lang.IllegalStateException',
      'Flink does not support triggering incremental checkpoint explicitly. See FLINK-33723.',
    )
  const served = cluster.jobs.find(jobId)
  const answer = triggered(cluster, { kind: 'checkpoint', jobId, triggerId }, () =>
    onJob(jobId, served, (job) => job.triggerCheckpoint({ type })),
  )
  return accepted(answer)
}

function status(request: RestRequest, cluster: RestCluster): RestAnswer {
  const jobId = idParameter(request, 'jobid')
  const triggerId = idParameter(request, 'triggerid')
  const found = standing(
    cluster,
    { kind: 'checkpoint', jobId, triggerId },
    {
      success: (checkpointId: number) => ({ checkpointId }),
      // Not as savepoints have it.
      failure: (failureCause) => ({ failureCause }),
    },
  )
  if (found === undefined)
    throw handlerRefusal(404, `There is no checkpoint operation with triggerId=${triggerId} for job ${jobId}.`)
  return found
}
