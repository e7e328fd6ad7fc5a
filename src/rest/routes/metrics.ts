/** Metrics by scope: of the process, of jobs, of vertices and their subtasks. What is not known has no metrics, as in Flink. */
import type { JobHandle } from '../../runtime/job-handle.ts'
import {
  answerAggregates,
  answerMetrics,
  type NamedMetrics,
  named,
  namedOfSubtask,
  wantedNumbers,
} from '../metric-query.ts'
import type { SubtaskMetrics } from '../metric-store.ts'
import { idParameter, queryValues, wholeNumberParameter } from '../path-parameters.ts'
import { unreadable } from '../refusals.ts'
import type { RestCluster } from '../rest-cluster.ts'
import { ok, type RestRequest, type Route } from '../route.ts'

export const metricsRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/jobmanager/metrics',
    handle: (request, cluster) => answerMetrics(named(cluster.metrics.jobManager()), request),
  },
  {
    method: 'GET',
    path: '/taskmanagers/metrics',
    handle(request, cluster) {
      const wanted = queryValues(request, 'taskmanagers')
      const isWanted = wanted.length === 0 || wanted.includes(cluster.taskManagerId)
      return answerAggregates(isWanted ? [named(cluster.metrics.taskManager())] : [], request)
    },
  },
  {
    method: 'GET',
    path: '/taskmanagers/:taskmanagerid/metrics',
    handle(request, cluster) {
      const isOurs = request.parameters.taskmanagerid === cluster.taskManagerId
      return answerMetrics(isOurs ? named(cluster.metrics.taskManager()) : new Map(), request)
    },
  },
  {
    method: 'GET',
    path: '/jobs/metrics',
    handle: (request, cluster) =>
      answerAggregates(
        wantedJobs(request, cluster).map((job) => named(cluster.metrics.job(job))),
        request,
      ),
  },
  {
    method: 'GET',
    path: '/jobs/:jobid/metrics',
    handle(request, cluster) {
      const job = cluster.jobs.find(idParameter(request, 'jobid'))
      return answerMetrics(job === undefined ? new Map() : named(cluster.metrics.job(job)), request)
    },
  },
  {
    method: 'GET',
    path: '/jobs/:jobid/vertices/:vertexid/metrics',
    handle: (request, cluster) => answerMetrics(byNumber(subtasksOf(request, cluster)), request),
  },
  {
    method: 'GET',
    path: '/jobs/:jobid/vertices/:vertexid/subtasks/metrics',
    handle(request, cluster) {
      const isWanted = wantedNumbers(request, 'subtasks')
      const wanted = subtasksOf(request, cluster).filter(({ subtask }) => isWanted(subtask))
      return answerAggregates(wanted.map(namedOfSubtask), request)
    },
  },
  {
    method: 'GET',
    path: '/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/metrics',
    handle(request, cluster) {
      const index = wholeNumberParameter(request, 'subtaskindex')
      const subtask = subtasksOf(request, cluster).find((one) => one.subtask === index)
      return answerMetrics(subtask === undefined ? new Map() : namedOfSubtask(subtask), request)
    },
  },
  {
    method: 'GET',
    path: '/jobs/:jobid/vertices/:vertexid/jm-operator-metrics',
    handle(request) {
      idParameter(request, 'jobid')
      idParameter(request, 'vertexid')
      // No part of an operator runs beside its subtasks and counts something.
      return ok([])
    },
  },
]

function wantedJobs(request: RestRequest, cluster: RestCluster): readonly JobHandle[] {
  const wanted = queryValues(request, 'jobs')
  for (const id of wanted) if (!/^[0-9a-f]{32}$/i.test(id)) throw unreadable('query', 'jobs', id)
  const ids = new Set(wanted.map((id) => id.toLowerCase()))
  return cluster.jobs.all().filter(({ jobId }) => ids.size === 0 || ids.has(jobId))
}

function subtasksOf(request: RestRequest, cluster: RestCluster): readonly SubtaskMetrics[] {
  const job = cluster.jobs.find(idParameter(request, 'jobid'))
  const vertexId = idParameter(request, 'vertexid')
  if (job === undefined) return []
  const place = job.executionGraph().vertices.findIndex(({ id }) => id === vertexId)
  return cluster.metrics.tasks(job).filter(({ vertex }) => vertex === place)
}

/** `0.numRecordsIn` */
function byNumber(subtasks: readonly SubtaskMetrics[]): NamedMetrics {
  return new Map(
    subtasks.flatMap((one) => [...namedOfSubtask(one)].map(([name, metric]) => [`${one.subtask}.${name}`, metric])),
  )
}
