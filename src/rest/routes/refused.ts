/** What Flink does on request and a process that runs its own jobs does not: take jobs, end itself, delete data sets. */
import { idParameter, servedJob } from '../path-parameters.ts'
import { handlerRefusal, notFound, serverRefusal } from '../refusals.ts'
import { BodyFields } from '../request-body.ts'
import type { RestCluster } from '../rest-cluster.ts'
import type { RestRequest, Route } from '../route.ts'

export const refusedRoutes: readonly Route[] = [
  { method: 'POST', path: '/jobs', body: 'ignored', handle: submit },
  { method: 'DELETE', path: '/cluster', body: 'ignored', handle: shutDown },
  { method: 'DELETE', path: '/datasets/:datasetid', body: 'ignored', handle: deleteDataSet },
  { method: 'POST', path: '/jobs/:jobid/coordinators/:operatorUid', handle: coordinate },
]

function submit(): never {
  const why = 'No jobs are taken over REST: a program runs its own, for one with `millrace run`.'
  throw handlerRefusal(400, `The jobGraphFileName field must not be omitted or be null. ${why}`)
}

function shutDown(): never {
  throw handlerRefusal(
    403,
    'The process belongs to the program that runs the jobs, and ends when that does. Cancel or stop the jobs.',
  )
}

function deleteDataSet(request: RestRequest): never {
  throw notFound(`Cluster data set ${idParameter(request, 'datasetid')} not found`)
}

function coordinate(request: RestRequest, cluster: RestCluster): never {
  new BodyFields(request, 'ClientCoordinationRequestBody').text('serializedCoordinationRequest')
  servedJob(request, cluster)
  throw serverRefusal(
    'org.apache.flink.util.FlinkException',
    'No operator here has a coordinator that clients can speak to.',
  )
}
