/**
 * The bytes of the records that were in flight to one subtask, version 1. Integers are little-endian.
 *
 *   magic "MRCS", u16 format version, u32 length and u32 CRC-32 of the header: a value of the default serializer,
 *   [{ edge, partitioner, serializer: { id, version }, sender, records, bytes, crc }]; then the sections in that order, each
 *   of so many `bytes` and with that CRC-32: `records` times an f64, the timestamp, and the value as the serializer's codec
 *   writes it.
 *
 * One section a captured channel. It is not compressed, as no state of ours is: it is written while records wait.
 */
import { crc32 } from 'node:zlib'
import { StreamError } from '../base/errors.ts'
import { ByteReader } from '../elements/byte-reader.ts'
import { ByteWriter } from '../elements/byte-writer.ts'
import { readValue } from '../elements/value-reader.ts'
import { writeValue } from '../elements/value-writer.ts'
import { PARTITIONER_TYPES, type PartitionerType } from './channel-redistribution.ts'
import type { StoredSerializer } from './keyed-table.ts'
import type { EdgeIdentity } from './snapshot.ts'

/** The channel whose records a section holds. */
export interface ChannelSection {
  readonly edge: EdgeIdentity
  readonly partitioner: PartitionerType
  /** The subtask that emitted them. */
  readonly sender: number
}

export interface SectionHeader extends ChannelSection {
  readonly serializer: StoredSerializer
  readonly records: number
  readonly bytes: number
  readonly crc: number
}

export interface StoredSection extends Omit<SectionHeader, 'bytes' | 'crc'> {
  readonly content: Uint8Array
}

const MAGIC = 0x5343_524d
const FORMAT_VERSION = 1
const HEAD_BYTES = 14

/** Everything in front of the sections. */
export function encodeHeader(sections: readonly SectionHeader[]): Uint8Array {
  const out = new ByteWriter(256)
  out.length = HEAD_BYTES
  writeValue(
    out,
    sections.map(({ edge, partitioner, serializer: { id, version }, sender, records, bytes, crc }) => {
      const { from, sideOutput, input, ordinal } = edge
      const plain = { from, ...(sideOutput === undefined ? {} : { sideOutput }), input, ordinal }
      return { edge: plain, partitioner, serializer: { id, version }, sender, records, bytes, crc }
    }),
  )
  const content = out.bytes.subarray(HEAD_BYTES, out.length)
  out.view.setUint32(0, MAGIC, true)
  out.view.setUint16(4, FORMAT_VERSION, true)
  out.view.setUint32(6, content.length, true)
  out.view.setUint32(10, crc32(content), true)
  return out.take()
}

/** The contents are views. Throws STATE_CORRUPT, or STATE_INCOMPATIBLE for a newer format. */
export function decodeChannelState(bytes: Uint8Array): readonly StoredSection[] {
  const input = new ByteReader(bytes)
  if (input.remaining < HEAD_BYTES || input.uint32() !== MAGIC)
    throw corruptChannels('it does not begin as records in flight do')
  const version = input.uint16()
  if (version > FORMAT_VERSION || version === 0)
    throw new StreamError('STATE_INCOMPATIBLE', {
      message: `The records in flight are of format ${version}; this version of Millrace reads formats up to ${FORMAT_VERSION}.`,
      hint: 'Restore them with the version that wrote them, or a newer one.',
    })
  const length = input.uint32()
  const crc = input.uint32()
  if (length > input.remaining) throw corruptChannels(`its header of ${length} bytes is cut`)
  const header = input.raw(length)
  if (crc32(header) !== crc) throw corruptChannels('its header does not match its checksum')
  const sections: unknown = readValue(new ByteReader(header))
  if (!Array.isArray(sections) || !sections.every(isSection)) throw corruptChannels('its header is malformed')
  const announced = sections.reduce((sum, section) => sum + section.bytes, 0)
  if (announced !== input.remaining)
    throw corruptChannels(`${announced} bytes are announced, ${input.remaining} are there`)
  return sections.map(({ bytes: size, crc: expected, ...section }) => {
    const content = input.raw(size)
    if (crc32(content) !== expected) throw corruptChannels('a section does not match its checksum')
    return { ...section, content }
  })
}

function isSection(value: unknown): value is SectionHeader {
  const { edge, partitioner, serializer, sender, records, bytes, crc } = (value ?? {}) as Partial<SectionHeader>
  return (
    isEdge(edge) &&
    PARTITIONER_TYPES.some((type) => type === partitioner) &&
    typeof serializer?.id === 'string' &&
    typeof serializer.version === 'number' &&
    [sender, records, bytes, crc].every(isCount)
  )
}

function isEdge(edge: Partial<EdgeIdentity> | undefined): boolean {
  return (
    typeof edge?.from === 'string' &&
    (edge.sideOutput === undefined || typeof edge.sideOutput === 'string') &&
    isCount(edge.input) &&
    isCount(edge.ordinal)
  )
}

const isCount = (value: number | undefined): boolean => Number.isSafeInteger(value) && (value as number) >= 0

export function corruptChannels(what: string): StreamError {
  return new StreamError('STATE_CORRUPT', {
    message: `A payload of records in flight is damaged: ${what}.`,
    hint: 'Restore the file from a copy, or start from another checkpoint or savepoint by name.',
  })
}
