/** Refuses what a user's function must not return: values come synchronously, or not at all. */
import { StreamError } from '../base/errors.ts'
import { takeNoNotice } from '../base/unawaited.ts'

/** For functions whose value goes on: a promise would travel as a value. */
export function refusePromise(result: unknown, operatorName: string, what: string): void {
  if (!(result instanceof Promise)) return
  takeNoNotice(result)
  throw unexpected(
    'a promise',
    operatorName,
    what,
    'Processing is synchronous for each record. Wait in open(), or put the waiting into a source or a sink.',
  )
}

/** For functions that return nothing: whatever they return instead would be lost. */
export function refuseResult(result: unknown, operatorName: string, what: string): void {
  if (result instanceof Promise) refusePromise(result, operatorName, what)
  if (typeof (result as { next?: unknown } | null)?.next === 'function')
    throw unexpected('a generator', operatorName, what, 'Emit with out.collect(value) instead of yield.')
  const got = result === null ? 'null' : `a value (${typeof result})`
  throw unexpected(got, operatorName, what, 'Emit with out.collect(value); a returned value would be lost.')
}

/** For flatMap: what it returns must be iterable, and a string would be taken apart into characters. */
export function refuseNotIterable(result: unknown, operatorName: string): never {
  refusePromise(result, operatorName, 'flatMap')
  const got = result === null ? 'null' : typeof result === 'string' ? 'a string' : `a value (${typeof result})`
  throw unexpected(
    got,
    operatorName,
    'flatMap',
    'Return an array or another iterable of the records to emit; an empty array for none.',
  )
}

function unexpected(got: string, operatorName: string, what: string, hint: string): StreamError {
  return new StreamError('FUNCTION_RESULT_INVALID', {
    message: `The function of ${what} in operator "${operatorName}" returned ${got}.`,
    hint,
    details: { operator: operatorName, function: what },
  })
}
