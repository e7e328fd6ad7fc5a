/** What a subtask sends downstream at its end. Decides nothing about when. */
import { type EndOfData, MAX_WATERMARK } from '../../elements/stream-element.ts'
import type { RecordWriter } from './record-writer.ts'
import type { InputEnd } from './subtask.ts'

export function endOfData({ drained, savepoint }: InputEnd): EndOfData {
  return { type: 'endOfData', drain: drained, ...(savepoint === null ? {} : { savepoint }) }
}

/** `withEndOfData`: nobody else has sent the largest watermark and the end of the data. */
export function endPartitions(writers: Iterable<RecordWriter>, withEndOfData: boolean): void {
  for (const writer of writers) {
    if (withEndOfData) {
      writer.writeControl({ type: 'watermark', timestamp: MAX_WATERMARK })
      writer.writeControl(endOfData({ drained: true, savepoint: null }))
    }
    writer.writeControl({ type: 'endOfPartition' })
  }
}
