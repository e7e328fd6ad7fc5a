/** What the program asks for meets what was stored: the check that they go together, and entries that become values. */
import { StreamError } from '../base/errors.ts'
import type { ByteReader } from '../elements/byte-reader.ts'
import { readValue } from '../elements/value-reader.ts'
import type { MapKey } from './key.ts'
import { corrupt, type StoredTable } from './keyed-format.ts'
import { type EntryCodec, type EntryReader, HeapTable, type KeyedTable, type StoredSerializer } from './keyed-table.ts'
import { keyedStateInWords, keyInWords } from './state-in-words.ts'

/** What reads stored entries for the program. Throws STATE_INCOMPATIBLE. */
export function fittingReader<V>(stored: StoredTable, kind: string, codec: EntryCodec<V>): EntryReader<V> {
  if (stored.kind !== kind)
    throw incompatible(stored.name, `it is a ${stored.kind} state there and a ${kind} state in the program`)
  const reader = codec.readerOf?.(stored.serializers) ?? codec
  stored.serializers.forEach((serializer, place) => {
    const { id, version } = reader.serializers[place] ?? { id: 'none', version: 0 }
    if (serializer.id !== id)
      throw incompatible(stored.name, `it was written by serializer '${serializer.id}', the program has '${id}'`)
    if (serializer.version > version)
      throw incompatible(
        stored.name,
        `it was written by version ${serializer.version} of serializer '${id}', the program has version ${version}`,
      )
  })
  return reader
}

/** The program's table with what is decoded already, and what reads the rest. Throws STATE_INCOMPATIBLE. */
export function claimed<V>(
  { stored, decoded }: { readonly stored: StoredTable; readonly decoded: HeapTable<unknown> | undefined },
  kind: string,
  name: string,
  codec: EntryCodec<V>,
): { readonly table: HeapTable<V>; readonly reader: EntryReader<V>; readonly versions: readonly number[] } {
  const reader = fittingReader(stored, kind, codec)
  const versions = stored.serializers.map(({ version }) => version)
  const table = decoded === undefined ? new HeapTable(kind, name, codec) : ofDecoded(decoded, reader.fromStored, codec)
  return { table, reader, versions }
}

function ofDecoded<V>(
  decoded: HeapTable<unknown>,
  fromStored: ((value: unknown) => V) | undefined,
  codec: EntryCodec<V>,
): HeapTable<V> {
  if (fromStored === undefined) {
    // The same values, in the same form: snapshots that walk the table go on.
    const table = decoded as HeapTable<unknown> as HeapTable<V>
    table.codec = codec
    return table
  }
  // A snapshot that walks gets its entries now: values may be shared, and the program may change them in place.
  for (const key of decoded.entries.keys()) decoded.scan?.touch(key)
  const table = new HeapTable(decoded.kind, decoded.name, codec)
  for (const [key, value] of decoded.entries) table.entries.set(key, fromStored(value))
  return table
}

/** Up to `most` entries. Throws STATE_CORRUPT, or what the serializer throws. */
export function readEntries<V>(
  { name, entries }: KeyedTable<V>,
  reader: EntryReader<V>,
  versions: readonly number[],
  input: ByteReader,
  most: number,
): void {
  let key: MapKey | undefined
  try {
    for (let left = most; left > 0 && input.remaining > 0; left--) {
      key = undefined
      key = readValue(input) as MapKey
      const length = input.varint()
      const end = input.position + length
      if (end > input.end || typeof key === 'object' || key === undefined) throw corrupt(`state '${name}' is malformed`)
      const value = reader.read(input, versions, key)
      if (input.position !== end) throw misread(name, key, length, input.position - end + length)
      entries.set(key, value)
    }
  } catch (thrown) {
    // The bytes are no value, although their checksum is right. What a serializer of the program threw is passed on.
    throw StreamError.is(thrown) && thrown.code === 'NOT_DESERIALIZABLE' ? unreadable(name, key, thrown) : thrown
  }
}

/** `id version n` of each. */
export function serializersText(serializers: readonly StoredSerializer[]): string {
  return serializers.map(({ id, version }) => `${id} version ${version}`).join(', ')
}

function incompatible(name: string, what: string): StreamError {
  return new StreamError('STATE_INCOMPATIBLE', {
    message: `The stored state '${name}' does not fit the program: ${what}.`,
    hint: 'Restore with the program that wrote it, or give the changed state another name.',
    details: { state: name },
  })
}

/** STATE_CORRUPT: the bytes are no key or no value. `key`: of the entry, where it could be read. */
export function unreadable(name: string, key: MapKey | undefined, cause: StreamError): StreamError {
  const where = key === undefined || typeof key === 'object' ? 'has a key that' : `of key ${keyInWords(key)}`
  return new StreamError('STATE_CORRUPT', {
    message: `${keyedStateInWords(name)} ${where} cannot be read: ${cause.message}`,
    hint: cause.hint,
    details: { ...cause.details, state: name },
    cause,
  })
}

/** STATE_CORRUPT: the serializer has read more or fewer bytes than `stored`, those of the entry. */
export function misread(name: string, key: MapKey, stored: number, read: number): StreamError {
  return new StreamError('STATE_CORRUPT', {
    message: `${keyedStateInWords(name)} of key ${keyInWords(key)} takes ${stored} bytes, and ${read} of them were read.`,
    hint: 'The serializer reads another length than it wrote: check that each of its versions reads what it wrote.',
    details: { state: name, stored, read },
  })
}
