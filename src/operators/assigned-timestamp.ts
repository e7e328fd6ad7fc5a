/** What a timestamp assigner may return: anything else would travel as a time, or end all time at once. */
import { StreamError } from '../base/errors.ts'
import { takeNoNotice } from '../base/unawaited.ts'

/** Per record. TIMESTAMP_INVALID for what is no number, NaN or the time behind all times; -Infinity stands for none. */
export function assignedTimestamp(returned: unknown, operatorName: string): number {
  if (typeof returned === 'number' && returned < Number.POSITIVE_INFINITY) return returned
  takeNoNotice(returned)
  throw new StreamError('TIMESTAMP_INVALID', {
    message: `The timestamp assigner of "${operatorName}" returned ${String(returned)}.`,
    hint: 'Return milliseconds since the epoch as a finite number.',
    details: { operator: operatorName, returned: String(returned) },
  })
}

/** Per watermark. TIMESTAMP_INVALID for NaN, after which watermarks could fall: no number is smaller or larger. */
export function checkedWatermark(timestamp: number): number {
  if (!Number.isNaN(timestamp)) return timestamp
  throw new StreamError('TIMESTAMP_INVALID', {
    message: 'A watermark generator emitted NaN.',
    hint: 'Emit milliseconds since the epoch. A date that could not be parsed has the time NaN.',
  })
}
