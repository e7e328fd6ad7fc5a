/** One subtask of a vertex: its newest attempt, and those before that are remembered. */
import type { AttemptSnapshot, SubtaskSnapshot } from '../../runtime/execution-graph-snapshot.ts'
import { attemptId } from '../attempt-id.ts'
import { attemptDetails, type PlacedAttempt } from '../attempt-shapes.ts'
import { type JobLook, lookAt } from '../job-look.ts'
import { findVertex, idParameter, servedJob, wholeNumberParameter } from '../path-parameters.ts'
import { handlerRefusal } from '../refusals.ts'
import type { RestCluster } from '../rest-cluster.ts'
import { ok, type RestRequest, type Route } from '../route.ts'

const SUBTASK = '/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex'

interface AskedSubtask {
  readonly look: JobLook
  readonly vertexId: string
  /** Place in the graph. */
  readonly vertex: number
  readonly subtask: SubtaskSnapshot
}

/** GET /jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex, and below it /attempts/:attempt and its /accumulators. */
export const subtasksRoutes: readonly Route[] = [
  { method: 'GET', path: SUBTASK, handle: (request, cluster) => ok(newestAttempt(request, cluster)) },
  {
    method: 'GET',
    path: `${SUBTASK}/attempts/:attempt`,
    handle(request, cluster) {
      const { look, placed } = askedAttempt(request, cluster)
      return ok(attemptDetails(placed, look))
    },
  },
  {
    method: 'GET',
    path: `${SUBTASK}/attempts/:attempt/accumulators`,
    handle(request, cluster) {
      const { look, vertexId, placed } = askedAttempt(request, cluster)
      const { subtask, attempt } = placed
      const id = attemptId(look.graph.jobId, vertexId, subtask, attempt.attempt)
      return ok({ subtask, attempt: attempt.attempt, id, 'user-accumulators': [] })
    },
  },
]

function newestAttempt(request: RestRequest, cluster: RestCluster) {
  const { look, vertex, subtask } = askedSubtask(request, cluster)
  return attemptDetails({ vertex, subtask: subtask.index, attempt: subtask.current }, look)
}

function askedAttempt(request: RestRequest, cluster: RestCluster) {
  const wanted = wholeNumberParameter(request, 'attempt')
  const { look, vertexId, vertex, subtask } = askedSubtask(request, cluster)
  const attempt = attemptsOf(subtask).find((one) => one.attempt === wanted)
  if (attempt === undefined) throw handlerRefusal(404, `Invalid attempt num ${wanted}`)
  const placed: PlacedAttempt = { vertex, subtask: subtask.index, attempt }
  return { look, vertexId, placed }
}

function attemptsOf({ previous, current }: SubtaskSnapshot): readonly AttemptSnapshot[] {
  return [...previous, current]
}

function askedSubtask(request: RestRequest, cluster: RestCluster): AskedSubtask {
  const vertexId = idParameter(request, 'vertexid')
  const index = wholeNumberParameter(request, 'subtaskindex')
  const look = lookAt(servedJob(request, cluster), cluster)
  const { vertex, place } = findVertex(look.graph, vertexId)
  const subtask = vertex.subtasks.find((one) => one.index === index)
  if (subtask === undefined) throw handlerRefusal(404, `Invalid subtask index for vertex ${vertexId}`)
  return { look, vertexId, vertex: place, subtask }
}
