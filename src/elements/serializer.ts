/** The serializer contract, and the default one: every structured-clonable value comes back exactly, or is refused with its path. */
import { StreamError } from '../base/errors.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { readValue } from './value-reader.ts'
import { writeExamined, writeValue } from './value-writer.ts'

/** How a value becomes bytes and comes back. `id` and `version` are stored with what it wrote and checked on a restore. */
export interface Serializer<T> {
  /** Names the format, for ever: state of another id is refused. */
  readonly id: string
  /** Counts the formats of this id from 1. State of a higher version is refused, that of a lower one is read with its version. */
  readonly version: number
  /** The bytes are copied or kept: they must not change afterwards. */
  serialize(value: T): Uint8Array
  /** `version` is the one that wrote the bytes. */
  deserialize(bytes: Uint8Array, version: number): T
}

/** The binary form of one type of value inside a larger stream of bytes. What state and timers write with. */
export interface ValueCodec<T> {
  readonly id: string
  readonly version: number
  write(out: ByteWriter, value: T): void
  read(input: ByteReader, version: number): T
}

export const DEFAULT_SERIALIZER_ID = 'millrace.value'
const DEFAULT_SERIALIZER_VERSION = 1

/**
 * Keeps -0, NaN, undefined, bigint, Date, Map, Set, RegExp, errors, boxed primitives, typed arrays, Buffer, sparse
 * arrays and own `__proto__` keys; throws NOT_SERIALIZABLE for functions, symbols, cycles, promises, proxies and
 * instances of classes. One object that is reached twice comes back as two.
 */
export function defaultSerializer<T>(): Serializer<T> {
  return {
    id: DEFAULT_SERIALIZER_ID,
    version: DEFAULT_SERIALIZER_VERSION,
    serialize(value) {
      const out = new ByteWriter(64)
      writeExamined(out, value)
      return out.take()
    },
    deserialize(bytes, _version) {
      const input = new ByteReader(bytes)
      const value = readValue(input)
      input.expectEnd()
      return value as T
    },
  }
}

const DEFAULT_CODEC: ValueCodec<unknown> = {
  id: DEFAULT_SERIALIZER_ID,
  version: DEFAULT_SERIALIZER_VERSION,
  write: writeValue,
  read: readValue,
}

/**
 * The default serializer writes straight into the stream; any other one with its length in front. In the stream, objects
 * with the same names as the one before them are only looked at now and then: see `writeValue`.
 */
export function valueCodec<T>(serializer: Serializer<T> | undefined): ValueCodec<T> {
  if (serializer === undefined || serializer.id === DEFAULT_SERIALIZER_ID) return DEFAULT_CODEC as ValueCodec<T>
  return {
    id: serializer.id,
    version: serializer.version,
    write(out, value) {
      const bytes: unknown = serializer.serialize(value)
      if (!(bytes instanceof Uint8Array))
        throw new StreamError('NOT_SERIALIZABLE', {
          message: `Serializer '${serializer.id}' returned ${typeof bytes} instead of a Uint8Array.`,
          hint: 'Serializers are synchronous and return bytes.',
        })
      out.bytesWithLength(bytes)
    },
    read: (input, version) => serializer.deserialize(input.bytesWithLength(), version),
  }
}
