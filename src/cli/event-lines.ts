/** Events of a job as plain lines, for a terminal or a log. What happens all the time has none. */
import type { RunningJobEvent } from '../base/run-context.ts'
import { describeError } from './describe-error.ts'

const STOPS = ['CHECKPOINT_COORDINATOR_SUSPEND', 'CHECKPOINT_COORDINATOR_SHUTDOWN', 'PERIODIC_SCHEDULER_SHUTDOWN']
const ENDS = ['FINISHED', 'FAILED', 'CANCELED', 'SUSPENDED']

/** Undefined for what a reader would not want to see: tasks that change their state, checkpoints that succeed. */
export function eventLine(event: RunningJobEvent): string | undefined {
  switch (event.type) {
    case 'job.status':
      // The end of a job has a line of its own.
      if (ENDS.includes(event.status)) return undefined
      return `${event.status}${event.error === undefined ? '' : `: ${inShort(event.error)}`}`
    case 'checkpoint.aborted':
      // What is queued when checkpointing stops is no news: the job restarts or ends, and that has its own line.
      if (event.checkpointId === undefined && STOPS.includes(event.reason)) return undefined
      return `checkpoint ${event.checkpointId ?? '(not started)'} aborted: ${event.reason}${event.message === '' ? '' : `: ${event.message}`}`
    case 'restart.scheduled':
      return `restarting in ${event.delayMs} ms after: ${inShort(event.error)}`
    case 'task.status':
      return event.status === 'FAILED'
        ? // Flink's notation: the attempt, from 0; the name holds the subtask, from 1.
          `task ${event.vertex} #${event.attempt - 1} failed: ${inShort(event.error)}`
        : undefined
    case 'checkpoint.triggered':
    case 'checkpoint.acknowledged':
    case 'checkpoint.completed':
      return undefined
    default:
      // A newer copy of the package may know more.
      event satisfies never
      return undefined
  }
}

function inShort(error: unknown): string {
  const chain = describeError(error)
  const [first] = chain
  const deepest = chain.at(-1)
  if (first === undefined || deepest === undefined) return 'unknown'
  return first.message.includes(deepest.message) ? first.message : `${first.message} (${deepest.message})`
}
