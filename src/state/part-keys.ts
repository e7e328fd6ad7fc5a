/**
 * Keys of the parts of a large map or list, in tables of their own: a key group, a number and a user key or the number of a
 * chunk stand in one string. No key of a user begins like them (`key.ts`). The parts lie in the key group of their owner's
 * key.
 */
import type { MapKey } from './key.ts'

/** In front of each. */
const PART = '\u0000p'
const PREFIX_LENGTH = PART.length + 6

/** What all parts of one map begin with: no other map of the key group has had the same number. */
export function partPrefix(keyGroup: number, number: number): string {
  return keyGroupPrefix(keyGroup) + fourBytes(number)
}

/** The key under which something stands that is kept once a key group. */
export function keyGroupPrefix(keyGroup: number): string {
  return PART + String.fromCharCode(keyGroup >>> 8, keyGroup & 0xff)
}

/** Chunks of one map have numbers. */
export function chunkKey(prefix: string, chunk: number): string {
  return prefix + fourBytes(chunk)
}

/** Equal keys of the user give the same, others another one. */
export function entryKey(prefix: string, userKey: MapKey): string {
  switch (typeof userKey) {
    case 'string':
      return `${prefix}s${userKey}`
    case 'number':
      return `${prefix}n${userKey}`
    case 'bigint':
      return `${prefix}b${userKey}`
    default:
      return prefix + (userKey ? 't' : 'f')
  }
}

export function isPartKey(key: MapKey): key is string {
  return typeof key === 'string' && key.charCodeAt(0) === 0 && key.charCodeAt(1) === 0x70
}

export function keyGroupOfPart(key: string): number {
  return (key.charCodeAt(PART.length) << 8) | key.charCodeAt(PART.length + 1)
}

/** The prefix in a key of a part. */
export function prefixOf(key: string): string {
  return key.slice(0, PREFIX_LENGTH)
}

/** Whether the key is a prefix, and not that of a part or of a key group. */
export function isPrefix(key: MapKey): key is string {
  return typeof key === 'string' && key.length === PREFIX_LENGTH
}

/** For messages: the key of the user in the key of an entry. */
export function userKeyInWords(key: string): string {
  const text = key.slice(PREFIX_LENGTH + 1)
  return key.charAt(PREFIX_LENGTH) === 's' ? JSON.stringify(text) : text
}

function fourBytes(value: number): string {
  return String.fromCharCode(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)
}
