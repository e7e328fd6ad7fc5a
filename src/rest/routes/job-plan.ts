/** The graph of a job. */
import { servedJob } from '../path-parameters.ts'
import { planOf } from '../plan-shape.ts'
import { ok, type Route } from '../route.ts'

/** GET /jobs/:jobid/plan. */
export const jobPlanRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/jobs/:jobid/plan',
    handle: (request, cluster) => ok({ plan: planOf(servedJob(request, cluster).executionGraph()) }),
  },
]
