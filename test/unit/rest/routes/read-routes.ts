/** Asks the read routes about jobs, with the real router and no server around it. */
import { ConfigurationReader } from '../../../../src/base/config/configuration-reader.ts'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import type { RestCluster } from '../../../../src/rest/rest-cluster.ts'
import type { Route } from '../../../../src/rest/route.ts'
import { accumulatorsRoutes } from '../../../../src/rest/routes/accumulators.ts'
import { applicationsRoutes } from '../../../../src/rest/routes/applications.ts'
import { checkpointDetailsRoutes } from '../../../../src/rest/routes/checkpoint-details.ts'
import { checkpointsRoutes } from '../../../../src/rest/routes/checkpoints.ts'
import { datasetsRoutes } from '../../../../src/rest/routes/datasets.ts'
import { exceptionsRoutes } from '../../../../src/rest/routes/exceptions.ts'
import { executionResultRoutes } from '../../../../src/rest/routes/execution-result.ts'
import { jarsRoutes } from '../../../../src/rest/routes/jars.ts'
import { jobConfigRoutes } from '../../../../src/rest/routes/job-config.ts'
import { jobDetailsRoutes } from '../../../../src/rest/routes/job-details.ts'
import { jobPlanRoutes } from '../../../../src/rest/routes/job-plan.ts'
import { jobsOverviewRoutes } from '../../../../src/rest/routes/jobs-overview.ts'
import { rescalesRoutes } from '../../../../src/rest/routes/rescales.ts'
import { resourceRequirementsRoutes } from '../../../../src/rest/routes/resource-requirements.ts'
import { subtasksRoutes } from '../../../../src/rest/routes/subtasks.ts'
import { verticesRoutes } from '../../../../src/rest/routes/vertices.ts'
import { ServedJobs } from '../../../../src/rest/served-jobs.ts'
import type { JobHandle } from '../../../../src/runtime/job-handle.ts'
import { type Answer, handlersOf } from './ask-routes.ts'
import { NOW, ordersJob } from './orders-job.ts'

export const readRoutes: readonly Route[] = [
  ...[accumulatorsRoutes, applicationsRoutes, checkpointDetailsRoutes, checkpointsRoutes, datasetsRoutes],
  ...[exceptionsRoutes, executionResultRoutes, jarsRoutes, jobConfigRoutes, jobDetailsRoutes, jobPlanRoutes],
  ...[jobsOverviewRoutes, rescalesRoutes, resourceRequirementsRoutes, subtasksRoutes, verticesRoutes],
].flat()

/** The job of `orders-job.ts` where no others are given. */
export function ask(
  path: string,
  options: {
    readonly jobs?: readonly JobHandle[]
    readonly method?: Route['method']
    readonly body?: unknown
  } = {},
): Promise<Answer> {
  const { jobs = [ordersJob()], method = 'GET' } = options
  return askRead(clusterOf(jobs), method, path, 'body' in options ? options.body : {})
}

const askRead = handlersOf(readRoutes)

/** What these routes look at, and nothing else. */
function clusterOf(all: readonly JobHandle[]): RestCluster {
  const jobs = new ServedJobs()
  for (const job of all) jobs.add(job)
  return {
    ports: { clock: new VirtualClock({ startMs: NOW }) },
    process: { host: 'localhost', pid: 4711 },
    settings: { bindAddress: '127.0.0.1', refreshIntervalMs: 3000 },
    configuration: new ConfigurationReader([]),
    jobs,
    taskManagerId: 'ab'.repeat(16),
  } as unknown as RestCluster
}
