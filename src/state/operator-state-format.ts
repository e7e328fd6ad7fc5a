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
import { writeBytes } from '../elements/exotic-writer.ts'
import { readValue } from '../elements/value-reader.ts'
import { ARRAY, END, OBJECT } from '../elements/value-tags.ts'
import { writeString, writeValue } from '../elements/value-writer.ts'
import type { StoredSerializer } from './keyed-table.ts'
import type { OperatorListState } from './redistribution.ts'
import { operatorStateInWords } from './state-in-words.ts'

/** One state of one subtask, as it is stored. */
export interface StoredOperatorState extends OperatorListState<Uint8Array> {
  readonly serializer: StoredSerializer
}

const MAGIC = 0x534f_524d
const FORMAT_VERSION = 1

const HEAD_BYTES = 14
/** Of an element, beside its bytes: at most. */
const ELEMENT_HEAD_BYTES = 7
const LARGEST_START = 1 << 30

/**
 * Throws NOT_SERIALIZABLE where a serializer has returned something else than bytes. An element is bytes: it is copied
 * without being looked through for what else an object may hold, which takes many times as long.
 */
export function encodeOperatorState(states: readonly StoredOperatorState[]): Uint8Array {
  // Large enough from the start: there may be many thousands of elements.
  const out = new ByteWriter(
    Math.min(
      LARGEST_START,
      states.reduce((sum, state) => sum + mostBytes(state), 64),
    ),
  )
  out.length = HEAD_BYTES
  out.uint8(ARRAY)
  out.varint(states.length)
  for (const state of states) writeState(out, state)
  const content = out.bytes.subarray(HEAD_BYTES, out.length)
  out.view.setUint32(0, MAGIC, true)
  out.view.setUint16(4, FORMAT_VERSION, true)
  out.view.setUint32(6, content.length, true)
  out.view.setUint32(10, crc32(content), true)
  return out.bytes.subarray(0, out.length)
}

function mostBytes({ name, serializer, elements }: StoredOperatorState): number {
  const texts = 128 + 2 * (name.length + serializer.id.length)
  // From a serializer of the user anything may come.
  return elements.reduce(
    (sum, element: Uint8Array | undefined) => sum + (element?.length ?? 0) + ELEMENT_HEAD_BYTES,
    texts,
  )
}

/** As `writeValue` writes an object of these properties. */
function writeState(out: ByteWriter, { name, mode, serializer, elements }: StoredOperatorState): void {
  const { id, version } = serializer
  out.uint8(OBJECT)
  writeString(out, 'name')
  writeString(out, name)
  writeString(out, 'mode')
  writeString(out, mode)
  writeString(out, 'serializer')
  writeValue(out, { id, version })
  writeString(out, 'elements')
  out.uint8(ARRAY)
  out.varint(elements.length)
  for (const element of elements) if (!writeBytes(out, element)) throw noBytes(name, id, element)
  out.uint8(END)
}

function noBytes(name: string, serializer: string, element: unknown): StreamError {
  return new StreamError('NOT_SERIALIZABLE', {
    message: `Serializer '${serializer}' of ${operatorStateInWords(name)} returned ${element instanceof Uint8Array ? 'an array whose bytes are shared, of variable length or gone' : typeof element} instead of a Uint8Array.`,
    hint: 'Serializers are synchronous and return bytes that stay as they are.',
    details: { state: name },
  })
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
