/** `millrace stop`: ends a job with a savepoint. Prints what Flink prints. */
import type { RestTask } from './rest-commands.ts'
import { failingAs, type RestConversation } from './rest-conversation.ts'
import { trigger } from './rest-operation.ts'
import { savepointLocation } from './savepoint-command.ts'

/** Rejects when the savepoint was not taken; the job goes on then. Detached: resolves as soon as it has begun. */
export async function stopJob(
  { jobId, directory, drain, format, detached }: RestTask & { readonly type: 'stop' },
  { client, print }: RestConversation,
): Promise<void> {
  const body = { targetDirectory: directory ?? null, drain, formatType: format, triggerId: null }
  const begun = () => trigger(client, `/jobs/${jobId}/stop`, body)
  print(`${drain ? 'Draining' : 'Suspending'} job "${jobId}" with a ${format} savepoint.`)
  if (detached) {
    print(`Triggering stop-with-savepoint in detached mode for job ${jobId}.`)
    const id = await failingAs(`Could not stop with a detached savepoint job "${jobId}".`, begun())
    return print(`Successfully trigger stop-with-savepoint in detached mode, triggerId: ${id}`)
  }
  print(`Triggering stop-with-savepoint for job ${jobId}.`)
  print('Waiting for response...')
  const location = await failingAs(
    `Could not stop with a savepoint job "${jobId}".`,
    begun().then((id) => savepointLocation(client, jobId, id)),
  )
  print(`Savepoint completed. Path: ${location}`)
}
