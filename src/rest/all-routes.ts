/** Every route of the API, in any order: names in a path win over parameters by themselves. */
import type { Route } from './route.ts'
import { accumulatorsRoutes } from './routes/accumulators.ts'
import { applicationCancelRoutes } from './routes/application-cancel.ts'
import { applicationsRoutes } from './routes/applications.ts'
import { backpressureRoutes } from './routes/backpressure.ts'
import { cancelRoutes } from './routes/cancel.ts'
import { checkpointDetailsRoutes } from './routes/checkpoint-details.ts'
import { checkpointTriggerRoutes } from './routes/checkpoint-trigger.ts'
import { checkpointsRoutes } from './routes/checkpoints.ts'
import { clientHeartbeatRoutes } from './routes/client-heartbeat.ts'
import { clusterRoutes } from './routes/cluster.ts'
import { datasetsRoutes } from './routes/datasets.ts'
import { exceptionsRoutes } from './routes/exceptions.ts'
import { executionResultRoutes } from './routes/execution-result.ts'
import { flamegraphRoutes } from './routes/flamegraph.ts'
import { jarsRoutes } from './routes/jars.ts'
import { jobConfigRoutes } from './routes/job-config.ts'
import { jobDetailsRoutes } from './routes/job-details.ts'
import { jobManagerRoutes } from './routes/job-manager.ts'
import { jobPlanRoutes } from './routes/job-plan.ts'
import { jobsOverviewRoutes } from './routes/jobs-overview.ts'
import { logUrlRoutes } from './routes/log-url.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { profilerRoutes } from './routes/profiler.ts'
import { prometheusRoutes } from './routes/prometheus.ts'
import { refusedRoutes } from './routes/refused.ts'
import { rescalesRoutes } from './routes/rescales.ts'
import { rescalingRoutes } from './routes/rescaling.ts'
import { resourceRequirementsRoutes } from './routes/resource-requirements.ts'
import { savepointDisposalRoutes } from './routes/savepoint-disposal.ts'
import { savepointsRoutes } from './routes/savepoints.ts'
import { stopRoutes } from './routes/stop.ts'
import { subtasksRoutes } from './routes/subtasks.ts'
import { taskManagersRoutes } from './routes/task-managers.ts'
import { verticesRoutes } from './routes/vertices.ts'
import { watermarksRoutes } from './routes/watermarks.ts'

export const ALL_ROUTES: readonly Route[] = [
  accumulatorsRoutes,
  applicationCancelRoutes,
  applicationsRoutes,
  backpressureRoutes,
  cancelRoutes,
  checkpointDetailsRoutes,
  checkpointTriggerRoutes,
  checkpointsRoutes,
  clientHeartbeatRoutes,
  clusterRoutes,
  datasetsRoutes,
  exceptionsRoutes,
  executionResultRoutes,
  flamegraphRoutes,
  jarsRoutes,
  jobConfigRoutes,
  jobDetailsRoutes,
  jobManagerRoutes,
  jobPlanRoutes,
  jobsOverviewRoutes,
  logUrlRoutes,
  metricsRoutes,
  profilerRoutes,
  prometheusRoutes,
  refusedRoutes,
  rescalesRoutes,
  rescalingRoutes,
  resourceRequirementsRoutes,
  savepointDisposalRoutes,
  savepointsRoutes,
  stopRoutes,
  subtasksRoutes,
  taskManagersRoutes,
  verticesRoutes,
  watermarksRoutes,
].flat()
