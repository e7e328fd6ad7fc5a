/** How a job ended, for a client that waits for it. */
import type { ExecutionGraphSnapshot, JobStatus } from '../../runtime/job-handle.ts'
import { failureObject, javaThrowableOf } from '../failure-object.ts'
import { jobTimes } from '../job-shapes.ts'
import { idParameter } from '../path-parameters.ts'
import { handlerRefusal } from '../refusals.ts'
import { ok, type Route } from '../route.ts'
import { isTerminal } from '../served-jobs.ts'

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
      if (graph === undefined) throw unknownJob(jobId)
      if (!isTerminal(graph.status)) return ok({ status: { id: 'IN_PROGRESS' } })
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

function unknownJob(jobId: string) {
  const exception = 'org.apache.flink.runtime.messages.FlinkJobNotFoundException'
  return handlerRefusal(404, `${exception}: Could not find Flink job (${jobId})`)
}
