/** Where the dashboard shows the log of a job: relative to the dashboard's page, for behind a proxy nobody here knows its address. */
import { idParameter } from '../path-parameters.ts'
import { ok, type Route } from '../route.ts'

export const logUrlRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/jobs/:jobid/jobmanager/log-url',
    handle(request) {
      idParameter(request, 'jobid')
      return ok({ url: './#/job-manager/logs' })
    },
  },
  {
    method: 'GET',
    path: '/jobs/:jobid/taskmanagers/:taskmanagerid/log-url',
    handle(request) {
      idParameter(request, 'jobid')
      return ok({ url: `./#/task-manager/${encodeURIComponent(request.parameters.taskmanagerid ?? '')}/logs` })
    },
  },
]
