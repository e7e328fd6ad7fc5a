/**
 * The canonical form of keyed state, of checkpoints on the heap and of savepoints, version 1. Integers are little-endian.
 *
 *   payload   header, then blobs until the end
 *   header    magic "MRKS", u16 format version, u32 length and u32 CRC-32 of what follows: a value of the default
 *             serializer, { maxParallelism, tables: [{ kind, name, serializers: [{ id, version }] }] }
 *   blob      u16 key group, u32 length of what follows, u32 CRC-32 of the key group's two bytes and what follows: runs
 *   run       u16 number of the table in the header, u32 length of what follows: entries
 *   entry     the MapKey as a value of the default serializer, then what the table's codec writes (`entry-codecs.ts`;
 *             `ttl-codecs.ts` where the table's second serializer is that of time stamps)
 *
 * Blobs stand in any order; a key group without one is empty. Any choice of the blobs behind their header is a payload
 * again. A key may occur twice in a table, with the same value.
 */
import { crc32 } from 'node:zlib'
import { StreamError } from '../base/errors.ts'
import { ByteReader } from '../elements/byte-reader.ts'
import { ByteWriter } from '../elements/byte-writer.ts'
import { readValue } from '../elements/value-reader.ts'
import { writeValue } from '../elements/value-writer.ts'
import { contains, type KeyGroupRange } from './key-group-range.ts'
import type { StoredSerializer } from './keyed-table.ts'

const MAGIC = 0x534b_524d
export const KEYED_FORMAT_VERSION = 1

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

export interface KeyGroupBlob {
  readonly keyGroup: number
  /** The runs: a view. */
  readonly content: Uint8Array
}

export function encodeKeyedHeader(header: KeyedHeader): Uint8Array {
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

/** Throws STATE_CORRUPT, or STATE_INCOMPATIBLE for a newer format. */
export function readKeyedHeader(input: ByteReader): KeyedHeader {
  if (input.remaining < 14 || input.uint32() !== MAGIC) throw corrupt('it does not begin as keyed state does')
  const version = input.uint16()
  if (version > KEYED_FORMAT_VERSION || version === 0)
    throw new StreamError('STATE_INCOMPATIBLE', {
      message: `The keyed state is of format ${version}; this version of Millrace reads formats up to ${KEYED_FORMAT_VERSION}.`,
      hint: 'Restore it with the version that wrote it, or a newer one.',
    })
  const content = checkedBytes(input, 'header')
  const header: unknown = readValue(new ByteReader(content))
  if (!isHeader(header)) throw corrupt('its header is malformed')
  return header
}

/** The next blob of a key group in `own`, its checksum verified, from a payload of the key groups `written`; undefined at the end. */
export function nextBlob(input: ByteReader, written: KeyGroupRange, own: KeyGroupRange): KeyGroupBlob | undefined {
  while (input.remaining > 0) {
    if (input.remaining < 10) throw corrupt('it is cut off')
    const keyGroup = input.uint16()
    if (!contains(written, keyGroup))
      throw corrupt(`key group ${keyGroup} is none of ${written.first} to ${written.last}`)
    if (contains(own, keyGroup))
      return { keyGroup, content: checkedBytes(input, `key group ${keyGroup}`, blobSeed(keyGroup)) }
    const length = input.uint32()
    if (length + 4 > input.remaining) throw corrupt(`key group ${keyGroup} is cut off`)
    input.position += 4 + length
  }
  return undefined
}

/** The runs of a blob: `visit` gets the number of the table and its entries. */
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

function checkedBytes(input: ByteReader, what: string, seed = 0): Uint8Array {
  const length = input.uint32()
  const crc = input.uint32()
  if (length > input.remaining) throw corrupt(`its ${what} is cut off`)
  const bytes = input.raw(length)
  if (crc32(bytes, seed) !== crc) throw corrupt(`its ${what} does not match its checksum`)
  return bytes
}

function isHeader(value: unknown): value is KeyedHeader {
  const { maxParallelism, tables } = (value ?? {}) as Partial<KeyedHeader>
  return typeof maxParallelism === 'number' && Array.isArray(tables) && tables.every(isStoredTable)
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
