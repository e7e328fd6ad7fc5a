/** Cluster data sets, which only Flink's batch jobs leave behind: there are none. */
import { idParameter } from '../path-parameters.ts'
import { notFound } from '../refusals.ts'
import { ok, type Route } from '../route.ts'

/** GET /datasets and /datasets/delete/:triggerid. */
export const datasetsRoutes: readonly Route[] = [
  { method: 'GET', path: '/datasets', handle: () => ok({ dataSets: [] }) },
  {
    method: 'GET',
    path: '/datasets/delete/:triggerid',
    handle(request) {
      throw notFound(`Operation not found under key: ${idParameter(request, 'triggerid')}`)
    },
  },
]
