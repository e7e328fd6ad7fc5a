/**
 * The first byte of each value in the default binary format, version 1. Numbers never change their meaning: what was
 * written once must stay readable.
 */

/** Ends a list of properties; never begins a value. */
export const END = 0x00
export const UNDEFINED = 0x01
export const NULL = 0x02
export const FALSE = 0x03
export const TRUE = 0x04
/** IEEE 754 double, little-endian. */
export const FLOAT64 = 0x05
/** A 32-bit integer, zigzag, as a varint. */
export const INT32 = 0x06
/** Two's complement, little-endian. */
export const BIGINT64 = 0x07
/** Sign (0 or 1), varint length, magnitude big-endian. */
export const BIGINT = 0x08
/** Varint length, one byte a UTF-16 unit: every unit is below 256. */
export const LATIN1 = 0x0a
/** Varint number of units, two bytes each: lone surrogates survive. */
export const UTF16 = 0x0b
/** Names (written as strings) and values in turn, until END. */
export const OBJECT = 0x0c
/** The same, of an object without prototype. */
export const NULL_OBJECT = 0x0d
/** Varint length, elements. */
export const ARRAY = 0x0e
/** Varint length, names and values until END: arrays with holes or with named properties. */
export const SPARSE_ARRAY = 0x0f
/** Varint number of entries, keys and values. */
export const MAP = 0x10
export const SET = 0x11
/** A double: NaN for an invalid date. */
export const DATE = 0x12
/** Source, flags and lastIndex, as values. */
export const REGEXP = 0x13
/** Varint length, bytes. */
export const ARRAY_BUFFER = 0x14
/** Place in ARRAY_VIEWS, varint length in bytes, bytes. */
export const ARRAY_VIEW = 0x15
/** The primitive inside. */
export const BOXED = 0x16
/** Place in ERRORS; name, 1 for enumerable, value of each own property, until END. */
export const ERROR = 0x17
/** A Latin-1 string of 0 to 63 units: its length in the lower six bits. */
export const SHORT_STRING = 0x40
/** An integer of 0 to 127 in the lower seven bits. */
export const SMALL_INTEGER = 0x80

/** Deeper values are refused, in both directions: a reader must not overflow the stack. */
export const DEEPEST = 1000

interface ViewConstructor {
  readonly name: string
  readonly prototype: object
  readonly BYTES_PER_ELEMENT?: number
  new (buffer: ArrayBuffer, byteOffset: number, length: number): ArrayBufferView
}

/** Append only. */
export const ARRAY_VIEWS: readonly ViewConstructor[] = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
]
/** A Node `Buffer`, which is no constructor of its own. */
export const BUFFER_VIEW = 0x40

/** Append only. */
export const ERRORS: readonly ErrorConstructor[] = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
]
