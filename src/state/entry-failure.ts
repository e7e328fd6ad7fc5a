/** Errors of an entry that cannot be written into a snapshot. The same words for every backend. */
import { StreamError, toError } from '../base/errors.ts'
import type { MapKey } from './key.ts'
import type { KeyGroupRange } from './key-group-range.ts'
import { keyedStateInWords, keyInWords } from './state-in-words.ts'

/** The key of another subtask: written, it would be lost at the next restore. */
export function foreignKeyGroup(keyGroup: number, { first, last }: KeyGroupRange): StreamError {
  return new StreamError('INVALID_KEY', {
    message: `Its key group ${keyGroup} is none of this subtask's, ${first} to ${last}.`,
    hint: 'The key selector gave another key here than where the record was sent: it must depend on nothing but the record.',
  })
}

/** What its serializer threw, or `foreignKeyGroup`. `where`: `into checkpoint 7`. */
export function entryFailure(thrown: unknown, table: string, key: MapKey, where: string): StreamError {
  const cause = toError(thrown)
  return new StreamError(StreamError.is(cause) ? cause.code : 'NOT_SERIALIZABLE', {
    message: `${keyedStateInWords(table)} of key ${keyInWords(key)} could not be written ${where}: ${cause.message}`,
    hint: StreamError.is(cause) ? cause.hint : 'The serializer of this state threw.',
    details: { ...(StreamError.is(cause) ? cause.details : {}), state: table },
    cause,
  })
}
