/**
 * What a snapshot of this backend is made of: the index of its composite handle. Version 2; integers are little-endian.
 *
 *   index     magic "MRKI", u16 version, u32 length and u32 CRC-32 of what follows: a value of the default serializer
 *
 * Read like what a stranger sent: nothing of it is believed before it was looked at.
 */
import { crc32 } from 'node:zlib'
import { StreamError } from '../../base/errors.ts'
import type { StoreTable } from '../../base/ordered-store.ts'
import { ByteReader } from '../../elements/byte-reader.ts'
import { ByteWriter } from '../../elements/byte-writer.ts'
import { readValue } from '../../elements/value-reader.ts'
import { writeValue } from '../../elements/value-writer.ts'
import { HIGHEST_MAX_PARALLELISM } from '../key-groups.ts'
import { corruptLog } from './entry-log.ts'
import type { TableSchema } from './table-schemas.ts'

const MAGIC = 0x494b_524d
/** Since version 2 tables may hold parts of large maps and lists. */
export const INDEX_VERSION = 2
const OLDEST_VERSION = 1
const MOST_TABLES = 0x1_0000

/** A table of the backend, by the number that stands in the keys of its entries. */
export interface IndexTable {
  readonly id: number
  readonly kind: string
  readonly name: string
  /** By the number in front of a value. */
  readonly schemas: readonly TableSchema[]
}

/** Where the entries begin. Numbers are places among the parts of the handle. */
export type IndexBase =
  | { readonly kind: 'none' }
  /** Logs of entries. */
  | { readonly kind: 'dump'; readonly parts: readonly number[] }
  /** The table files of a store. */
  | {
      readonly kind: 'tables'
      readonly lastSequence: string
      readonly files: readonly (StoreTable & { readonly part: number })[]
    }

export interface LevelIndex {
  readonly maxParallelism: number
  readonly tables: readonly IndexTable[]
  readonly base: IndexBase
  /** Logs of what has changed since, in their order. */
  readonly deltas: readonly number[]
}

export function encodeIndex(index: LevelIndex): Uint8Array {
  const content = new ByteWriter(1024)
  writeValue(content, index)
  const bytes = content.take()
  const out = new ByteWriter(bytes.length + 14)
  out.uint32(MAGIC)
  out.uint16(INDEX_VERSION)
  out.uint32(bytes.length)
  out.uint32(crc32(bytes))
  out.raw(bytes)
  return out.take()
}

/** `parts`: how many the handle has. Throws STATE_CORRUPT, STATE_INCOMPATIBLE for another version. */
export function decodeIndex(bytes: Uint8Array, parts: number): LevelIndex {
  const input = new ByteReader(bytes)
  if (input.remaining < 14 || input.uint32() !== MAGIC) throw corruptLog('its index does not begin as one does')
  const version = input.uint16()
  if (version < OLDEST_VERSION || version > INDEX_VERSION)
    throw new StreamError('STATE_INCOMPATIBLE', {
      message: `The index of keyed state of the backend 'leveldb' is of format ${version}; this version of Millrace reads formats ${OLDEST_VERSION} to ${INDEX_VERSION}.`,
      hint: 'Restore it with the version that wrote it, or a newer one.',
      details: { stored: version, known: INDEX_VERSION },
    })
  const length = input.uint32()
  const crc = input.uint32()
  const content = input.raw(input.remaining)
  if (content.length !== length || crc32(content) !== crc) throw corruptLog('its index does not match its checksum')
  const index = contentOf(content)
  if (!isIndex(index, parts)) throw corruptLog('its index is malformed')
  return index
}

function contentOf(content: Uint8Array): unknown {
  try {
    return readValue(new ByteReader(content))
  } catch (thrown) {
    // NOT_DESERIALIZABLE: no value, although its checksum is right.
    throw corruptLog(`its index is malformed: ${StreamError.is(thrown) ? thrown.message : String(thrown)}`)
  }
}

function isIndex(value: unknown, parts: number): value is LevelIndex {
  if (!isObject(value)) return false
  const { maxParallelism, tables, base, deltas } = value
  const isPart = (part: unknown) => isCount(part, parts - 1)
  return (
    isCount(maxParallelism, HIGHEST_MAX_PARALLELISM) &&
    Array.isArray(tables) &&
    tables.length <= MOST_TABLES &&
    tables.every(isTable) &&
    new Set(tables.map(({ id }) => id)).size === tables.length &&
    new Set(tables.map(({ kind, name }) => `${kind}/${name}`)).size === tables.length &&
    isBase(base, isPart) &&
    Array.isArray(deltas) &&
    deltas.every(isPart)
  )
}

function isTable(value: unknown): value is IndexTable {
  if (!isObject(value)) return false
  const { id, kind, name, schemas } = value
  return (
    isCount(id, MOST_TABLES - 1) &&
    typeof kind === 'string' &&
    typeof name === 'string' &&
    Array.isArray(schemas) &&
    schemas.length <= 256 &&
    schemas.every(isSchema)
  )
}

function isSchema(value: unknown): value is TableSchema {
  if (!isObject(value)) return false
  const { serializers, seenMs } = value
  return (
    (seenMs === undefined || typeof seenMs === 'number') &&
    Array.isArray(serializers) &&
    serializers.every(
      (serializer) =>
        isObject(serializer) && typeof serializer.id === 'string' && typeof serializer.version === 'number',
    )
  )
}

function isBase(value: unknown, isPart: (part: unknown) => boolean): value is IndexBase {
  if (!isObject(value)) return false
  if (value.kind === 'none') return true
  if (value.kind === 'dump') return Array.isArray(value.parts) && value.parts.every(isPart)
  return (
    value.kind === 'tables' &&
    typeof value.lastSequence === 'string' &&
    /^\d{1,20}$/.test(value.lastSequence) &&
    Array.isArray(value.files) &&
    value.files.every((file) => isFile(file, isPart)) &&
    new Set(value.files.map((file: StoreTable) => file.number)).size === value.files.length
  )
}

function isFile(value: unknown, isPart: (part: unknown) => boolean): boolean {
  if (!isObject(value)) return false
  const { number, level, length, smallest, largest, part } = value
  return (
    isCount(number, Number.MAX_SAFE_INTEGER) &&
    isCount(level, 64) &&
    isCount(length, Number.MAX_SAFE_INTEGER) &&
    typeof smallest === 'string' &&
    typeof largest === 'string' &&
    isPart(part)
  )
}

function isCount(value: unknown, most: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
