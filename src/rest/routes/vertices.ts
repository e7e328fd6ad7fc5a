/** One vertex of a job: its subtasks, their times, and the task manager that they run on. */
import { attemptDetails } from '../attempt-shapes.ts'
import { elapsedMs } from '../elapsed.ts'
import { type JobLook, lookAt } from '../job-look.ts'
import { countsOf, statusOfVertex, TASK_STATES, timestampsOf } from '../job-states.ts'
import { findJobVertex, findVertex, idParameter, type PlacedVertex, servedJob } from '../path-parameters.ts'
import type { RestCluster } from '../rest-cluster.ts'
import { ok, type RestRequest, type Route } from '../route.ts'
import { aggregated, currentAttempts, ioTotalsOf, vertexTimes } from '../vertex-shapes.ts'

/** GET /jobs/:jobid/vertices/:vertexid, and below it /subtasktimes and /taskmanagers. */
export const verticesRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/jobs/:jobid/vertices/:vertexid',
    handle: (request, cluster) => ok(answered(request, cluster, findJobVertex, vertexDetails)),
  },
  {
    method: 'GET',
    path: '/jobs/:jobid/vertices/:vertexid/subtasktimes',
    handle: (request, cluster) => ok(answered(request, cluster, findVertex, subtaskTimes)),
  },
  {
    method: 'GET',
    path: '/jobs/:jobid/vertices/:vertexid/taskmanagers',
    handle: (request, cluster) => ok(answered(request, cluster, findJobVertex, taskManagers)),
  },
]

function answered(
  request: RestRequest,
  cluster: RestCluster,
  find: typeof findVertex,
  answer: (placed: PlacedVertex, look: JobLook) => unknown,
): unknown {
  const vertexId = idParameter(request, 'vertexid')
  const look = lookAt(servedJob(request, cluster), cluster)
  return answer(find(look.graph, vertexId), look)
}

function vertexDetails(placed: PlacedVertex, look: JobLook) {
  const { id, name, parallelism, maxParallelism } = placed.vertex
  const attempts = currentAttempts(placed)
  return {
    id,
    name,
    parallelism,
    maxParallelism,
    now: look.nowMs,
    subtasks: attempts.map((one) => attemptDetails(one, look)),
    aggregated: aggregated(attempts, look),
  }
}

function subtaskTimes(placed: PlacedVertex, look: JobLook) {
  const { id, name } = placed.vertex
  const subtasks = currentAttempts(placed).map(({ subtask, attempt }) => {
    const { statusAtMs, endedAtMs } = attempt
    const scheduledMs = statusAtMs.SCHEDULED
    return {
      subtask,
      endpoint: look.endpoint,
      duration: scheduledMs === undefined ? -1 : elapsedMs(scheduledMs, endedAtMs ?? look.nowMs),
      timestamps: timestampsOf(TASK_STATES, statusAtMs),
    }
  })
  return { id, name, now: look.nowMs, subtasks }
}

/** One entry: all subtasks run on the same. */
function taskManagers(placed: PlacedVertex, look: JobLook) {
  const { id, name } = placed.vertex
  const attempts = currentAttempts(placed)
  const statuses = attempts.map(({ attempt }) => attempt.status)
  const one = {
    endpoint: look.endpoint,
    status: statusOfVertex(statuses),
    ...vertexTimes(attempts, look.nowMs),
    metrics: ioTotalsOf(attempts, look),
    'status-counts': countsOf(statuses),
    'taskmanager-id': look.taskManagerId,
    aggregated: aggregated(attempts, look),
  }
  return { id, name, now: look.nowMs, taskmanagers: [one] }
}
