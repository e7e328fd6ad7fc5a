/** Flame graphs are what Flink answers where they are switched off: a sample of one thread would show all tasks at once. */
import { findVertex, idParameter, queryValues, servedJob, wholeNumberQuery } from '../path-parameters.ts'
import { unreadable } from '../refusals.ts'
import { ok, type Route } from '../route.ts'

const TYPES = ['full', 'on_cpu', 'off_cpu']
/** Flink's sign for the dashboard: switched off. */
const SWITCHED_OFF = -2

export const flamegraphRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/jobs/:jobid/vertices/:vertexid/flamegraph',
    handle(request, cluster) {
      const vertexId = idParameter(request, 'vertexid')
      wholeNumberQuery(request, 'subtaskindex')
      for (const type of queryValues(request, 'type'))
        if (!TYPES.includes(type.toLowerCase())) throw unreadable('query', 'type', type)
      findVertex(servedJob(request, cluster).executionGraph(), vertexId)
      return ok({ endTimestamp: SWITCHED_OFF })
    },
  },
]
