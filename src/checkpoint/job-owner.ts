/** Whether another process may be replaced as the writer of a job: only when it is known to be dead, or when the user says so. */
import type { Clock } from '../base/clock.ts'
import { StreamError } from '../base/errors.ts'
import type { Locks } from '../base/locks.ts'
import type { Writer } from './checkpoint-storage.ts'

/** A lock may be held for a moment by another newcomer that tries it. */
const TRIES = 4
const PAUSE_MS = 60

export interface OwnerCheck {
  readonly locks: Locks
  readonly clock: Clock
  readonly self: Writer
  readonly takeover: boolean
  readonly jobId: string
}

/** Returns within a quarter of a second; throws JOB_IN_USE, which names pid and host. */
export async function mayReplace(
  { locks, clock, self, takeover, jobId }: OwnerCheck,
  current: Writer | undefined,
): Promise<void> {
  if (takeover) return
  if (current === undefined) throw inUse(jobId, current, 'its owner file cannot be read')
  if (current.host !== self.host) throw inUse(jobId, current, `whether it lives cannot be told from host ${self.host}`)
  if (current.namespace !== self.namespace)
    throw inUse(jobId, current, 'it runs in another container, so whether it lives cannot be told')
  for (let tried = 0; tried < TRIES; tried++) {
    if (tried > 0) await new Promise<void>((resolve) => clock.setTimer(PAUSE_MS, resolve))
    const lock = await locks.tryAcquire(current.lock)
    if (lock !== undefined) return lock.release()
  }
  throw inUse(jobId, current, 'it is alive, running or stopped')
}

function inUse(jobId: string, current: Writer | undefined, why: string): StreamError {
  const who = current === undefined ? 'another process' : `process ${current.pid} on host ${current.host}`
  return new StreamError('JOB_IN_USE', {
    message: `Job ${jobId} belongs to ${who}: ${why}.`,
    hint: 'Wait until it has ended, or end it. With --takeover this process replaces it, and the other one can write nothing any more.',
    details: { jobId, pid: current?.pid, host: current?.host },
  })
}
