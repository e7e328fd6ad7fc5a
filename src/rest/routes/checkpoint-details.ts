/** One checkpoint of a job: what each vertex did for it, and each subtask. */
import type { CheckpointStatisticsSnapshot } from '../../runtime/job-handle.ts'
import { checkpointDetails, checkpointOfVertex } from '../checkpoint-shapes.ts'
import { idParameter, servedJob, wholeNumberParameter } from '../path-parameters.ts'
import { handlerRefusal, notFound } from '../refusals.ts'
import type { RestCluster } from '../rest-cluster.ts'
import { ok, type RestRequest, type Route } from '../route.ts'

/** GET /jobs/:jobid/checkpoints/details/:checkpointid, and below it /subtasks/:vertexid. */
export const checkpointDetailsRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/jobs/:jobid/checkpoints/details/:checkpointid',
    handle: (request, cluster) => ok(checkpointDetails(rememberedCheckpoint(request, cluster))),
  },
  {
    method: 'GET',
    path: '/jobs/:jobid/checkpoints/details/:checkpointid/subtasks/:vertexid',
    handle: (request, cluster) => ok(subtasksOf(request, cluster)),
  },
]

function subtasksOf(request: RestRequest, cluster: RestCluster) {
  const vertexId = idParameter(request, 'vertexid')
  const checkpoint = rememberedCheckpoint(request, cluster)
  const vertex = checkpoint.vertices.find(({ id }) => id === vertexId)
  if (vertex === undefined) throw notFound(`There is no checkpoint statistics for task ${vertexId}.`)
  return checkpointOfVertex(checkpoint, vertex)
}

function rememberedCheckpoint(request: RestRequest, cluster: RestCluster) {
  const wanted = wholeNumberParameter(request, 'checkpointid')
  const checkpoint = remembered(servedJob(request, cluster).checkpoints()).find(
    ({ checkpointId }) => checkpointId === wanted,
  )
  if (checkpoint === undefined)
    throw handlerRefusal(404, `Could not find checkpointing statistics for checkpoint ${wanted}.`)
  return checkpoint
}

/** The newest ones of a kind stay when the history has let go of them. */
function remembered({ history, latest }: CheckpointStatisticsSnapshot) {
  return [...history, latest.completed, latest.savepoint, latest.failed].filter((one) => one !== null)
}
