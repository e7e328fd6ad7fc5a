/** Whether what was written to a stream has been taken: whoever prints millions of lines waits for their reader. */
import type { Writable } from 'node:stream'

/** The function waits until the stream takes more; `nobodyReads` when its other end is closed. Rejects with what else went wrong. */
export function takenFrom(stream: Writable): () => Promise<'taken' | 'nobodyReads'> {
  let failure: unknown
  let isWatched = false
  return async () => {
    // Only from here on: until then an error of the stream ends the process, as everywhere.
    if (!isWatched) stream.on('error', (error) => (failure = error))
    isWatched = true
    if (failure === undefined && stream.writableNeedDrain) await drained(stream)
    if (failure === undefined) return 'taken'
    if ((failure as { readonly code?: unknown }).code === 'EPIPE') return 'nobodyReads'
    throw failure
  }
}

function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    stream.once('drain', resolve)
    stream.once('error', () => resolve())
    stream.once('close', resolve)
  })
}
