/** How much of its time every subtask of a vertex was busy, idle, and kept from handing on. */
import { pressureLevel } from '../../metrics/pressure.ts'
import { type Metric, metricNumber } from '../metric.ts'
import { idParameter } from '../path-parameters.ts'
import { ok, type Route } from '../route.ts'

export const backpressureRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/jobs/:jobid/vertices/:vertexid/backpressure',
    handle(request, cluster) {
      const job = cluster.jobs.find(idParameter(request, 'jobid'))
      const vertexId = idParameter(request, 'vertexid')
      const place = job?.executionGraph().vertices.findIndex(({ id }) => id === vertexId)
      const measured = job === undefined ? [] : cluster.metrics.tasks(job).filter(({ vertex }) => vertex === place)
      if (measured.length === 0) return ok({ status: 'deprecated' })
      const subtasks = measured.map(({ subtask, metrics }) => {
        const ratio = ratioOf(metrics, 'backPressuredTimeMsPerSecond')
        return {
          subtask,
          ...levels(ratio),
          ratio,
          idleRatio: ratioOf(metrics, 'idleTimeMsPerSecond'),
          busyRatio: ratioOf(metrics, 'busyTimeMsPerSecond'),
        }
      })
      return ok({
        status: 'ok',
        ...levels(Math.max(...subtasks.map(({ ratio }) => ratio))),
        'end-timestamp': cluster.ports.clock.now(),
        subtasks,
      })
    },
  },
]

/** Under its name and its old name. */
function levels(ratio: number) {
  const level = pressureLevel(ratio)
  return { backpressureLevel: level, 'backpressure-level': level }
}

/** 0 for a subtask that is over. */
function ratioOf(metrics: readonly Metric[], name: string): number {
  const metric = metrics.find((one) => one.name === name)
  const perSecond = metric === undefined ? undefined : metricNumber(metric)
  return Math.min(1, (perSecond ?? 0) / 1000)
}
