/** What happens to a job, as lines of the log that the server shows. Whoever starts the job has its events; a reader of pages has these. */
import { messageOf } from '../base/errors.ts'
import { type Logger, silentLogger } from '../base/logger.ts'
import type { JobEvent, JobHandle } from '../runtime/job-handle.ts'
import type { LogRing } from './log-ring.ts'

/**
 * From now to the end of the job: its states, tasks that fail, restarts, checkpoints that do not succeed. Those that do,
 * one every second perhaps, would push all else out of the log, and have pages of their own.
 */
export function logEvents(job: JobHandle, log: LogRing): void {
  const lines = log.through(silentLogger)
  const named = `Job "${job.jobName}" (${job.jobId})`
  lines.info(`${named} is ${job.status()}`)
  job.subscribe((event) => logEvent(event, named, lines))
}

function logEvent(event: JobEvent, named: string, lines: Logger): void {
  switch (event.type) {
    case 'job.status':
      if (event.error === undefined) return lines.info(`${named} is ${event.status}`)
      return lines.error(`${named} is ${event.status}: ${messageOf(event.error)}`)
    case 'task.status':
      if (event.status !== 'FAILED') return
      // As Flink counts attempts, and its exceptions page: from 0.
      return lines.warn(`${named}: task ${event.vertex} #${event.attempt - 1} failed: ${messageOf(event.error)}`)
    case 'restart.scheduled':
      return lines.warn(`${named} restarts in ${event.delayMs} ms after: ${messageOf(event.error)}`)
    case 'checkpoint.aborted':
      return lines.warn(
        `${named}: checkpoint ${event.checkpointId ?? '(not started)'} was aborted: ${event.reason} ${event.message}`.trimEnd(),
      )
  }
}
