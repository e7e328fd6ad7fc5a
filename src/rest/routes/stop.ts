/** Ends a job with a savepoint. How that stands is asked for among the savepoints. Flink's StopWithSavepointHandler. */
import { checkCancelEnabled, onJob, triggered } from '../asynchronous-answers.ts'
import { idParameter } from '../path-parameters.ts'
import { BodyFields } from '../request-body.ts'
import type { RestCluster } from '../rest-cluster.ts'
import { accepted, type RestAnswer, type RestRequest, type Route } from '../route.ts'
import { savepointDirectory } from '../savepoint-directory.ts'
import { FORMAT_TYPE, FORMATS } from './savepoints.ts'

export const stopRoutes: readonly Route[] = [{ method: 'POST', path: '/jobs/:jobid/stop', handle: stop }]

async function stop(request: RestRequest, cluster: RestCluster): Promise<RestAnswer> {
  const jobId = idParameter(request, 'jobid')
  const body = new BodyFields(request, 'StopWithSavepointRequestBody')
  const drain = body.flag('drain')
  const formatType = body.choice('formatType', FORMATS, FORMAT_TYPE)
  const triggerId = body.id('triggerId') ?? cluster.ports.ids.jobId()
  const named = body.text('targetDirectory')
  checkCancelEnabled(cluster, 'Stopping a job')
  const served = cluster.jobs.find(jobId)
  const targetDirectory = await savepointDirectory(cluster, served, 'targetDirectory', named)
  const answer = triggered(cluster, { kind: 'savepoint', jobId, triggerId }, () =>
    onJob(jobId, served, (job) => job.stopWithSavepoint({ targetDirectory, formatType, drain })),
  )
  return accepted(answer)
}
