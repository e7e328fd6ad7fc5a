/** The events of a job as an async iterator: pushed by the runtime, pulled by the program, nothing lost in between. */
import type { JobEvent, JobHandle } from '../runtime/job-handle.ts'

/** Listens from the call on. What nobody pulls is kept until the iterator is left. */
export function streamOfEvents(handle: JobHandle): AsyncIterableIterator<JobEvent> {
  const kept: JobEvent[] = []
  const waiting: ((result: IteratorResult<JobEvent>) => void)[] = []
  let ended = false
  const unsubscribe = handle.subscribe((event) => {
    const waiter = waiting.shift()
    if (waiter === undefined) kept.push(event)
    else waiter({ done: false, value: event })
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
      if (ended) return { done: true, value: undefined }
      return new Promise((resolve) => waiting.push(resolve))
    },
    async return() {
      kept.length = 0
      end()
      return { done: true, value: undefined }
    },
  }
}
