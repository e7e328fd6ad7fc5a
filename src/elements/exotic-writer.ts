/** Writes what is neither a primitive nor a plain object or array. Instances of a user's classes are refused. */
import { types } from 'node:util'
import type { ByteWriter } from './byte-writer.ts'
import { REFUSED } from './not-serializable.ts'
import {
  ARRAY_BUFFER,
  ARRAY_VIEW,
  ARRAY_VIEWS,
  BOXED,
  BUFFER_VIEW,
  DATE,
  END,
  ERROR,
  ERRORS,
  MAP,
  REGEXP,
  SET,
} from './value-tags.ts'
import { writePart, writeString } from './value-writer.ts'

const BYTES_VIEW = ARRAY_VIEWS.indexOf(Uint8Array)

export function writeExotic(out: ByteWriter, value: object, depth: number): void {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (types.isNativeError(value)) writeError(out, value, prototype, depth)
  else if (ArrayBuffer.isView(value)) writeView(out, value, prototype)
  else if (types.isStringObject(value)) writeBoxedString(out, value, prototype)
  else writeCollection(out, value, prototype, depth)
}

function writeBoxedString(out: ByteWriter, value: object, prototype: unknown): void {
  const text = String(value)
  if (prototype !== String.prototype || Object.keys(value).length !== text.length) throw REFUSED
  out.uint8(BOXED)
  writeString(out, text)
}

function writeCollection(out: ByteWriter, value: object, prototype: unknown, depth: number): void {
  // A property of its own would be lost.
  if (Reflect.ownKeys(value).length > (types.isRegExp(value) ? 1 : 0)) throw REFUSED
  if (types.isDate(value) && prototype === Date.prototype) {
    out.uint8(DATE)
    out.float64(value.getTime())
  } else if (types.isMap(value) && prototype === Map.prototype) {
    out.uint8(MAP)
    out.varint(value.size)
    for (const [key, entry] of value) {
      writePart(out, key, depth + 1)
      writePart(out, entry, depth + 1)
    }
  } else if (types.isSet(value) && prototype === Set.prototype) {
    out.uint8(SET)
    out.varint(value.size)
    for (const element of value) writePart(out, element, depth + 1)
  } else if (types.isRegExp(value) && prototype === RegExp.prototype) {
    out.uint8(REGEXP)
    writeString(out, value.source)
    writeString(out, value.flags)
    writePart(out, value.lastIndex, depth + 1)
  } else if (types.isArrayBuffer(value) && prototype === ArrayBuffer.prototype) {
    if (!isSteady(value)) throw REFUSED
    out.uint8(ARRAY_BUFFER)
    out.bytesWithLength(new Uint8Array(value))
  } else if (types.isBoxedPrimitive(value) && isBuiltInBox(value, prototype)) {
    out.uint8(BOXED)
    writePart(out, value.valueOf(), depth + 1)
  } else throw REFUSED
}

function isBuiltInBox(value: object, prototype: unknown): boolean {
  return (
    (types.isNumberObject(value) && prototype === Number.prototype) ||
    (types.isBooleanObject(value) && prototype === Boolean.prototype) ||
    (types.isBigIntObject(value) && prototype === BigInt.prototype)
  )
}

/** The bytes in view, not the whole buffer behind them. */
function writeView(out: ByteWriter, value: ArrayBufferView, prototype: unknown): void {
  const place =
    prototype === Buffer.prototype ? BUFFER_VIEW : ARRAY_VIEWS.findIndex((view) => view.prototype === prototype)
  const { buffer, byteLength, byteOffset } = value
  if (place < 0 || !(buffer instanceof ArrayBuffer) || !isSteady(buffer) || hasNamedProperties(value)) throw REFUSED
  out.uint8(ARRAY_VIEW)
  out.uint8(place)
  out.bytesWithLength(new Uint8Array(buffer, byteOffset, byteLength))
}

/**
 * Writes bytes, as the value that they are, and nothing that their array may hold beside them. False, and nothing is
 * written, where it is no array of bytes that stay as they are.
 */
export function writeBytes(out: ByteWriter, value: unknown): boolean {
  if (!(value instanceof Uint8Array) || !(value.buffer instanceof ArrayBuffer)) return false
  // One that was detached has lost its bytes; asking for that costs something, and only it has none.
  if ((value.buffer as { readonly resizable?: boolean }).resizable === true) return false
  if (value.length === 0 && !isSteady(value.buffer)) return false
  out.uint8(ARRAY_VIEW)
  out.uint8(Buffer.isBuffer(value) ? BUFFER_VIEW : BYTES_VIEW)
  out.bytesWithLength(value)
  return true
}

/** Listing the names of a large array costs more than writing it, so there a property with a text as name goes unnoticed. */
function hasNamedProperties(value: ArrayBufferView): boolean {
  const length = value instanceof DataView ? 0 : (value as Uint8Array).length
  if (length > 1024) return Object.getOwnPropertySymbols(value).length > 0
  return Reflect.ownKeys(value).length !== length
}

/** A buffer that could change its length would come back as one that cannot; a detached one has no bytes. */
function isSteady(buffer: ArrayBuffer): boolean {
  if ((buffer as { readonly resizable?: boolean }).resizable === true) return false
  if (buffer.byteLength > 0) return true
  try {
    new Uint8Array(buffer)
    return true
  } catch {
    // TypeError: the buffer is detached.
    return false
  }
}

/** All own properties, hidden ones included: `message`, `stack` and `cause` are hidden. */
function writeError(out: ByteWriter, value: Error, prototype: unknown, depth: number): void {
  const place = ERRORS.findIndex((kind) => kind.prototype === prototype)
  if (place < 0 || Object.getOwnPropertySymbols(value).length > 0) throw REFUSED
  out.uint8(ERROR)
  out.uint8(place)
  for (const name of Object.getOwnPropertyNames(value)) {
    writeString(out, name)
    out.uint8(Object.prototype.propertyIsEnumerable.call(value, name) ? 1 : 0)
    writePart(out, Reflect.get(value, name), depth + 1)
  }
  out.uint8(END)
}
