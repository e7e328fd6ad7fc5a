/** Reads large maps and lists from their parts as they are stored, chunk by chunk: for who writes them elsewhere. */
import { StreamError } from '../../base/errors.ts'
import { ByteReader } from '../../elements/byte-reader.ts'
import type { MapKey } from '../key.ts'
import { chunkKey, entryKey, isPrefix, keyGroupOfPart } from '../part-keys.ts'
import { corruptLog } from './entry-log.ts'
import { CHUNK_CODEC, HEAD_CODEC, type MapChunk, type PartHead } from './part-codecs.ts'
import { PartWriter } from './part-writer.ts'
import { keyGroupIn } from './store-key.ts'
import type { ReadStored, StoredEntry } from './whole-snapshot.ts'

/** The numbers of the tables in which the parts lie. `entries`: of maps. */
export interface PartTables {
  readonly chunks: number
  readonly entries: number | undefined
}

/** Some of the entries of a map, or of the elements of a list: those that lie together. */
export interface StoredPart {
  readonly count: number
  /** Of a map: under which the value stands. */
  readonly userKey: MapKey | undefined
  readonly schema: number
  /** With the number of the schema in front, and what stands before the value or the elements. */
  readonly stored: Uint8Array
  /** The value, or the elements one behind the other. */
  readonly content: Uint8Array
}

/** In their order, those of a chunk at a time; nothing of them is believed. Throws STATE_CORRUPT where a part is missing. */
export async function* partsOf(
  entry: StoredEntry,
  tables: PartTables,
  read: ReadStored,
): AsyncGenerator<readonly StoredPart[], void> {
  const head = headOf(entry)
  let left = head.size
  const { entries } = tables
  for await (const parts of entries === undefined
    ? partsOfList(head, tables.chunks, read)
    : partsOfMap(head, tables.chunks, entries, read)) {
    for (const { count } of parts) left -= count
    yield parts
  }
  if (left !== 0) throw broken(`there are to be ${head.size} entries, and ${head.size - left} were found`)
}

async function* partsOfMap(
  { prefix, first }: PartHead,
  chunks: number,
  entries: number,
  read: ReadStored,
): AsyncGenerator<readonly StoredPart[], void> {
  const writer = new PartWriter()
  for (let number = first, last = -1; number >= 0; ) {
    if (number <= last) throw broken('its chunks stand in no order')
    const chunk = mapChunk(await one(writer.key(chunks, chunkKey(prefix, number)), read))
    const found = chunk.keys.flatMap((key, place) => (key === undefined ? [] : [{ key, place }]))
    const values = await read(found.map(({ key }) => writer.key(entries, entryKey(prefix, key))))
    yield found.map(({ key, place }, at) => mapPart(key, values[at], number, place))
    last = number
    number = chunk.behind
  }
}

async function* partsOfList(
  { prefix, first, last }: PartHead,
  chunks: number,
  read: ReadStored,
): AsyncGenerator<readonly StoredPart[], void> {
  const writer = new PartWriter()
  for (let number = first; number <= last; number++)
    yield [listPart(await one(writer.key(chunks, chunkKey(prefix, number)), read))]
}

function headOf({ key, value }: StoredEntry): PartHead {
  const head = decoded(() => HEAD_CODEC.read(new ByteReader(value, 1), [], ''))
  if (!isPrefix(head.prefix) || keyGroupOfPart(head.prefix) !== keyGroupIn(key)) throw broken('its head is malformed')
  return head
}

async function one(key: Uint8Array, read: ReadStored): Promise<Uint8Array> {
  const [stored] = await read([key])
  if (stored === undefined) throw broken('a chunk is missing')
  return stored
}

function mapChunk(stored: Uint8Array): MapChunk {
  return decoded(() => CHUNK_CODEC.read(new ByteReader(stored, 1), [], ''))
}

/** An entry stands in one place only: elsewhere it would come twice. */
function mapPart(userKey: MapKey, stored: Uint8Array | undefined, chunk: number, place: number): StoredPart {
  if (stored === undefined) throw broken('an entry is missing')
  return decoded(() => {
    const input = new ByteReader(stored, 1)
    if (input.varint() !== chunk || input.varint() !== place) throw broken('an entry stands in another place')
    return { count: 1, userKey, schema: stored[0] as number, stored, content: stored.subarray(input.position) }
  })
}

function listPart(stored: Uint8Array): StoredPart {
  return decoded(() => {
    const input = new ByteReader(stored, 1)
    const count = input.varint()
    return { count, userKey: undefined, schema: stored[0] as number, stored, content: stored.subarray(input.position) }
  })
}

function decoded<T>(decode: () => T): T {
  try {
    return decode()
  } catch (thrown) {
    // NOT_DESERIALIZABLE: the bytes are no part.
    if (!StreamError.is(thrown) || thrown.code !== 'NOT_DESERIALIZABLE') throw thrown
    throw broken(thrown.message)
  }
}

function broken(what: string): StreamError {
  return corruptLog(`the parts of a map or a list do not fit together: ${what}`)
}
