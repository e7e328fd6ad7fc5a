import { describe, expect, it } from 'vitest'
import { endedJob } from '../../../src/api/ended-job.ts'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { logEvents } from '../../../src/rest/job-log.ts'
import { makeLogRing } from '../../../src/rest/log-ring.ts'
import type { JobEvent } from '../../../src/runtime/job-handle.ts'

const jobId = 'a'.repeat(32)

/** The lines of the log, without their times, of a job to which this happens. */
function logOf(...events: readonly JobEvent[]): readonly string[] {
  const log = makeLogRing(new VirtualClock())
  const subscribe = (listener: (event: JobEvent) => void) => {
    events.forEach(listener)
    return () => {}
  }
  logEvents({ ...endedJob({ jobId, jobName: 'x', status: 'CREATED' }), subscribe }, log)
  return log
    .text()
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(line.indexOf(' ') + 1))
}

describe('the log that a server shows', () => {
  it('tells how a job came to its end: its states, the tasks that failed, its restarts', () => {
    const error = new Error('no cover')
    const task = { type: 'task.status', vertex: 'book (1/2)', subtask: 0, attempt: 1, atMs: 1 } as const
    expect(
      logOf(
        { type: 'job.status', status: 'RUNNING', atMs: 1 },
        { ...task, status: 'RUNNING' },
        { ...task, status: 'FAILED', error },
        { type: 'restart.scheduled', delayMs: 50, atMs: 1, error },
        { type: 'job.status', status: 'FAILED', atMs: 1, error },
      ),
    ).toEqual([
      `INFO  Job "x" (${jobId}) is CREATED`,
      `INFO  Job "x" (${jobId}) is RUNNING`,
      `WARN  Job "x" (${jobId}): task book (1/2) #0 failed: no cover`,
      `WARN  Job "x" (${jobId}) restarts in 50 ms after: no cover`,
      `ERROR Job "x" (${jobId}) is FAILED: no cover`,
    ])
  })

  it('tells of checkpoints that do not succeed, and not of those that do', () => {
    const aborted = { type: 'checkpoint.aborted', message: '', atMs: 1 } as const
    const lines = logOf(
      { type: 'checkpoint.triggered', checkpointId: 1, kind: 'checkpoint', atMs: 1 },
      { ...aborted, checkpointId: 1, reason: 'CHECKPOINT_EXPIRED' },
      { ...aborted, checkpointId: undefined, reason: 'MINIMUM_TIME_BETWEEN_CHECKPOINTS', message: 'too soon' },
    )
    expect(lines.slice(1)).toEqual([
      `WARN  Job "x" (${jobId}): checkpoint 1 was aborted: CHECKPOINT_EXPIRED`,
      `WARN  Job "x" (${jobId}): checkpoint (not started) was aborted: MINIMUM_TIME_BETWEEN_CHECKPOINTS too soon`,
    ])
  })
})
