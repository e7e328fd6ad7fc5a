/** Asks the read routes about jobs, with the real router and no server around it. */
import { ConfigurationReader } from '../../../../src/base/config/configuration-reader.ts'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { jsonText } from '../../../../src/rest/json-text.ts'
import type { RestCluster } from '../../../../src/rest/rest-cluster.ts'
import { RestFailure, type Route } from '../../../../src/rest/route.ts'
import { router } from '../../../../src/rest/router.ts'
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
import { NOW, ordersJob } from './orders-job.ts'

export const readRoutes: readonly Route[] = [
  ...[accumulatorsRoutes, applicationsRoutes, checkpointDetailsRoutes, checkpointsRoutes, datasetsRoutes],
  ...[exceptionsRoutes, executionResultRoutes, jarsRoutes, jobConfigRoutes, jobDetailsRoutes, jobPlanRoutes],
  ...[jobsOverviewRoutes, rescalesRoutes, resourceRequirementsRoutes, subtasksRoutes, verticesRoutes],
].flat()

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes.
  readonly body: any
}

/** The job of `orders-job.ts` where no others are given. Throws where there is no such route. */
export async function ask(
  path: string,
  options: { readonly jobs?: readonly JobHandle[]; readonly method?: string; readonly body?: unknown } = {},
): Promise<Answer> {
  const { jobs = [ordersJob()], method = 'GET' } = options
  const { pathname, searchParams } = new URL(`http://localhost${path}`)
  const found = await finds(new Request(`http://localhost${path}`, { method }))
  const { place, parameters } = JSON.parse(await found.text())
  const request = { path: pathname, parameters, query: searchParams, body: 'body' in options ? options.body : {} }
  try {
    const answer = await readRoutes[place]?.handle(request, clusterOf(jobs))
    if (answer === undefined || !('json' in answer)) throw new Error(`no JSON at ${method} ${path}`)
    return { status: answer.status, body: JSON.parse(jsonText(answer.json)) }
  } catch (thrown) {
    if (!(thrown instanceof RestFailure)) throw thrown
    return { status: thrown.status, body: { errors: thrown.errors } }
  }
}

/** The real router, made once: it answers where the route stands and what it read of the path. */
const finds = router(readRoutes, {
  routed: async (route, parameters) => Response.json({ place: readRoutes.indexOf(route), parameters }),
  unknown(request) {
    throw new Error(`no route for ${request.method} ${request.url}`)
  },
})

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
