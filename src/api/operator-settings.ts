/** The setters that streams and sinks share. Each refuses a bad value at once. */
import { StreamError } from '../base/errors.ts'
import type { OperatorSettings } from '../graph/transformation.ts'
import { HIGHEST_MAX_PARALLELISM } from '../state/key-groups.ts'

export function setUid(settings: OperatorSettings, uid: string): void {
  if (typeof uid !== 'string' || uid === '') throw refused('uid', uid, 'a string that is not empty')
  settings.uid = uid
}

export function setName(settings: OperatorSettings, name: string): void {
  if (typeof name !== 'string' || name === '') throw refused('name', name, 'a string that is not empty')
  settings.name = name
}

export function setParallelism(settings: OperatorSettings, parallelism: number): void {
  settings.parallelism = checkedParallelism('setParallelism', parallelism)
}

export function setMaxParallelism(settings: OperatorSettings, maxParallelism: number): void {
  settings.maxParallelism = checkedParallelism('setMaxParallelism', maxParallelism)
}

/** From 1 to 32,768, whole. Throws INVALID_ARGUMENT, naming `method`. */
export function checkedParallelism(method: string, value: number): number {
  if (!Number.isInteger(value) || value < 1 || value > HIGHEST_MAX_PARALLELISM)
    throw refused(method, value, `a whole number from 1 to ${HIGHEST_MAX_PARALLELISM}`)
  return value
}

/** From plain JavaScript anything may come. Throws INVALID_ARGUMENT, naming `method`. */
export function requireFunction(method: string, value: unknown): void {
  if (typeof value !== 'function') throw refused(method, value, 'a function')
}

/** For objects of a user: it must have the method that everything else rests on. Throws INVALID_ARGUMENT, naming `method`. */
export function requireMember(method: string, value: object, member: string, legal: string): void {
  if (typeof value !== 'object' || value === null || typeof Reflect.get(value, member) !== 'function')
    throw refused(method, value, legal)
}

export function refused(method: string, value: unknown, legal: string): StreamError {
  const shown =
    typeof value === 'string'
      ? JSON.stringify(value)
      : typeof value === 'object' && value !== null
        ? 'an object'
        : String(value)
  return new StreamError('INVALID_ARGUMENT', {
    message: `${method}: ${shown} is not legal here.`,
    hint: `Give ${legal}.`,
    details: { method, legal },
  })
}
