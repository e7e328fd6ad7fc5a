/** How a job is set to run: the tab Configuration of its page. */
import type { ExecutionGraphSnapshot } from '../../runtime/job-handle.ts'
import { servedJob } from '../path-parameters.ts'
import { ok, type Route } from '../route.ts'

/** GET /jobs/:jobid/config. */
export const jobConfigRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/jobs/:jobid/config',
    handle: (request, cluster) => ok(jobConfig(servedJob(request, cluster).executionGraph())),
  },
]

function jobConfig({ jobId, jobName, configuration }: ExecutionGraphSnapshot) {
  return {
    jid: jobId,
    name: jobName,
    'execution-config': {
      'restart-strategy': configuration.restartStrategy,
      'job-parallelism': configuration.parallelism,
      // Records are never copied between chained operators.
      'object-reuse-mode': true,
      'user-config': Object.fromEntries(configuration.written.map(({ key, value }) => [key, value])),
    },
  }
}
