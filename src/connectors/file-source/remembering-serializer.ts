/**
 * The default format for objects that do not change, with their bytes remembered: of ten thousand files that are followed
 * only those are serialised again that something happened to since the last checkpoint.
 */
import { defaultSerializer, type Serializer } from '../../elements/serializer.ts'

export function rememberingSerializer<T extends object>(): Serializer<T> {
  const plain = defaultSerializer<T>()
  const remembered = new WeakMap<T, Uint8Array>()
  return {
    id: plain.id,
    version: plain.version,
    serialize(value) {
      const known = remembered.get(value)
      if (known !== undefined) return known
      const bytes = plain.serialize(value)
      remembered.set(value, bytes)
      return bytes
    },
    deserialize: (bytes, version) => plain.deserialize(bytes, version),
  }
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

export function unpacked<T>(buffer: ArrayBuffer, serializer: Serializer<T>): readonly T[] {
  const bytes = new Uint8Array(buffer)
  const view = new DataView(buffer)
  const values: T[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + LENGTH_BYTES + view.getUint32(at)
    values.push(serializer.deserialize(bytes.subarray(at + LENGTH_BYTES, end), serializer.version))
    at = end
  }
  return values
}
