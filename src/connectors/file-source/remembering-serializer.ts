/**
 * The default format for objects that do not change, with their bytes remembered, also those that they were read from: of
 * ten thousand files that are followed only those are serialised again that something happened to since the last checkpoint.
 */
import { defaultSerializer, type Serializer } from '../../elements/serializer.ts'

const plain = defaultSerializer<unknown>()
const remembered = new WeakMap<object, Uint8Array>()

/** Serialises it now, where there is time for that, and no more at the next snapshot. It does not change from now on. */
export function rememberBytes<T extends object>(value: T): T {
  bytesOf(value)
  return value
}

/** Whether a snapshot that holds this object costs next to nothing. */
export function isRemembered(value: object): boolean {
  return remembered.has(value)
}

export function rememberingSerializer<T extends object>(): Serializer<T> {
  return {
    id: plain.id,
    version: plain.version,
    serialize: bytesOf,
    deserialize(bytes, version) {
      const value = plain.deserialize(bytes, version) as T
      // A copy: they may be a part of much more, and may be used again.
      if (version === plain.version) remembered.set(value, bytes.slice())
      return value
    },
  }
}

function bytesOf(value: object): Uint8Array {
  const known = remembered.get(value)
  if (known !== undefined) return known
  const bytes = plain.serialize(value)
  remembered.set(value, bytes)
  return bytes
}

const LENGTH_BYTES = 4

/** All of them behind each other, each with its length in front. A bare buffer: its keys need not be looked through. */
export function packed<T>(values: readonly T[], serializer: Serializer<T>): ArrayBuffer {
  const pieces = values.map((value) => serializer.serialize(value))
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + LENGTH_BYTES + piece.length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const piece of pieces) {
    view.setUint32(at, piece.length)
    bytes.set(piece, at + LENGTH_BYTES)
    at += LENGTH_BYTES + piece.length
  }
  return bytes.buffer
}

export function* unpacked<T>(buffer: ArrayBuffer, serializer: Serializer<T>): Generator<T> {
  const bytes = new Uint8Array(buffer)
  const view = new DataView(buffer)
  for (let at = 0; at < bytes.length; ) {
    const end = at + LENGTH_BYTES + view.getUint32(at)
    yield serializer.deserialize(bytes.subarray(at + LENGTH_BYTES, end), serializer.version)
    at = end
  }
}
