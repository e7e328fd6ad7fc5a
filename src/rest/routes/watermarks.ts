/** The watermark that every subtask of a vertex has received; a source receives none. */
import { metricText } from '../metric.ts'
import { findVertex, idParameter, servedJob } from '../path-parameters.ts'
import { ok, type Route } from '../route.ts'

export const watermarksRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/jobs/:jobid/vertices/:vertexid/watermarks',
    handle(request, cluster) {
      const job = servedJob(request, cluster)
      const { place } = findVertex(job.executionGraph(), idParameter(request, 'vertexid'))
      return ok(
        cluster.metrics
          .tasks(job)
          .filter(({ vertex }) => vertex === place)
          .flatMap(({ subtask, metrics }) =>
            metrics
              .filter(({ name }) => name === 'currentInputWatermark')
              .map((metric) => ({ id: `${subtask}.${metric.name}`, value: metricText(metric) })),
          ),
      )
    },
  },
]
