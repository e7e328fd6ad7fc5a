/**
 * Which serializers wrote the values of a table. Every value in the store begins with the number of their list, so values of
 * an older version stay as they are until they are read, or change.
 */
import { StreamError } from '../../base/errors.ts'
import { ByteReader } from '../../elements/byte-reader.ts'
import { fittingReader, misread, serializersText } from '../claimed-table.ts'
import type { MapKey } from '../key.ts'
import type { EntryCodec, EntryReader, StoredSerializer } from '../keyed-table.ts'
import { corruptLog } from './entry-log.ts'

/** One list of serializers. */
export interface TableSchema {
  readonly serializers: readonly StoredSerializer[]
  /** When a program first read what this list wrote with another one: what has no time stamps is as old as that. */
  seenMs?: number | undefined
}

/** The number of a list is one byte. */
const MOST_SCHEMAS = 256

/** The codec as of a time: what was written without time stamps is as old as that. */
export type CodecAt<V> = (nowMs: number) => EntryCodec<V>

interface SchemaReader<V> {
  readonly reader: EntryReader<V>
  readonly versions: readonly number[]
}

/** The schemas of a table that the program has declared. */
export class TableSchemas<V> {
  /** Of what is written from now on. */
  readonly current: number
  readonly #name: string
  readonly #readers: readonly SchemaReader<V>[]

  /** Appends the codec's own list where it is new. Throws STATE_INCOMPATIBLE where one of the others does not fit. */
  constructor(
    stored: { readonly kind: string; readonly name: string; readonly schemas: TableSchema[] },
    kind: string,
    codec: EntryCodec<V>,
    codecAt: CodecAt<V>,
    nowMs: () => number,
  ) {
    const { name, schemas } = stored
    const readerOf = ({ serializers }: TableSchema, of: EntryCodec<V>) =>
      fittingReader({ kind: stored.kind, name, serializers }, kind, of)
    this.#name = name
    for (const schema of schemas) readerOf(schema, codec)
    this.current = placeOf(schemas, codec.serializers)
    this.#readers = schemas.map((schema, place) => {
      const versions = schema.serializers.map(({ version }) => version)
      if (place === this.current) return { reader: codec, versions }
      schema.seenMs ??= nowMs()
      return { reader: readerOf(schema, codecAt(schema.seenMs)), versions }
    })
  }

  /** Throws STATE_CORRUPT where the bytes are not what the serializer wrote, or what the serializer of the user throws. */
  read(value: Uint8Array, key: MapKey): V {
    const schema = this.#readers[value[0] as number]
    if (schema === undefined) throw corruptLog(`state '${this.#name}' has a value of serializers that nobody names`)
    const input = new ByteReader(value, 1)
    const read = schema.reader.read(input, schema.versions, key)
    if (input.remaining > 0) throw misread(this.#name, key, value.length - 1, input.position - 1)
    return read
  }
}

/** Appended where it is new. Throws STATE_INCOMPATIBLE where there is no number left for it. */
export function placeOf(schemas: TableSchema[], serializers: readonly StoredSerializer[]): number {
  const text = serializersText(serializers)
  const place = schemas.findIndex((schema) => serializersText(schema.serializers) === text)
  if (place >= 0) return place
  if (schemas.length >= MOST_SCHEMAS) throw tooManySchemas(text)
  return schemas.push({ serializers: serializers.map(({ id, version }) => ({ id, version })) }) - 1
}

function tooManySchemas(serializers: string): StreamError {
  return new StreamError('STATE_INCOMPATIBLE', {
    message: `A keyed state was written with ${MOST_SCHEMAS} different versions of its serializers, and ${serializers} would be one more: the backend 'leveldb' can tell no more of them apart.`,
    hint: 'Take a savepoint in canonical format with the program as it was, which writes everything with its own serializers, and start from that.',
    details: { most: MOST_SCHEMAS },
  })
}

/** The same for one that was restored: of two times the later one counts, so that nothing expires too early. */
export function placeOfRestored(schemas: TableSchema[], { serializers, seenMs }: TableSchema): number {
  const place = placeOf(schemas, serializers)
  const schema = schemas[place] as TableSchema
  if (seenMs !== undefined) schema.seenMs = Math.max(seenMs, schema.seenMs ?? seenMs)
  return place
}
