/** Names the operator whose key selector gave what cannot be a key: who refuses keys does not know it. */
import { StreamError } from '../base/errors.ts'

/** INVALID_KEY with the operator in message and details; anything else as it is. */
export function refusedKey(thrown: unknown, operatorName: string): unknown {
  if (!StreamError.is(thrown) || thrown.code !== 'INVALID_KEY' || 'operator' in thrown.details) return thrown
  const { message, hint, details } = thrown
  return new StreamError('INVALID_KEY', {
    message: `Operator "${operatorName}": ${message}`,
    hint,
    details: { ...details, operator: operatorName },
    cause: thrown,
  })
}
