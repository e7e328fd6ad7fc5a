/**
 * Carries out a command that speaks to a REST interface. Standard output and the first lines of a failure are Flink's,
 * word for word; behind them stands what went wrong, where, and what to do.
 */
import { StreamError } from '../base/errors.ts'
import { cancelJob, cancelWithSavepoint } from './cancel-command.ts'
import { takeCheckpoint } from './checkpoint-command.ts'
import { errorLines } from './describe-error.ts'
import { FAILED, SUCCESS } from './exit-code.ts'
import { listJobs } from './list-command.ts'
import type { ProcessBoundary } from './process-boundary.ts'
import { RestClient } from './rest-client.ts'
import type { RestRequest, RestTask } from './rest-commands.ts'
import { CommandFailure, type RestConversation } from './rest-conversation.ts'
import { resolveTarget } from './rest-target.ts'
import { disposeSavepoint, takeSavepoint } from './savepoint-command.ts'
import { stopJob } from './stop-command.ts'
import { plainText } from './table.ts'

/** Resolves with the exit code: 0, or 1 for every failure, as Flink's. Never rejects for what a server or a user may do. */
export async function restCommand({ target, task }: RestRequest, boundary: ProcessBoundary): Promise<number> {
  const { out, http, clock } = boundary
  // From now on an output that nobody reads any more is no error.
  await out.taken?.()
  let client: RestClient | undefined
  try {
    client = new RestClient({ http, clock, ...(await resolveTarget(target, boundary)) })
    await carryOut(withFormat(task), { client, print: (line) => out.write(`${plainText(line)}\n`) })
    return SUCCESS
  } catch (thrown) {
    showFailure(thrown, boundary)
    return FAILED
  } finally {
    client?.close()
  }
}

function carryOut(task: RestTask, conversation: RestConversation): Promise<void> {
  switch (task.type) {
    case 'list':
      return listJobs(task, conversation)
    case 'savepoint':
      return takeSavepoint(task, conversation)
    case 'dispose':
      return disposeSavepoint(task, conversation)
    case 'checkpoint':
      return takeCheckpoint(task, conversation)
    case 'cancel':
      return cancelJob(task, conversation)
    case 'cancelWithSavepoint':
      return cancelWithSavepoint(task, conversation)
    case 'stop':
      return stopJob(task, conversation)
  }
}

/** Flink's enum, in whatever case it was typed. */
function withFormat(task: RestTask): RestTask {
  if (!('format' in task)) return task
  const format = task.format.toUpperCase()
  if (format === 'CANONICAL' || format === 'NATIVE') return { ...task, format }
  throw new StreamError('COMMAND_INVALID', {
    message: `-type cannot be '${task.format}'.`,
    hint: 'Legal is canonical, which every state backend reads, or native.',
  })
}

function showFailure(thrown: unknown, { err, environment }: ProcessBoundary): void {
  const isCommand = thrown instanceof CommandFailure
  const lines = errorLines(isCommand ? thrown.cause : thrown, { stacks: Boolean(environment.MILLRACE_DEBUG) })
  err.write(`\n${'-'.repeat(60)}\n The program finished with the following exception:\n\n`)
  if (isCommand) err.write(`org.apache.flink.util.FlinkException: ${plainText(thrown.message)}\n`)
  for (const line of lines) err.write(`${plainText(line)}\n`)
}
