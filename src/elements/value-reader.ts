/** Reads the default binary format back. Trusts no byte: lengths, depth and tags are checked, and no prototype is ever touched. */
import { StreamError } from '../base/errors.ts'
import type { ByteReader } from './byte-reader.ts'
import {
  ARRAY,
  ARRAY_BUFFER,
  ARRAY_VIEW,
  ARRAY_VIEWS,
  BIGINT,
  BIGINT64,
  BOXED,
  BUFFER_VIEW,
  DATE,
  DEEPEST,
  END,
  ERROR,
  ERRORS,
  FALSE,
  FLOAT64,
  INT32,
  LATIN1,
  MAP,
  NULL,
  NULL_OBJECT,
  OBJECT,
  REGEXP,
  SET,
  SHORT_STRING,
  SMALL_INTEGER,
  SPARSE_ARRAY,
  TRUE,
  UNDEFINED,
  UTF16,
} from './value-tags.ts'

/** The next value. Throws NOT_DESERIALIZABLE. */
export function readValue(input: ByteReader): unknown {
  return readPart(input, 0)
}

function readPart(input: ByteReader, depth: number): unknown {
  const tag = input.uint8()
  if (tag >= SMALL_INTEGER) return tag & 0x7f
  if (tag >= SHORT_STRING) return readLatin1(input, tag & 0x3f)
  switch (tag) {
    case UNDEFINED:
      return undefined
    case NULL:
      return null
    case FALSE:
      return false
    case TRUE:
      return true
    case FLOAT64:
      return input.float64()
    case INT32: {
      const zigzag = input.varint()
      return (zigzag >>> 1) ^ -(zigzag & 1)
    }
    case LATIN1:
    case UTF16:
      return readString(input, tag)
    case BIGINT64:
      input.need(8)
      input.position += 8
      return input.view.getBigInt64(input.position - 8, true)
    case BIGINT:
      return readBigint(input)
    default:
      return readObject(input, tag, depth)
  }
}

function readString(input: ByteReader, tag: number): string {
  if (tag >= SHORT_STRING && tag < SMALL_INTEGER) return readLatin1(input, tag & 0x3f)
  if (tag === LATIN1) return readLatin1(input, input.varint())
  if (tag !== UTF16) return input.broken(`a string is due where tag ${tag} stands`)
  const bytes = input.raw(input.varint() * 2)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf16le')
}

function readLatin1(input: ByteReader, length: number): string {
  input.need(length)
  const start = input.position
  input.position += length
  if (length > 24) return Buffer.from(input.bytes.buffer, input.bytes.byteOffset + start, length).toString('latin1')
  return shortText(input.bytes, start, length)
}

/** Eight at a time: each concatenation makes a string, and a state with a million keys is a million such texts. */
function shortText(bytes: Uint8Array, start: number, length: number): string {
  const { fromCharCode } = String
  const end = start + length
  let text = ''
  let at = start
  for (; at + 8 <= end; at += 8)
    text += fromCharCode(
      bytes[at] as number,
      bytes[at + 1] as number,
      bytes[at + 2] as number,
      bytes[at + 3] as number,
      bytes[at + 4] as number,
      bytes[at + 5] as number,
      bytes[at + 6] as number,
      bytes[at + 7] as number,
    )
  for (; at < end; at++) text += fromCharCode(bytes[at] as number)
  return text
}

/** Names repeat from object to object: the string made last for such bytes is taken again. */
const recentNames: string[] = new Array<string>(256).fill('')

/** The next property name, or undefined at END. */
function readName(input: ByteReader): string | undefined {
  const tag = input.uint8()
  if (tag === END) return undefined
  if (tag < SHORT_STRING || tag >= SMALL_INTEGER) return readString(input, tag)
  const length = tag & 0x3f
  input.need(length)
  const { bytes, position } = input
  let place = length
  for (let i = 0; i < length; i++) place = (place * 31 + (bytes[position + i] as number)) & 0xff
  const recent = recentNames[place] as string
  if (recent.length === length) {
    let i = 0
    while (i < length && recent.charCodeAt(i) === bytes[position + i]) i++
    if (i === length) {
      input.position += length
      return recent
    }
  }
  const name = readLatin1(input, length)
  recentNames[place] = name
  return name
}

function readBigint(input: ByteReader): bigint {
  const sign = input.uint8()
  const bytes = input.bytesWithLength()
  const magnitude = BigInt(`0x0${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`)
  return sign === 0 ? magnitude : -magnitude
}

function readObject(input: ByteReader, tag: number, depth: number): unknown {
  if (depth >= DEEPEST) return input.broken(`values lie more than ${DEEPEST} objects deep`)
  switch (tag) {
    case OBJECT:
      return readProperties(input, {}, depth)
    case NULL_OBJECT:
      return readProperties(input, Object.create(null) as Record<string, unknown>, depth)
    case ARRAY: {
      const length = input.varint()
      input.need(length)
      const elements: unknown[] = []
      for (let i = 0; i < length; i++) elements.push(readPart(input, depth + 1))
      return elements
    }
    case SPARSE_ARRAY:
      return readSparseArray(input, depth)
    case MAP: {
      const size = input.varint()
      input.need(size)
      const map = new Map<unknown, unknown>()
      for (let i = 0; i < size; i++) map.set(readPart(input, depth + 1), readPart(input, depth + 1))
      return map
    }
    case SET: {
      const size = input.varint()
      input.need(size)
      const set = new Set<unknown>()
      for (let i = 0; i < size; i++) set.add(readPart(input, depth + 1))
      return set
    }
    case DATE:
      return new Date(input.float64())
    case REGEXP:
      return readRegExp(input, depth)
    case ARRAY_BUFFER:
      return bufferOf(input.bytesWithLength())
    case ARRAY_VIEW:
      return readView(input)
    case BOXED:
      return readBoxed(input, depth)
    case ERROR:
      return readError(input, depth)
    default:
      return input.broken(`there is no tag ${tag}`)
  }
}

function readProperties(input: ByteReader, target: Record<string, unknown>, depth: number): unknown {
  for (let name = readName(input); name !== undefined; name = readName(input)) {
    const value = readPart(input, depth + 1)
    // An assignment to this one name would set the prototype.
    if (name === '__proto__') define(target, name, value, true)
    else target[name] = value
  }
  return target
}

function define(target: object, name: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, name, { value, enumerable, configurable: true, writable: true })
}

function readSparseArray(input: ByteReader, depth: number): unknown[] {
  const elements: unknown[] = []
  const length = input.varint()
  for (let name = readName(input); name !== undefined; name = readName(input)) {
    if (name === 'length') return input.broken('an array has a property named length')
    define(elements, name, readPart(input, depth + 1), true)
  }
  if (elements.length > length)
    return input.broken(`an array of length ${length} has an element at ${elements.length - 1}`)
  elements.length = length
  return elements
}

function readRegExp(input: ByteReader, depth: number): RegExp {
  const source = readPart(input, depth + 1)
  const flags = readPart(input, depth + 1)
  const lastIndex = readPart(input, depth + 1)
  if (typeof source !== 'string' || typeof flags !== 'string' || typeof lastIndex !== 'number')
    return input.broken('a regular expression is malformed')
  try {
    const expression = new RegExp(source, flags)
    expression.lastIndex = lastIndex
    return expression
  } catch (cause) {
    // SyntaxError: the bytes are no regular expression, or one of a newer engine.
    throw new StreamError('NOT_DESERIALIZABLE', {
      message: `The stored regular expression /${source}/${flags} is not valid here.`,
      hint: 'It may have been written by a newer version of Node.',
      cause,
    })
  }
}

/** A copy: the bytes around it are shared with every other value of the file. */
function bufferOf(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.byteLength)
  new Uint8Array(copy).set(bytes)
  return copy
}

function readView(input: ByteReader): unknown {
  const place = input.uint8()
  const bytes = input.bytesWithLength()
  const buffer = bufferOf(bytes)
  if (place === BUFFER_VIEW) return Buffer.from(buffer)
  const View = ARRAY_VIEWS[place]
  if (View === undefined) return input.broken(`there is no kind ${place} of typed array`)
  const width = View.BYTES_PER_ELEMENT ?? 1
  if (bytes.byteLength % width !== 0) return input.broken(`${bytes.byteLength} bytes are no ${View.name}`)
  return new View(buffer, 0, bytes.byteLength / width)
}

function readBoxed(input: ByteReader, depth: number): unknown {
  const primitive = readPart(input, depth + 1)
  if (typeof primitive === 'object' || primitive === undefined) return input.broken('a boxed primitive holds none')
  return Object(primitive) as unknown
}

function readError(input: ByteReader, depth: number): unknown {
  const place = input.uint8()
  const Constructor = ERRORS[place]
  if (Constructor === undefined) return input.broken(`there is no kind ${place} of error`)
  const error = new Constructor()
  Reflect.deleteProperty(error, 'stack')
  for (let name = readName(input); name !== undefined; name = readName(input)) {
    const enumerable = input.uint8() === 1
    define(error, name, readPart(input, depth + 1), enumerable)
  }
  return error
}
