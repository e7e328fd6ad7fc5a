/**
 * Writes a value in the default binary format: numbers, strings, plain objects and arrays here, the rarer kinds in
 * `exotic-writer.ts`. Refuses what would not come back as it was, and never leaves half a value behind.
 */

import { types } from 'node:util'
import { ByteWriter } from './byte-writer.ts'
import { writeExotic } from './exotic-writer.ts'
import { isPlainPrototype, REFUSED, refusal } from './not-serializable.ts'
import {
  ARRAY,
  BIGINT,
  BIGINT64,
  DEEPEST,
  END,
  FALSE,
  FLOAT64,
  INT32,
  LATIN1,
  NULL,
  NULL_OBJECT,
  OBJECT,
  SHORT_STRING,
  SMALL_INTEGER,
  SPARSE_ARRAY,
  TRUE,
  UNDEFINED,
  UTF16,
} from './value-tags.ts'

/** How many objects alike pass unexamined behind one that was looked at closely. */
const MOST_CREDIT = 15
let creditGiven = MOST_CREDIT

/**
 * Appends `value`, looking closely at every object in it; that costs more than writing it. Throws NOT_SERIALIZABLE with
 * the path of what is refused; `out` is as before then.
 */
export function writeExamined(out: ByteWriter, value: unknown): void {
  const before = creditGiven
  creditGiven = 0
  try {
    writeValue(out, value)
  } finally {
    creditGiven = before
  }
}

/**
 * The same for many values alike, such as the entries of a state: of objects with the same names one in 16 is looked at
 * closely, and what another one of them hides (symbols as names, hidden properties) may be left out.
 */
export function writeValue(out: ByteWriter, value: unknown): void {
  const start = out.length
  try {
    writePart(out, value, 0)
  } catch (thrown) {
    // REFUSED is ours and gets its path here; a getter of the user may throw anything, which is passed on.
    out.length = start
    throw thrown === REFUSED ? refusal(value) : thrown
  }
}

/** `depth` counts the objects around this value. */
export function writePart(out: ByteWriter, value: unknown, depth: number): void {
  switch (typeof value) {
    case 'string':
      writeString(out, value)
      break
    case 'number':
      writeNumber(out, value)
      break
    case 'object':
      if (value === null) out.uint8(NULL)
      else writeObject(out, value, depth)
      break
    case 'boolean':
      out.uint8(value ? TRUE : FALSE)
      break
    case 'undefined':
      out.uint8(UNDEFINED)
      break
    case 'bigint':
      writeBigint(out, value)
      break
    default:
      throw REFUSED
  }
}

export function writeNumber(out: ByteWriter, value: number): void {
  const integer = value | 0
  // -0 is no integer: 1 / -0 is negative.
  if (integer !== value || (integer === 0 && 1 / value < 0)) {
    out.uint8(FLOAT64)
    out.float64(value)
    return
  }
  out.reserve(6)
  if (integer >= 0 && integer < 128) {
    out.bytes[out.length++] = SMALL_INTEGER | integer
    return
  }
  out.bytes[out.length++] = INT32
  out.varint(((integer << 1) ^ (integer >> 31)) >>> 0)
}

export function writeString(out: ByteWriter, text: string): void {
  const units = text.length
  out.reserve(units + 6)
  const start = out.length
  if (units < 64) out.bytes[out.length++] = SHORT_STRING | units
  else {
    out.bytes[out.length++] = LATIN1
    out.varint(units)
  }
  const { bytes, length } = out
  let seen = 0
  for (let i = 0; i < units; i++) {
    const unit = text.charCodeAt(i)
    seen |= unit
    bytes[length + i] = unit
  }
  if (seen < 256) out.length = length + units
  else {
    out.length = start
    writeUtf16(out, text)
  }
}

function writeUtf16(out: ByteWriter, text: string): void {
  const units = text.length
  out.reserve(units * 2 + 6)
  out.bytes[out.length++] = UTF16
  out.varint(units)
  const { bytes } = out
  let at = out.length
  for (let i = 0; i < units; i++) {
    const unit = text.charCodeAt(i)
    bytes[at++] = unit
    bytes[at++] = unit >>> 8
  }
  out.length = at
}

function writeBigint(out: ByteWriter, value: bigint): void {
  if (BigInt.asIntN(64, value) === value) {
    out.uint8(BIGINT64)
    out.reserve(8)
    out.view.setBigInt64(out.length, value, true)
    out.length += 8
    return
  }
  const digits = (value < 0n ? -value : value).toString(16)
  out.uint8(BIGINT)
  out.uint8(value < 0n ? 1 : 0)
  out.bytesWithLength(Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex'))
}

function writeObject(out: ByteWriter, value: object, depth: number): void {
  if (depth >= DEEPEST) throw REFUSED
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype) writeProperties(out, value, OBJECT, depth)
  else if (Array.isArray(value)) writeArray(out, value, depth)
  else if (prototype === null) writeProperties(out, value, NULL_OBJECT, depth)
  else if (isPlainPrototype(prototype as object)) writeProperties(out, value, OBJECT, depth)
  else writeExotic(out, value, depth)
}

/** The property names of an object that was looked at closely, and their bytes. */
interface Shape {
  names: readonly string[]
  encoded: readonly Uint8Array[]
  /** How many objects alike may still pass unexamined. */
  credit: number
}

/** By depth: the last object that was looked at closely. */
const examined: Shape[] = []

/**
 * Looking for what a plain object may hide (symbols as names, hidden properties, a proxy) costs more than writing it. So
 * it is done for every object whose names differ from those of its predecessor, and for some of the others.
 */
function writeProperties(out: ByteWriter, value: object, tag: number, depth: number): void {
  const start = out.length
  out.uint8(tag)
  let shape = examined[depth]
  if (shape === undefined) examined[depth] = shape = { names: [], encoded: [], credit: 0 }
  const { names, encoded } = shape
  let count = 0
  let alike = true
  const properties = value as Record<string, unknown>
  for (const name in properties) {
    if (names[count] === name) writeEncoded(out, encoded[count] as Uint8Array)
    else {
      alike = false
      writeString(out, name)
    }
    count++
    writePart(out, properties[name], depth + 1)
  }
  out.uint8(END)
  if (alike && count === names.length && creditGiven > 0 && shape.credit-- > 0) return
  shape.credit = 0
  const own = Object.keys(value)
  if (types.isProxy(value) || hidesSomething(value, own.length)) throw REFUSED
  if (own.length !== count) {
    out.length = start
    writeOwnProperties(out, properties, tag, own, depth)
    return
  }
  if (!alike || count !== names.length) {
    shape.names = own
    shape.encoded = own.map(encodedString)
  }
  shape.credit = creditGiven
}

/** `named`: how many properties are known of. Two calls with a fast way each: `Reflect.ownKeys` has none. */
function hidesSomething(value: object, named: number): boolean {
  return Object.getOwnPropertyNames(value).length !== named || Object.getOwnPropertySymbols(value).length > 0
}

function encodedString(text: string): Uint8Array {
  const out = new ByteWriter(text.length + 6)
  writeString(out, text)
  return out.take()
}

/** Names are short: a loop costs less than a call of `set`. */
function writeEncoded(out: ByteWriter, encoded: Uint8Array): void {
  const count = encoded.length
  out.reserve(count)
  const { bytes, length } = out
  for (let i = 0; i < count; i++) bytes[length + i] = encoded[i] as number
  out.length = length + count
}

/** Somebody gave `Object.prototype` a property that `for in` finds: it belongs to no object. */
function writeOwnProperties(
  out: ByteWriter,
  properties: Record<string, unknown>,
  tag: number,
  own: readonly string[],
  depth: number,
): void {
  out.uint8(tag)
  for (const name of own) {
    writeString(out, name)
    writePart(out, properties[name], depth + 1)
  }
  out.uint8(END)
}

/** Listing the names of a long array costs many times what writing it does, so there a hidden one goes unnoticed. */
function arrayHidesSomething(value: readonly unknown[], named: number): boolean {
  if (value.length > LONG_ARRAY) return Object.getOwnPropertySymbols(value).length > 0
  // `length` is the one hidden property that every array has.
  return hidesSomething(value, named + 1)
}

const LONG_ARRAY = 1024
let arrayCredit = 0

function writeArray(out: ByteWriter, value: readonly unknown[], depth: number): void {
  if (types.isProxy(value) || !isPlainArray(value)) throw REFUSED
  const start = out.length
  const names = Object.keys(value)
  const length = value.length
  if (creditGiven === 0 || arrayCredit-- <= 0) {
    arrayCredit = 0
    if (arrayHidesSomething(value, names.length)) throw REFUSED
    // The names of an array cost more than those of an object.
    arrayCredit = creditGiven * 4
  }
  if (names.length === length) {
    out.uint8(ARRAY)
    out.varint(length)
    let whole = true
    for (let i = 0; i < length && whole; i++) {
      const element = value[i]
      if (element === undefined && !Object.hasOwn(value, i)) whole = false
      else writePart(out, element, depth + 1)
    }
    if (whole) return
    out.length = start
  }
  out.uint8(SPARSE_ARRAY)
  out.varint(length)
  for (const name of names) {
    writeString(out, name)
    writePart(out, (value as unknown as Record<string, unknown>)[name], depth + 1)
  }
  out.uint8(END)
}

/** Of this realm or another, but no subclass. */
function isPlainArray(value: readonly unknown[]): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return (
    prototype === Array.prototype ||
    (Array.isArray(prototype) && isPlainPrototype(Object.getPrototypeOf(prototype) as object | null))
  )
}
