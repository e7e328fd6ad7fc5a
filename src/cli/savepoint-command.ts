/** `millrace savepoint`: takes one of a running job, or disposes of one. Prints what Flink prints. */
import { invalid, type JsonObject } from './rest-answer.ts'
import type { RestClient } from './rest-client.ts'
import type { RestTask } from './rest-commands.ts'
import { failingAs, type RestConversation } from './rest-conversation.ts'
import { outcome, trigger } from './rest-operation.ts'

/** Rejects when it was not taken, and never ends before it is known. Detached: as soon as it has begun. */
export async function takeSavepoint(
  { jobId, directory, format, detached, superfluous }: RestTask & { readonly type: 'savepoint' },
  { client, print }: RestConversation,
): Promise<void> {
  if (superfluous) print('Provided more arguments than required. Ignoring not needed arguments.')
  const begun = () => trigger(client, `/jobs/${jobId}/savepoints`, savepointBody(directory, format, false))
  if (detached) {
    print(`Triggering savepoint in detached mode for job ${jobId}.`)
    const id = await failingAs(`Triggering a detached savepoint for the job ${jobId} failed.`, begun())
    return print(`Successfully trigger manual savepoint, triggerId: ${id}`)
  }
  print(`Triggering savepoint for job ${jobId}.`)
  print('Waiting for response...')
  const location = await failingAs(
    `Failed to trigger a savepoint for the job ${jobId}.`,
    begun().then((id) => savepointLocation(client, jobId, id)),
  )
  print(`Savepoint completed. Path: ${location}`)
  print('You can resume your program from this savepoint with the run command.')
}

/** Rejects when it was not disposed of. */
export async function disposeSavepoint(
  { path }: RestTask & { readonly type: 'dispose' },
  { client, print }: RestConversation,
): Promise<void> {
  print(`Disposing savepoint '${path}'.`)
  print('Waiting for response...')
  await failingAs(
    `Failed to dispose the savepoint '${path}'.`,
    trigger(client, '/savepoint-disposal', { 'savepoint-path': path }).then((id) =>
      outcome(client, `/savepoint-disposal/${id}`),
    ),
  )
  print(`Savepoint '${path}' disposed.`)
}

/** Also of `cancel -s`. Flink's client sends every field. */
export function savepointBody(directory: string | undefined, formatType: string, cancelJob: boolean): JsonObject {
  return { 'target-directory': directory ?? null, 'cancel-job': cancelJob, formatType, triggerId: null }
}

/** Resolves with its path when the savepoint is complete; that of a stop is asked for in the same place. */
export async function savepointLocation(client: RestClient, jobId: string, triggerId: string): Promise<string> {
  const path = `/jobs/${jobId}/savepoints/${triggerId}`
  const { location } = await outcome(client, path)
  if (typeof location !== 'string') throw invalid(client.describe('GET', path), "is COMPLETED without 'location'")
  return location
}
