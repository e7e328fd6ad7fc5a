/**
 * From a key to its subtask: hash, key group, subtask. Flink's formulas, so that a job finds its state again at
 * another parallelism and under Flink. Pure functions; the same in every process and version, for ever.
 */
import { StreamError } from '../base/errors.ts'
import { COMPOSITE, invalidKey, type MapKey, mapKeyOf } from './key.ts'
import type { KeyGroupRange } from './key-group-range.ts'

/** Flink's bounds of the max parallelism. */
export const LOWEST_DEFAULT_MAX_PARALLELISM = 128
export const HIGHEST_MAX_PARALLELISM = 32768

/** The key group of a key as a key selector gives it. Per record. Throws INVALID_KEY. */
export function keyGroupOf(key: unknown, maxParallelism: number): number {
  return keyGroupOfHash(hashOfKey(key), maxParallelism)
}

/** Flink's murmur step over a hash code, modulo the max parallelism. */
export function keyGroupOfHash(hash: number, maxParallelism: number): number {
  return murmurHash(hash) % maxParallelism
}

/** Java's `hashCode` of the key: see `hashOfMapKey`. */
export function hashOfKey(key: unknown): number {
  // No copy is made of a string that begins with NUL: it hashes as what it is.
  if (typeof key === 'string') return hashOfString(key, 0)
  if (key === null || key === undefined) throw invalidKey(key)
  return hashOfMapKey(mapKeyOf(key))
}

/**
 * String, Boolean, Integer (where it fits 32 bits) or Double, and Long (a bigint of 64 bits) as in Java; a larger bigint,
 * an array or an object as the 31-polynomial over its encoded bytes.
 */
export function hashOfMapKey(mapKey: MapKey): number {
  switch (typeof mapKey) {
    case 'string':
      return hashOfString(mapKey, mapKey.charCodeAt(0) === 0 ? COMPOSITE.length : 0)
    case 'number':
      return (mapKey | 0) === mapKey ? mapKey | 0 : hashOfDouble(mapKey)
    case 'boolean':
      return mapKey ? 1231 : 1237
    default:
      return BigInt.asIntN(64, mapKey) === mapKey ? hashOfLong(mapKey) : hashOfLargeBigint(mapKey)
  }
}

/** Java's `String.hashCode` over UTF-16 units, from the unit at `start`. Also over bytes that stand in a string. */
export function hashOfString(text: string, start: number): number {
  let hash = 0
  for (let i = start; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash
}

const bits = new DataView(new ArrayBuffer(8))

/** Java's `Double.hashCode`, every NaN being the same. */
export function hashOfDouble(value: number): number {
  if (Number.isNaN(value)) return 0x7ff80000
  bits.setFloat64(0, value)
  return bits.getInt32(0) ^ bits.getInt32(4)
}

/** Java's `Long.hashCode`. */
export function hashOfLong(value: bigint): number {
  bits.setBigInt64(0, value)
  return bits.getInt32(0) ^ bits.getInt32(4)
}

/** Over sign (0 or 1) and the bytes of the magnitude, the highest first. */
function hashOfLargeBigint(value: bigint): number {
  const digits = (value < 0n ? -value : value).toString(16)
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
  let hash = value < 0n ? 1 : 0
  for (const byte of bytes) hash = (Math.imul(hash, 31) + byte) | 0
  return hash
}

/** Flink's `MathUtils.murmurHash`: a number of 0 to 2^31-1. Modulo the max parallelism it is the key group. */
export function murmurHash(code: number): number {
  let hash = Math.imul(code, 0xcc9e2d51)
  hash = (hash << 15) | (hash >>> 17)
  hash = Math.imul(hash, 0x1b873593)
  hash = (hash << 13) | (hash >>> 19)
  hash = (Math.imul(hash, 5) + 0xe6546b64) | 0
  hash ^= 4
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  hash ^= hash >>> 16
  if (hash >= 0) return hash
  return hash === -2147483648 ? 0 : -hash
}

/** The subtask that has the key group. */
export function subtaskOfKeyGroup(keyGroup: number, maxParallelism: number, parallelism: number): number {
  return Math.floor((keyGroup * parallelism) / maxParallelism)
}

/** The key groups of subtask `index`. */
export function keyGroupRangeOf(maxParallelism: number, parallelism: number, index: number): KeyGroupRange {
  return {
    first: Math.ceil((index * maxParallelism) / parallelism),
    last: Math.floor(((index + 1) * maxParallelism - 1) / parallelism),
  }
}

/** One range a subtask. Throws PARALLELISM_ABOVE_MAXIMUM when there are fewer key groups than subtasks. */
export function keyGroupRanges(maxParallelism: number, parallelism: number): readonly KeyGroupRange[] {
  if (!(parallelism >= 1 && parallelism <= maxParallelism && maxParallelism <= HIGHEST_MAX_PARALLELISM))
    throw new StreamError('PARALLELISM_ABOVE_MAXIMUM', {
      message: `Parallelism ${parallelism} does not go with max parallelism ${maxParallelism}.`,
      hint: `It must be from 1 to the max parallelism, which is at most ${HIGHEST_MAX_PARALLELISM}.`,
    })
  return Array.from({ length: parallelism }, (_, index) => keyGroupRangeOf(maxParallelism, parallelism, index))
}

/** Flink's default: 1.5 times the parallelism, up to the next power of two, from 128 to 32768. */
export function defaultMaxParallelism(parallelism: number): number {
  const wanted = parallelism + Math.floor(parallelism / 2)
  const power = 2 ** Math.ceil(Math.log2(wanted))
  return Math.min(Math.max(power, LOWEST_DEFAULT_MAX_PARALLELISM), HIGHEST_MAX_PARALLELISM)
}
