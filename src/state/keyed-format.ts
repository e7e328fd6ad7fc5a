/**
 * The canonical form of keyed state, of checkpoints on the heap and of savepoints, version 2. Integers are little-endian.
 *
 *   payload   header, then blobs until the end
 *   header    magic "MRKS", u16 format version, u32 length and u32 CRC-32 of what follows: a value of the default
 *             serializer, { maxParallelism, tables: [{ kind, name, serializers: [{ id, version }] }] }
 *   blob      u16 key group, u32 length of what follows, u32 CRC-32 of the key group's two bytes and what follows: runs
 *   run       u16 number of the table in the header, u32 length of what follows: entries
 *   entry     the MapKey as a value of the default serializer, a varint length of what follows, what the table's codec
 *             writes (`entry-codecs.ts`; `ttl-codecs.ts` where the table's second serializer is that of time stamps)
 *
 * Blobs stand in any order; a key group may have several, or none. Any choice of the blobs behind their header is a payload
 * again. A key may occur twice in a table, with the same value. `docs/SAVEPOINT-FORMAT.md` says it for other programs.
 */
import { crc32 } from 'node:zlib'
import { assert } from '../base/assert.ts'
import { StreamError } from '../base/errors.ts'
import { ByteReader } from '../elements/byte-reader.ts'
import { ByteWriter } from '../elements/byte-writer.ts'
import { readValue } from '../elements/value-reader.ts'
import { writeValue } from '../elements/value-writer.ts'
import type { StoredSerializer } from './keyed-table.ts'

const MAGIC = 0x534b_524d
export const KEYED_FORMAT_VERSION = 2
/** Magic, version, length and checksum, in front of the header's content. */
export const HEADER_HEAD_BYTES = 14
/** Key group, length and checksum, in front of a blob's content. */
export const BLOB_HEAD_BYTES = 10

/** A run names its table in 16 bits. */
const MOST_TABLES = 0x1_0000

export interface StoredTable {
  readonly kind: string
  readonly name: string
  readonly serializers: readonly StoredSerializer[]
}

export interface KeyedHeader {
  readonly maxParallelism: number
  readonly tables: readonly StoredTable[]
}

/** The checksum of a blob begins with its key group. */
export function blobSeed(keyGroup: number): number {
  return crc32(Uint8Array.of(keyGroup & 0xff, keyGroup >>> 8))
}

/** A key group, or a part of one. */
export interface KeyGroupBlob {
  readonly keyGroup: number
  /** Runs. */
  readonly content: Uint8Array
}

export function encodeKeyedHeader(header: KeyedHeader): Uint8Array {
  assert(header.tables.length <= MOST_TABLES, `an operator has ${header.tables.length} keyed states`)
  const content = new ByteWriter(256)
  writeValue(content, header)
  const bytes = content.take()
  const out = new ByteWriter(bytes.length + 14)
  out.uint32(MAGIC)
  out.uint16(KEYED_FORMAT_VERSION)
  out.uint32(bytes.length)
  out.uint32(crc32(bytes))
  out.raw(bytes)
  return out.take()
}

export function encodeBlobHeader(keyGroup: number, length: number, crc: number): Uint8Array {
  const out = new ByteWriter(10)
  out.uint16(keyGroup)
  out.uint32(length)
  out.uint32(crc)
  return out.take()
}

/** The whole header at the start of a payload. Throws STATE_CORRUPT, or STATE_INCOMPATIBLE for another format. */
export function readKeyedHeader(input: ByteReader): KeyedHeader {
  if (input.remaining < HEADER_HEAD_BYTES) throw corrupt('it does not begin as keyed state does')
  const head = readHeaderHead(input.raw(HEADER_HEAD_BYTES))
  if (head.length > input.remaining) throw corrupt('its header is cut off')
  return decodeHeader(input.raw(head.length), head.crc)
}

/** What stands in front of the header's content. Throws as `readKeyedHeader`. */
export function readHeaderHead(bytes: Uint8Array): { readonly length: number; readonly crc: number } {
  const input = new ByteReader(bytes)
  if (input.uint32() !== MAGIC) throw corrupt('it does not begin as keyed state does')
  const version = input.uint16()
  if (version !== KEYED_FORMAT_VERSION) throw otherFormat(version)
  return { length: input.uint32(), crc: input.uint32() }
}

export function decodeHeader(content: Uint8Array, crc: number): KeyedHeader {
  if (crc32(content) !== crc) throw corrupt('its header does not match its checksum')
  const header: unknown = readValue(new ByteReader(content))
  if (!isHeader(header)) throw corrupt('its header is malformed')
  return header
}

function otherFormat(version: number): StreamError {
  return new StreamError('STATE_INCOMPATIBLE', {
    message: `The keyed state is of format ${version}; this version of Millrace reads format ${KEYED_FORMAT_VERSION}.`,
    hint:
      version > KEYED_FORMAT_VERSION
        ? 'Restore it with the version that wrote it, or a newer one.'
        : 'It was written before there was a release, by a version whose state no release reads: start without it.',
    details: { stored: version, known: KEYED_FORMAT_VERSION },
  })
}

/** The runs of a blob: `visit` gets the number of the table and its entries, a view. Throws STATE_CORRUPT. */
export function forEachRun(blob: KeyGroupBlob, visit: (tableId: number, entries: Uint8Array) => void): void {
  const input = new ByteReader(blob.content)
  while (input.remaining > 0) {
    if (input.remaining < 6) throw corrupt(`key group ${blob.keyGroup} ends inside a run`)
    const tableId = input.uint16()
    const length = input.uint32()
    if (length > input.remaining) throw corrupt(`key group ${blob.keyGroup} ends inside a run`)
    visit(tableId, input.raw(length))
  }
}

export function corrupt(what: string): StreamError {
  return new StreamError('STATE_CORRUPT', {
    message: `A payload of keyed state is damaged: ${what}.`,
    hint: 'Restore the file from a copy, or start from another checkpoint or savepoint by name.',
  })
}

function isHeader(value: unknown): value is KeyedHeader {
  const { maxParallelism, tables } = (value ?? {}) as Partial<KeyedHeader>
  return (
    typeof maxParallelism === 'number' &&
    Array.isArray(tables) &&
    tables.length <= MOST_TABLES &&
    tables.every(isStoredTable)
  )
}

function isStoredTable(value: unknown): value is StoredTable {
  const { kind, name, serializers } = (value ?? {}) as Partial<StoredTable>
  return (
    typeof kind === 'string' &&
    typeof name === 'string' &&
    Array.isArray(serializers) &&
    serializers.every(
      (serializer: Partial<StoredSerializer> | null) =>
        typeof serializer?.id === 'string' && typeof serializer.version === 'number',
    )
  )
}
