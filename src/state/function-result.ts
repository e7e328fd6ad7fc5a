/** Refuses what the function of a reducing or an aggregating state must not return: it would be stored as the value. */
import { StreamError } from '../base/errors.ts'
import { takeNoNotice } from '../base/unawaited.ts'

/** Per addition. FUNCTION_RESULT_INVALID for a promise; anything else as it is. */
export function storable<T>(result: T, stateName: string): T {
  if (!(result instanceof Promise)) return result
  takeNoNotice(result)
  throw new StreamError('FUNCTION_RESULT_INVALID', {
    message: `The function of state '${stateName}' returned a promise.`,
    hint: 'State is changed synchronously for each record. Wait in open(), or put the waiting into a source or a sink.',
    details: { state: stateName },
  })
}
