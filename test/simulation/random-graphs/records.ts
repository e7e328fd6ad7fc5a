/**
 * The records of random graphs, and the pure functions that the job and the oracle both apply to them. Nothing here knows
 * of streams: whatever is exact about a job must come from the job.
 */

/** Fields of one letter: thousands of them are compared, and a failure prints them. */
export interface Row {
  /** Says where it came from: two rows of one stream differ in it, but by design. */
  readonly id: number
  /** The split it was read from; 0: of none. */
  readonly s: number
  /** Its number in that split. */
  readonly q: number
  /** Of it the keys are made. */
  readonly k: number
  readonly v: number
  /** Event time, where it has one. */
  readonly t: number
}

export type Key = string | number | readonly [number, string] | { readonly a: number; readonly b: string }

export const KEY_KINDS = ['number', 'string', 'tuple', 'object'] as const
export type KeyKind = (typeof KEY_KINDS)[number]

/** Behind every timestamp of a source, before the end of time. */
export const END = 4_000_000_000_000

/** A whole number of 32 bits that depends on all of its arguments and on their order. */
export function mix(...parts: readonly number[]): number {
  let hash = 0x9e3779b9
  for (const part of parts) {
    hash = Math.imul(hash ^ (part | 0), 0x85ebca6b)
    hash = Math.imul(hash ^ Math.floor(part / 2 ** 32), 0xc2b2ae35)
    hash ^= hash >>> 15
  }
  return hash | 0
}

/** From 0, below `below`. */
export const pick = (below: number, ...parts: readonly number[]): number => (mix(...parts) >>> 0) % below

export function keyOf(kind: KeyKind, { k, v }: Row): Key {
  const half = `h${v % 2}`
  switch (kind) {
    case 'number':
      return k
    case 'string':
      return `key ${k}`
    case 'tuple':
      return [k, half]
    case 'object':
      // Equal keys need not have their properties in one order.
      return v % 3 === 0 ? { b: half, a: k } : { a: k, b: half }
  }
}

/** Equal for equal keys. */
export function keyNumber(key: Key): number {
  if (typeof key === 'number') return mix(1, key)
  if (typeof key === 'string') return mix(2, ...[...key].map((letter) => letter.charCodeAt(0)))
  const [k, half] = 'a' in key ? [key.a, key.b] : key
  return mix('a' in key ? 4 : 3, k, half.charCodeAt(1))
}

/** A row that stands for a result: of a key, of a count, of whatever. */
export function result(salt: number, ...parts: readonly number[]): Row {
  const id = mix(salt, ...parts)
  return { id, s: 0, q: 0, k: pick(7, id), v: pick(1000, id, 1), t: pick(1000, id, 2) }
}

export function mapped(salt: number, row: Row): Row {
  const id = mix(salt, row.id)
  return { ...row, id, k: (row.k + pick(3, salt)) % 11, v: pick(1000, id) }
}

export function* flatMapped(salt: number, most: number, row: Row): Generator<Row> {
  const count = pick(most + 1, salt, row.id)
  for (let nth = 0; nth < count; nth++) yield { ...row, id: mix(salt, row.id, nth), v: pick(1000, salt, row.id, nth) }
}

export const kept = (salt: number, row: Row): boolean => pick(4, salt, row.id) > 0
/** Whether a function with a side output gives it there. */
export const aside = (salt: number, row: Row): boolean => pick(3, salt, row.id) === 0

/** What a state comes to, in whatever order rows were added: how many, and a sum of their ids. */
export interface Sum {
  readonly n: number
  readonly x: number
}

export const NOTHING: Sum = { n: 0, x: 0 }
export const sumOf = ({ id }: Row): Sum => ({ n: 1, x: id })
export const added = (one: Sum, other: Sum): Sum => ({ n: one.n + other.n, x: (one.x + other.x) | 0 })

/** Of everything that was broadcast, summed by `k`, in whatever order. */
export function broadcastNumber(salt: number, sums: Iterable<readonly [number, Sum]>): number {
  let number = salt
  for (const [k, { n, x }] of sums) number = (number + mix(k, n, x)) | 0
  return number
}

/** Depends on the order of the rows. */
export const follows = (hash: number, { id, q }: Row): number => mix(hash, id, q)

export const text = ({ id, s, q, k, v, t }: Row): string => [id, s, q, k, v, t].join(' ')
