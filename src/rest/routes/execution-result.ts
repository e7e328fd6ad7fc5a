/** How a job ended, for a client that waits for it. */
import { isOver } from '../../api/ended-job.ts'
import type { ExecutionGraphSnapshot, JobStatus } from '../../runtime/job-handle.ts'
import { failureObject, javaThrowableOf } from '../failure-object.ts'
import { jobTimes } from '../job-shapes.ts'
import { idParameter } from '../path-parameters.ts'
import { handlerRefusal, JOB_NOT_FOUND, jobNotFoundMessage } from '../refusals.ts'
import { ok, type Route } from '../route.ts'

const ENDS: Readonly<Partial<Record<JobStatus, string>>> = {
  FINISHED: 'SUCCEEDED',
  FAILED: 'FAILED',
  CANCELED: 'CANCELED',
}

/** GET /jobs/:jobid/execution-result. */
export const executionResultRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/jobs/:jobid/execution-result',
    handle(request, cluster) {
      const jobId = idParameter(request, 'jobid')
      const graph = cluster.jobs.find(jobId)?.executionGraph()
      if (graph === undefined) throw handlerRefusal(404, `${JOB_NOT_FOUND}: ${jobNotFoundMessage(jobId)}`)
      if (!isOver(graph.status)) return ok({ status: { id: 'IN_PROGRESS' } })
      return ok({ status: { id: 'COMPLETED' }, 'job-execution-result': resultOf(graph) })
    },
  },
]

function resultOf(graph: ExecutionGraphSnapshot) {
  const { jobId, jobName, status } = graph
  const { duration, ...times } = jobTimes(graph, graph.startedAtMs)
  const [failure] = status === 'FAILED' ? graph.failures : []
  return {
    id: jobId,
    name: jobName,
    // What Flink calls UNKNOWN may go on elsewhere: a suspended job.
    'application-status': ENDS[status] ?? 'UNKNOWN',
    'accumulator-results': {},
    'net-runtime': duration,
    ...(failure === undefined ? {} : { 'failure-cause': failureObject(javaThrowableOf(failure.throwable)) }),
    'application-id': jobId,
    ...times,
  }
}
