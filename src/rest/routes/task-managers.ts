/** The one task manager, which is the process: slots, memory, log. */
import { listLogs, logNamed, standardOutput, theLog } from '../logs.ts'
import { handlerRefusal, serverRefusal } from '../refusals.ts'
import type { RestCluster } from '../rest-cluster.ts'
import { ok, type RestAnswer, type RestFailure, type RestRequest, type Route } from '../route.ts'
import { taskManagerDetails, taskManagerInList } from '../task-manager-shapes.ts'
import { threadDump } from '../thread-dump.ts'

export const taskManagersRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/taskmanagers',
    handle: (_, cluster) => ok({ taskmanagers: [taskManagerInList(cluster)] }),
  },
  ofOurs('', (_, cluster) => ok(taskManagerDetails(cluster))),
  ofOurs('/log', (_, cluster) => theLog(cluster)),
  ofOurs('/logs/:filename', (request, cluster) => {
    const log = logNamed(request.parameters.filename, cluster)
    if (log === undefined) throw noSuchLog(request, cluster)
    return log
  }),
  ofOurs('/stdout', standardOutput),
  ofOurs('/thread-dump', (_, cluster) => threadDump(cluster.process)),
  {
    method: 'GET',
    path: '/taskmanagers/:taskmanagerid/logs',
    handle(request, cluster) {
      const id = request.parameters.taskmanagerid
      if (id !== cluster.taskManagerId) throw handlerRefusal(404, `Could not find TaskExecutor ${id}`)
      return listLogs(cluster)
    },
  },
]

/** Refuses another task manager as Flink does. */
function ofOurs(rest: string, handle: (request: RestRequest, cluster: RestCluster) => RestAnswer): Route {
  return {
    method: 'GET',
    path: `/taskmanagers/:taskmanagerid${rest}`,
    handle(request, cluster) {
      const id = request.parameters.taskmanagerid
      if (id === cluster.taskManagerId) return handle(request, cluster)
      throw serverRefusal(
        'org.apache.flink.runtime.resourcemanager.exceptions.UnknownTaskExecutorException',
        `No TaskExecutor registered under ${id}.`,
      )
    },
  }
}

function noSuchLog(request: RestRequest, cluster: RestCluster): RestFailure {
  return serverRefusal(
    'org.apache.flink.util.FlinkException',
    `Failed to transfer file from TaskExecutor ${cluster.taskManagerId}.\nCaused by: java.io.FileNotFoundException: The file ${request.parameters.filename} does not exist on the TaskExecutor.`,
  )
}
