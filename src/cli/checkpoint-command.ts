/** `millrace checkpoint`: takes one of a running job. Prints what Flink prints. */
import { invalid } from './rest-answer.ts'
import type { RestClient } from './rest-client.ts'
import type { RestTask } from './rest-commands.ts'
import { failingAs, type RestConversation } from './rest-conversation.ts'
import { outcome, trigger } from './rest-operation.ts'

/** Rejects when it was not taken, and never ends before it is known. */
export async function takeCheckpoint(
  { jobId, full }: RestTask & { readonly type: 'checkpoint' },
  { client, print }: RestConversation,
): Promise<void> {
  print(`Triggering checkpoint for job ${jobId}.`)
  print('Waiting for response...')
  const body = { checkpointType: full ? 'FULL' : 'CONFIGURED', triggerId: null }
  const checkpointId = await failingAs(
    `Failed to trigger a checkpoint for the job ${jobId}.`,
    trigger(client, `/jobs/${jobId}/checkpoints`, body).then((id) => checkpointIdOf(client, jobId, id)),
  )
  print(`Checkpoint${full ? '(FULL)' : ''} ${checkpointId} for job ${jobId} completed.`)
  print('You can resume your program from this checkpoint with the run command.')
}

async function checkpointIdOf(client: RestClient, jobId: string, triggerId: string): Promise<number> {
  const path = `/jobs/${jobId}/checkpoints/${triggerId}`
  const { checkpointId } = await outcome(client, path)
  if (typeof checkpointId !== 'number')
    throw invalid(client.describe('GET', path), "is COMPLETED without 'checkpointId'")
  return checkpointId
}
