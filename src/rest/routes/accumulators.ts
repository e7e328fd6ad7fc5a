/** Accumulators of a job, a vertex and its subtasks: there are none, and the dashboard asks for them on every page of a vertex. */
import { lookAt } from '../job-look.ts'
import { findVertex, idParameter, servedJob } from '../path-parameters.ts'
import { ok, type Route } from '../route.ts'

/** GET /jobs/:jobid/accumulators, /jobs/:jobid/vertices/:vertexid/accumulators and /subtasks/accumulators. */
export const accumulatorsRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/jobs/:jobid/accumulators',
    handle(request, cluster) {
      servedJob(request, cluster)
      return ok({ 'job-accumulators': [], 'user-task-accumulators': [], 'serialized-user-task-accumulators': {} })
    },
  },
  {
    method: 'GET',
    path: '/jobs/:jobid/vertices/:vertexid/accumulators',
    handle(request, cluster) {
      const id = idParameter(request, 'vertexid')
      findVertex(servedJob(request, cluster).executionGraph(), id)
      return ok({ id, 'user-accumulators': [] })
    },
  },
  {
    method: 'GET',
    path: '/jobs/:jobid/vertices/:vertexid/subtasks/accumulators',
    handle(request, cluster) {
      const id = idParameter(request, 'vertexid')
      const { graph, endpoint } = lookAt(servedJob(request, cluster), cluster)
      const { parallelism, subtasks } = findVertex(graph, id).vertex
      const shown = subtasks.map(({ index, current }) => {
        return { subtask: index, attempt: current.attempt, endpoint, 'user-accumulators': [] }
      })
      return ok({ id, parallelism, subtasks: shown })
    },
  },
]
