import { describe, expect, test } from 'vitest'
import type { RunningJobEvent } from '../../../src/base/run-context.ts'
import { eventLine } from '../../../src/cli/event-lines.ts'

const task = { type: 'task.status', vertex: 'map (2/4)', subtask: 1, attempt: 3, atMs: 0 } as const
const cause = new Error('map failed', { cause: new TypeError('boom') })

describe('a plain line', () => {
  test.each<[RunningJobEvent, string | undefined]>([
    [{ type: 'job.status', status: 'RUNNING', atMs: 0 }, 'RUNNING'],
    [{ type: 'job.status', status: 'RESTARTING', atMs: 0, error: cause }, 'RESTARTING: map failed (boom)'],
    [{ type: 'job.status', status: 'FAILED', atMs: 0, error: cause }, undefined],
    [{ ...task, status: 'RUNNING' }, undefined],
    [{ ...task, status: 'FAILED', error: cause }, 'task map (2/4) #2 failed: map failed (boom)'],
    [{ type: 'checkpoint.triggered', checkpointId: 3, kind: 'checkpoint', atMs: 0 }, undefined],
    [
      { type: 'checkpoint.acknowledged', checkpointId: 3, vertex: 'map (2/4)', subtask: 1, attempt: 1, atMs: 0 },
      undefined,
    ],
    [
      {
        type: 'checkpoint.completed',
        checkpointId: 3,
        kind: 'checkpoint',
        atMs: 0,
        durationMs: 1,
        bytes: 2,
        path: undefined,
      },
      undefined,
    ],
    [
      { type: 'checkpoint.aborted', checkpointId: 3, reason: 'CHECKPOINT_EXPIRED', message: 'too slow', atMs: 0 },
      'checkpoint 3 aborted: CHECKPOINT_EXPIRED: too slow',
    ],
    [
      { type: 'checkpoint.aborted', checkpointId: undefined, reason: 'IO_EXCEPTION', message: '', atMs: 0 },
      'checkpoint (not started) aborted: IO_EXCEPTION',
    ],
    [
      {
        type: 'checkpoint.aborted',
        checkpointId: undefined,
        reason: 'CHECKPOINT_COORDINATOR_SUSPEND',
        message: 'Checkpointing was stopped.',
        atMs: 0,
      },
      undefined,
    ],
    [
      { type: 'restart.scheduled', delayMs: 1000, atMs: 0, error: cause },
      'restarting in 1000 ms after: map failed (boom)',
    ],
  ])('for %j is %j', (event, line) => {
    expect(eventLine(event)).toBe(line)
  })
})
