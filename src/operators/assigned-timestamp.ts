/** What a user's timestamp assigner may return, for whoever calls one. */
import { StreamError } from '../base/errors.ts'

/** The timestamp itself. TIMESTAMP_INVALID when it is no time; -Infinity stands for "none". */
export function checkedTimestamp(assigned: number, operatorName: string): number {
  if (typeof assigned === 'number' && !Number.isNaN(assigned) && assigned !== Number.POSITIVE_INFINITY) return assigned
  throw new StreamError('TIMESTAMP_INVALID', {
    message: `The timestamp assigner of "${operatorName}" returned ${String(assigned)}.`,
    hint: 'Return milliseconds since the epoch as a finite number.',
    details: { operator: operatorName, returned: String(assigned) },
  })
}
