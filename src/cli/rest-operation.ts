/** Operations that a server does in its own time: triggered, then asked about until they have ended. */
import { StreamError } from '../base/errors.ts'
import { remoteFailure } from './remote-failure.ts'
import { invalid, isObject, type JsonObject } from './rest-answer.ts'
import type { RestClient } from './rest-client.ts'

/** Flink's: a short operation is seen soon, a long one is not asked about all the time. */
const FIRST_WAIT_MS = 10
const LONGEST_WAIT_MS = 2_000

/** Begins it and resolves with the id under which it can be asked about. Rejects as `RestClient.send`. */
export async function trigger(client: RestClient, path: string, body: JsonObject): Promise<string> {
  const id = (await client.send('POST', path, body))['request-id']
  // It becomes a part of paths.
  if (typeof id !== 'string' || !/^[0-9a-fA-F]{32}$/.test(id))
    throw invalid(client.describe('POST', path), "has no 'request-id' of 32 hexadecimal digits")
  return id
}

/**
 * Resolves with what the operation has come to. Rejects with REST_OPERATION_FAILED and the server's own causes when it
 * failed, else as `RestClient.send`.
 */
export async function outcome(client: RestClient, path: string): Promise<JsonObject> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2)) {
    const { status, operation } = await client.send('GET', path)
    const request = client.describe('GET', path)
    const id = isObject(status) ? status.id : undefined
    if (id === 'COMPLETED') return succeeded(operation, request)
    if (id !== 'IN_PROGRESS') throw invalid(request, 'has no status IN_PROGRESS or COMPLETED')
    await client.wait(waitMs)
  }
}

function succeeded(operation: unknown, request: string): JsonObject {
  if (!isObject(operation)) throw invalid(request, 'is COMPLETED and says nothing of how')
  const failure = operation['failure-cause'] ?? operation.failureCause
  if (failure === undefined || failure === null) return operation
  const stackTrace = isObject(failure) ? failure['stack-trace'] : undefined
  const cause = typeof stackTrace === 'string' ? remoteFailure(stackTrace) : undefined
  if (cause === undefined) throw invalid(request, 'names a failure without its stack trace')
  throw new StreamError('REST_OPERATION_FAILED', {
    message: `It was begun, and failed there (${request}).`,
    hint: 'What failed stands below; the log of the job may say more.',
    details: { request },
    cause,
  })
}
