/** A serialised value with the version of its serializer in front, so that a later program can still read it. */
import { StreamError } from '../base/errors.ts'
import type { Serializer } from '../elements/serializer.ts'

/** 4 bytes of version, big-endian, then the payload. */
export function framed<T>(serializer: Serializer<T>, value: T): Uint8Array {
  const payload = serializer.serialize(value)
  const bytes = new Uint8Array(payload.length + 4)
  new DataView(bytes.buffer).setUint32(0, serializer.version)
  bytes.set(payload, 4)
  return bytes
}

/** The way back. STATE_INCOMPATIBLE when a newer version of the serializer wrote it. `what` names its owner in the message. */
export function unframed<T>(serializer: Serializer<T>, bytes: Uint8Array, what: string): T {
  const version = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0)
  if (version > serializer.version)
    throw new StreamError('STATE_INCOMPATIBLE', {
      message: `The state of ${what} was written by version ${version} of serializer "${serializer.id}", and this program has version ${serializer.version}.`,
      hint: 'Run the program that wrote the state, or a later one.',
      details: { serializer: serializer.id, stored: version, present: serializer.version },
    })
  return serializer.deserialize(bytes.subarray(4), version)
}
