/** What all asynchronous operations answer: their trigger, and how they stand. Flink's AsynchronousOperationResult. */

import { isOver } from '../api/ended-job.ts'
import type { JobHandle } from '../runtime/job-handle.ts'
import type { OperationKey } from './async-operations.ts'
import { type FailureObject, failureObject } from './failure-object.ts'
import { checkpointFailure, jobNotFound, OperationFailure, unexpected } from './operation-failure.ts'
import { handlerRefusal } from './refusals.ts'
import type { RestCluster } from './rest-cluster.ts'
import { ok, type RestAnswer } from './route.ts'

/** Starts it, or does nothing where it has been started under this id before. Returns the body of the answer. */
export function triggered(cluster: RestCluster, key: OperationKey, work: () => Promise<unknown>): object {
  cluster.operations.start(key, work)
  return { 'request-id': key.triggerId }
}

/** Work on a job, as an operation: also of one that does not exist, or not any more. Rejects with OperationFailure. */
export async function onJob<Result>(
  jobId: string,
  job: JobHandle | undefined,
  work: (job: JobHandle) => Promise<Result>,
): Promise<Result> {
  if (job === undefined || isOver(job.status())) throw new OperationFailure(jobNotFound(jobId))
  try {
    return await work(job)
  } catch (thrown) {
    // Whatever it is, whoever polls is told.
    throw new OperationFailure(checkpointFailure(thrown))
  }
}

/** Undefined where there is no such operation. `told`: what of its result, and of its failure, stands in the answer. */
export function standing<Value>(
  { operations }: RestCluster,
  key: OperationKey,
  told: { readonly success: (value: Value) => object; readonly failure: (failure: FailureObject) => object },
): RestAnswer | undefined {
  const status = operations.status(key)
  switch (status?.id) {
    case undefined:
      return undefined
    case 'IN_PROGRESS':
      return ok({ status: { id: 'IN_PROGRESS' }, operation: null })
    case 'COMPLETED':
      return ok({ status: { id: 'COMPLETED' }, operation: told.success(status.value as Value) })
    case 'FAILED':
      return ok({ status: { id: 'COMPLETED' }, operation: told.failure(failureObject(throwableOf(status.thrown))) })
  }
}

function throwableOf(thrown: unknown) {
  return thrown instanceof OperationFailure ? thrown.throwable : unexpected(thrown)
}

/** Throws 403 where `web.cancel.enable` says that nobody may end a job from outside. */
export function checkCancelEnabled({ settings }: RestCluster, what: string): void {
  if (!settings.cancelEnabled) throw handlerRefusal(403, `${what} is switched off here (web.cancel.enable is false).`)
}
