/**
 * An entry of the canonical form: the key, the length of the value's bytes as a varint, the value. So entries are told
 * apart by whoever knows no serializer.
 */
import type { ByteReader } from '../elements/byte-reader.ts'
import type { ByteWriter } from '../elements/byte-writer.ts'
import {
  BIGINT,
  BIGINT64,
  FALSE,
  FLOAT64,
  INT32,
  LATIN1,
  SHORT_STRING,
  SMALL_INTEGER,
  TRUE,
  UTF16,
} from '../elements/value-tags.ts'

/** The longest length that one byte holds. */
const SHORT = 0x7f

/** Behind the key: leaves a byte for the length of the value, which is written next. Gives what `endEntryValue` needs. */
export function beginEntryValue(out: ByteWriter): number {
  out.reserve(1)
  return out.length++
}

/** The value is written; it is moved only where its length takes more than the one byte. */
export function endEntryValue(out: ByteWriter, begun: number): void {
  const length = out.length - begun - 1
  if (length <= SHORT) out.bytes[begun] = length
  else widen(out, begun, length)
}

function widen(out: ByteWriter, begun: number, length: number): void {
  const end = out.length
  const wide = bytesOfVarint(length)
  out.reserve(wide - 1)
  out.bytes.copyWithin(begun + wide, begun + 1, end)
  out.length = begun
  out.varint(length)
  out.length = end + wide - 1
}

function bytesOfVarint(value: number): number {
  let count = 1
  for (let left = value >>> 7; left > 0; left >>>= 7) count++
  return count
}

/** Appends an entry whose parts are bytes already. */
export function writeEntry(out: ByteWriter, key: Uint8Array, value: Uint8Array): void {
  out.raw(key)
  out.varint(value.length)
  out.raw(value)
}

/** The parts of the next entry: views of the bytes read. Throws NOT_DESERIALIZABLE. */
export function readEntry(input: ByteReader): { readonly key: Uint8Array; readonly value: Uint8Array } {
  const start = input.position
  skipMapKey(input)
  const key = input.bytes.subarray(start, input.position)
  return { key, value: input.bytesWithLength() }
}

/** Goes past a `MapKey` as `writeMapKey` writes it, without making a string of it. Throws NOT_DESERIALIZABLE. */
function skipMapKey(input: ByteReader): void {
  const tag = input.uint8()
  if (tag >= SMALL_INTEGER) return
  if (tag >= SHORT_STRING) {
    input.raw(tag & 0x3f)
    return
  }
  switch (tag) {
    case LATIN1:
      input.raw(input.varint())
      break
    case UTF16:
      input.raw(input.varint() * 2)
      break
    case INT32:
      input.varint()
      break
    case FLOAT64:
    case BIGINT64:
      input.raw(8)
      break
    case BIGINT:
      input.uint8()
      input.bytesWithLength()
      break
    case TRUE:
    case FALSE:
      break
    default:
      input.broken(`tag ${tag} begins no key`)
  }
}
