/**
 * What may be a key, and which keys are equal. A key becomes a `MapKey`: a primitive that a `Map` compares as keys are
 * compared. Primitives stay themselves; arrays and plain objects become a string that no string of a user equals.
 */
import { types } from 'node:util'
import { StreamError } from '../base/errors.ts'
import { takeNoNotice } from '../base/unawaited.ts'
import { ByteReader } from '../elements/byte-reader.ts'
import { ByteWriter } from '../elements/byte-writer.ts'
import { isPlainPrototype } from '../elements/not-serializable.ts'
import { readValue } from '../elements/value-reader.ts'
import { ARRAY, END, FLOAT64, OBJECT } from '../elements/value-tags.ts'
import { writePart, writeString } from '../elements/value-writer.ts'

/** SameValueZero compares them: NaN equals NaN, -0 equals 0, 1 differs from "1" and from 1n. */
export type MapKey = string | number | bigint | boolean

/** In front of an encoded array or object. */
export const COMPOSITE = '\u0000c'
/** In front of a user's string that begins with NUL, so that it is no composite. */
const ESCAPED = '\u0000s'
const DEEPEST_KEY = 32

/** Per record. Throws INVALID_KEY with the path of the part that may not stand in a key. */
export function mapKeyOf(key: unknown): MapKey {
  switch (typeof key) {
    case 'string':
      return key.charCodeAt(0) === 0 ? ESCAPED + key : key
    case 'number':
    case 'bigint':
    case 'boolean':
      return key
    default:
      return encodeComposite(key)
  }
}

/** The key that is equal to every key with this `MapKey`. */
export function keyOf(mapKey: MapKey): unknown {
  if (typeof mapKey !== 'string' || mapKey.charCodeAt(0) !== 0) return mapKey
  const rest = mapKey.slice(COMPOSITE.length)
  if (mapKey.startsWith(ESCAPED)) return rest
  const input = new ByteReader(Buffer.from(rest, 'latin1'))
  const key = readValue(input)
  input.expectEnd()
  return key
}

const scratch = new ByteWriter(256)

/** The default binary format with properties in the order of their names, `-0` as 0: equal keys have equal bytes. */
function encodeComposite(key: unknown): string {
  scratch.length = 0
  encodePart(scratch, key, key, 0)
  return COMPOSITE + Buffer.from(scratch.bytes.buffer, 0, scratch.length).toString('latin1')
}

function encodePart(out: ByteWriter, part: unknown, key: unknown, depth: number): void {
  switch (typeof part) {
    case 'string':
    case 'boolean':
    case 'bigint':
      writePart(out, part, depth)
      break
    case 'number':
      if (Number.isNaN(part)) writeNaN(out)
      else writePart(out, part === 0 ? 0 : part, depth)
      break
    case 'object':
      if (part === null || depth >= DEEPEST_KEY || types.isProxy(part)) throw invalidKey(key)
      if (Array.isArray(part)) encodeArray(out, part, key, depth)
      else encodeObject(out, part, key, depth)
      break
    default:
      throw invalidKey(key)
  }
}

/** One of its many bit patterns: which of them a NaN has depends on how it came about. */
function writeNaN(out: ByteWriter): void {
  out.uint8(FLOAT64)
  out.uint32(0)
  out.uint32(0x7ff8_0000)
}

function encodeArray(out: ByteWriter, part: readonly unknown[], key: unknown, depth: number): void {
  out.uint8(ARRAY)
  out.varint(part.length)
  for (let i = 0; i < part.length; i++) encodePart(out, part[i], key, depth + 1)
}

function encodeObject(out: ByteWriter, part: object, key: unknown, depth: number): void {
  const prototype = Object.getPrototypeOf(part) as object | null
  const names = Object.keys(part)
  if ((prototype !== null && !isPlainPrototype(prototype)) || Reflect.ownKeys(part).length !== names.length)
    throw invalidKey(key)
  out.uint8(OBJECT)
  for (const name of names.sort()) {
    writeString(out, name)
    encodePart(out, (part as Record<string, unknown>)[name], key, depth + 1)
  }
  out.uint8(END)
}

/** Walks the key again, for the path of the part that may not stand in it. */
export function invalidKey(key: unknown): StreamError {
  const { path, what, hint } = findOffence(key, 'key', 0) ?? { path: 'key', what: 'cannot be a key', hint: KEY_HINT }
  return new StreamError('INVALID_KEY', {
    message: `${path} ${what}, which cannot stand in a key.`,
    hint,
    details: { path },
  })
}

const KEY_HINT = 'A key is a string, number, bigint or boolean, or an array or plain object of these.'

interface Offence {
  readonly path: string
  readonly what: string
  readonly hint: string
}

function findOffence(part: unknown, path: string, depth: number): Offence | undefined {
  const offence = (what: string, hint = KEY_HINT): Offence => ({ path, what, hint })
  if (part === undefined || part === null)
    return offence(`is ${part}`, `${KEY_HINT} Choose a value for records that have none.`)
  if (typeof part === 'function') return offence('is a function')
  if (typeof part === 'symbol') return offence('is a symbol', `${KEY_HINT} Use its description.`)
  if (typeof part !== 'object') return undefined
  if (depth >= DEEPEST_KEY) return offence(`lies more than ${DEEPEST_KEY} objects deep, or contains itself`)
  if (types.isProxy(part)) return offence('is a proxy')
  if (types.isDate(part)) return offence('is a Date', 'Use its number of milliseconds: getTime().')
  if (types.isPromise(part)) {
    takeNoNotice(part)
    return offence(
      'is a promise',
      'A key selector is synchronous: wait before the keyBy, in a source or an asynchronous operator.',
    )
  }
  if (Array.isArray(part)) {
    for (let i = 0; i < part.length; i++) {
      const found = findOffence(part[i], `${path}[${i}]`, depth + 1)
      if (found !== undefined) return found
    }
    return undefined
  }
  const prototype = Object.getPrototypeOf(part) as object | null
  if (prototype !== null && !isPlainPrototype(prototype)) {
    const maker: unknown = Reflect.get(part, 'constructor')
    return offence(
      `is an instance of the class ${typeof maker === 'function' ? maker.name : '(without a name)'}`,
      `${KEY_HINT} Use the field that identifies it.`,
    )
  }
  const names = Object.keys(part)
  if (Reflect.ownKeys(part).length !== names.length) return offence('has a hidden property or one named by a symbol')
  for (const name of names) {
    const found = findOffence((part as Record<string, unknown>)[name], `${path}.${name}`, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}
