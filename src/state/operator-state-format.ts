/**
 * The bytes of one subtask's operator state, version 1. Elements stay bytes, so that they are dealt out again without
 * their serializers. Integers are little-endian.
 *
 *   magic "MROS", u16 format version, u32 length and u32 CRC-32 of what follows: a value of the default serializer,
 *   [{ name, mode, serializer: { id, version }, elements: [Uint8Array] }]
 */
import { crc32 } from 'node:zlib'
import { StreamError } from '../base/errors.ts'
import { ByteReader } from '../elements/byte-reader.ts'
import { ByteWriter } from '../elements/byte-writer.ts'
import { readValue } from '../elements/value-reader.ts'
import { writeValue } from '../elements/value-writer.ts'
import type { StoredSerializer } from './keyed-table.ts'
import type { OperatorListState } from './redistribution.ts'

/** One state of one subtask, as it is stored. */
export interface StoredOperatorState extends OperatorListState<Uint8Array> {
  readonly serializer: StoredSerializer
}

const MAGIC = 0x534f_524d
const FORMAT_VERSION = 1

export function encodeOperatorState(states: readonly StoredOperatorState[]): Uint8Array {
  const content = new ByteWriter(256)
  writeValue(
    content,
    states.map(({ name, mode, serializer: { id, version }, elements }) => ({
      name,
      mode,
      serializer: { id, version },
      elements,
    })),
  )
  const bytes = content.take()
  const out = new ByteWriter(bytes.length + 14)
  out.uint32(MAGIC)
  out.uint16(FORMAT_VERSION)
  out.uint32(bytes.length)
  out.uint32(crc32(bytes))
  out.raw(bytes)
  return out.take()
}

/** Throws STATE_CORRUPT, or STATE_INCOMPATIBLE for a newer format. */
export function decodeOperatorState(bytes: Uint8Array): readonly StoredOperatorState[] {
  const input = new ByteReader(bytes)
  if (input.remaining < 14 || input.uint32() !== MAGIC) throw corrupt('it does not begin as operator state does')
  const version = input.uint16()
  if (version > FORMAT_VERSION || version === 0)
    throw new StreamError('STATE_INCOMPATIBLE', {
      message: `The operator state is of format ${version}; this version of Millrace reads formats up to ${FORMAT_VERSION}.`,
      hint: 'Restore it with the version that wrote it, or a newer one.',
    })
  const length = input.uint32()
  const crc = input.uint32()
  if (length !== input.remaining) throw corrupt(`${length} bytes are announced, ${input.remaining} are there`)
  const content = input.raw(length)
  if (crc32(content) !== crc) throw corrupt('it does not match its checksum')
  const states: unknown = readValue(new ByteReader(content))
  if (!Array.isArray(states) || !states.every(isStored)) throw corrupt('its content is malformed')
  return states
}

function isStored(value: unknown): value is StoredOperatorState {
  const { name, mode, serializer, elements } = (value ?? {}) as Partial<StoredOperatorState>
  return (
    typeof name === 'string' &&
    (mode === 'split' || mode === 'union' || mode === 'broadcast') &&
    typeof serializer?.id === 'string' &&
    typeof serializer.version === 'number' &&
    Array.isArray(elements) &&
    elements.every((element) => element instanceof Uint8Array)
  )
}

function corrupt(what: string): StreamError {
  return new StreamError('STATE_CORRUPT', {
    message: `A payload of operator state is damaged: ${what}.`,
    hint: 'Restore the file from a copy, or start from another checkpoint or savepoint by name.',
  })
}
