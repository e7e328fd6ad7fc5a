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

/**
 * `process` takes what makes the function, once a subtask and attempt; a function object and a class are the two things
 * that are given in its place. Throws INVALID_ARGUMENT.
 */
export function requireFactory(create: unknown): void {
  if (typeof create !== 'function')
    throw refused('process', create, 'a function that makes one: process((context) => ({ processElement … }))')
  if (isClass(create))
    throw refused('process', create, `a function that makes one: process((context) => new ${create.name}(context))`)
}

/** For objects of a user: it must have the method that everything else rests on. Throws INVALID_ARGUMENT, naming `method`. */
export function requireMember(method: string, value: object, member: string, legal: string): void {
  if (typeof value !== 'object' || value === null || typeof Reflect.get(value, member) !== 'function')
    throw refused(method, value, legal)
}

export function refused(method: string, value: unknown, legal: string): StreamError {
  return new StreamError('INVALID_ARGUMENT', {
    message: `${method}: ${shown(value)} is not legal here.`,
    hint: `Give ${legal}.`,
    details: { method, legal },
  })
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'function') return isClass(value) ? `the class ${value.name}` : 'a function'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

/** A class cannot be called without `new`. Its text is the only thing that tells. */
function isClass(value: object): boolean {
  return /^class[\s{]/.test(Function.prototype.toString.call(value))
}
