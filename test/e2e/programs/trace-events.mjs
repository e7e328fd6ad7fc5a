/** Tells of a job all that it tells, until its end. */
import { trace } from './trace.mjs'

/** Rejects as the job's result does. */
export async function traceEvents(client) {
  trace('started', { jobId: client.jobId })
  for await (const event of client.events()) {
    if (event.type === 'job.status') trace(`job.${event.status}`)
    else if (event.type === 'task.status') trace(`task.${event.status}`, { task: `${event.vertex}/${event.subtask}` })
    else trace(event.type, { checkpointId: event.checkpointId, persistedBytes: event.persistedBytes })
  }
  await client.getJobExecutionResult()
}
