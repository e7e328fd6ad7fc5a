/** The events of a job as an async iterator: pushed by the runtime, pulled by the program, nothing lost in between unsaid. */
import { StreamError } from '../base/errors.ts'
import type { JobEvent, JobHandle } from '../runtime/job-handle.ts'

/** Many minutes of events of a busy job. Whoever is further behind is stuck, and would hold ever more memory. */
const MOST_UNREAD = 10_000

/**
 * Listens from the call on; the job never waits for the reader. What nobody pulls is kept, up to 10,000 events; then the
 * iterator is let go, gives what it kept, and throws EVENTS_LOST.
 */
export function streamOfEvents(handle: JobHandle): AsyncIterableIterator<JobEvent> {
  const kept: JobEvent[] = []
  const waiting: ((result: IteratorResult<JobEvent>) => void)[] = []
  let ended = false
  let lost = false
  const unsubscribe = handle.subscribe((event) => {
    const waiter = waiting.shift()
    if (waiter !== undefined) return waiter({ done: false, value: event })
    if (kept.length < MOST_UNREAD) return void kept.push(event)
    lost = true
    end()
  })
  const end = () => {
    ended = true
    unsubscribe()
    for (const waiter of waiting.splice(0)) waiter({ done: true, value: undefined })
  }
  handle.result.then(end, end)
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      const event = kept.shift()
      if (event !== undefined) return { done: false, value: event }
      if (lost) {
        lost = false
        throw fellBehind(handle)
      }
      if (ended) return { done: true, value: undefined }
      return new Promise((resolve) => waiting.push(resolve))
    },
    async return() {
      kept.length = 0
      lost = false
      end()
      return { done: true, value: undefined }
    },
  }
}

function fellBehind({ jobId, jobName }: JobHandle): StreamError {
  return new StreamError('EVENTS_LOST', {
    message: `Who reads the events of job "${jobName}" (${jobId}) fell behind by more than ${MOST_UNREAD} of them; later ones are lost.`,
    hint: 'Read them faster than they come, or call events() where they are read. The job runs on: getJobStatus says how it is.',
    details: { jobId, unread: MOST_UNREAD },
  })
}
