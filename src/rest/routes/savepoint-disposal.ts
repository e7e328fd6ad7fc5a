/** Deletes savepoints, and says how that stands. Flink's SavepointDisposalHandlers. */
import { disposeSavepointOn } from '../../api/dispose-savepoint.ts'
import { checkCancelEnabled, standing, triggered } from '../asynchronous-answers.ts'
import { disposalFailure, OperationFailure } from '../operation-failure.ts'
import { idParameter } from '../path-parameters.ts'
import { handlerRefusal, notFound } from '../refusals.ts'
import { BodyFields } from '../request-body.ts'
import type { RestCluster } from '../rest-cluster.ts'
import { ok, type RestAnswer, type RestRequest, type Route } from '../route.ts'
import { savepointToDelete } from '../savepoint-directory.ts'

export const savepointDisposalRoutes: readonly Route[] = [
  { method: 'POST', path: '/savepoint-disposal', handle: trigger },
  { method: 'GET', path: '/savepoint-disposal/:triggerid', handle: status },
]

async function trigger(request: RestRequest, cluster: RestCluster): Promise<RestAnswer> {
  const named = new BodyFields(request, 'SavepointDisposalRequest').text('savepoint-path')
  if (named === undefined) throw handlerRefusal(400, 'Field savepoint-path must not be omitted or be null.')
  checkCancelEnabled(cluster, 'Deleting a savepoint')
  const folder = await savepointToDelete(cluster, 'savepoint-path', named)
  const key = { kind: 'disposal', jobId: '', triggerId: cluster.ports.ids.jobId() } as const
  // 200, where the other triggers say 202.
  return ok(triggered(cluster, key, () => dispose(cluster, folder, named)))
}

async function dispose({ ports }: RestCluster, folder: string, named: string): Promise<void> {
  try {
    await disposeSavepointOn(ports.files, folder)
  } catch (thrown) {
    // Whatever it is, whoever polls is told.
    throw new OperationFailure(disposalFailure(thrown, named))
  }
}

function status(request: RestRequest, cluster: RestCluster): RestAnswer {
  const triggerId = idParameter(request, 'triggerid')
  const found = standing(
    cluster,
    { kind: 'disposal', jobId: '', triggerId },
    { success: () => ({}), failure: (failure) => ({ 'failure-cause': failure }) },
  )
  if (found === undefined) throw notFound(`Operation not found under key: ${triggerId}`)
  return found
}
