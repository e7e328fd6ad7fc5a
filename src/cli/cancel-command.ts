/** `millrace cancel`: ends a job, with a savepoint if that is asked for. Prints what Flink prints. */
import { CANCEL_WITH_SAVEPOINT_WARNING, type RestTask } from './rest-commands.ts'
import { failingAs, type RestConversation } from './rest-conversation.ts'
import { trigger } from './rest-operation.ts'
import { savepointBody, savepointLocation } from './savepoint-command.ts'

/** Does not wait for the end of the job. */
export async function cancelJob(
  { jobId }: RestTask & { readonly type: 'cancel' },
  { client, print }: RestConversation,
): Promise<void> {
  print(`Cancelling job ${jobId}.`)
  await failingAs(`Could not cancel job ${jobId}.`, client.send('PATCH', `/jobs/${jobId}?mode=cancel`))
  print(`Cancelled job ${jobId}.`)
}

/** The server cancels the job once the savepoint is complete. Rejects when there is none; the job goes on then. */
export async function cancelWithSavepoint(
  { jobId, directory, format }: RestTask & { readonly type: 'cancelWithSavepoint' },
  { client, print }: RestConversation,
): Promise<void> {
  print(CANCEL_WITH_SAVEPOINT_WARNING)
  print(`Cancelling job ${jobId} with ${format} savepoint to ${directory ?? 'default savepoint directory'}.`)
  const location = await failingAs(
    `Could not cancel job ${jobId}.`,
    trigger(client, `/jobs/${jobId}/savepoints`, savepointBody(directory, format, true)).then((id) =>
      savepointLocation(client, jobId, id),
    ),
  )
  print(`Cancelled job ${jobId}. Savepoint stored in ${location}.`)
}
