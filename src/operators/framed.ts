/** A serialised value with id and version of its serializer in front, so that a later program can still read it. */
import { StreamError } from '../base/errors.ts'
import type { Serializer } from '../elements/serializer.ts'

/** Version and length of the id. */
const HEAD_BYTES = 8

/** 4 bytes of version and 4 of the length of the id, both big-endian, the id in UTF-8, the payload. */
export function framed<T>(serializer: Serializer<T>, value: T): Uint8Array {
  const id = new TextEncoder().encode(serializer.id)
  const payload = serializer.serialize(value)
  const bytes = new Uint8Array(HEAD_BYTES + id.length + payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, serializer.version)
  view.setUint32(4, id.length)
  bytes.set(id, HEAD_BYTES)
  bytes.set(payload, HEAD_BYTES + id.length)
  return bytes
}

/**
 * The way back. STATE_INCOMPATIBLE when another serializer or a newer version of this one wrote it, STATE_CORRUPT when it
 * is cut off. `what` names its owner in the message.
 */
export function unframed<T>(serializer: Serializer<T>, bytes: Uint8Array, what: string): T {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const start = bytes.length < HEAD_BYTES ? Number.POSITIVE_INFINITY : HEAD_BYTES + view.getUint32(4)
  if (start > bytes.length) throw cutOff(what, bytes.length)
  const id = new TextDecoder().decode(bytes.subarray(HEAD_BYTES, start))
  const version = view.getUint32(0)
  if (id !== serializer.id || version > serializer.version) throw incompatible(what, { id, version }, serializer)
  return serializer.deserialize(bytes.subarray(start), version)
}

type Named = Pick<Serializer<never>, 'id' | 'version'>

function incompatible(what: string, stored: Named, present: Named): StreamError {
  return new StreamError('STATE_INCOMPATIBLE', {
    message: `The state of ${what} was written by version ${stored.version} of serializer "${stored.id}", and this program has version ${present.version} of "${present.id}".`,
    hint: 'Run the program that wrote the state, or a later one with the same serializer.',
    details: { serializer: present.id, storedSerializer: stored.id, stored: stored.version, present: present.version },
  })
}

function cutOff(what: string, length: number): StreamError {
  return new StreamError('STATE_CORRUPT', {
    message: `The state of ${what} is cut off: it has ${length} bytes.`,
    hint: 'Restore the file from a copy, or start from another checkpoint or savepoint by name.',
    details: { length },
  })
}
