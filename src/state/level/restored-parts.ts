/** Makes parts of the large maps and lists of canonical state: bytes become other bytes, and no serializer of a program is needed. */
import type { StoreOperation } from '../../base/ordered-store.ts'
import { ByteReader } from '../../elements/byte-reader.ts'
import type { ByteWriter } from '../../elements/byte-writer.ts'
import { DEFAULT_SERIALIZER_ID } from '../../elements/serializer.ts'
import { readValue } from '../../elements/value-reader.ts'
import type { StateKind } from '../descriptors.ts'
import type { MapKey } from '../key.ts'
import type { StoredTable } from '../keyed-format.ts'
import { chunkKey, entryKey, keyGroupPrefix, partPrefix } from '../part-keys.ts'
import { TTL_STAMPS } from '../ttl-codecs.ts'
import type { LevelTables } from './level-tables.ts'
import {
  CHUNK_CODEC,
  HEAD_CODEC,
  LIST_CHUNKS,
  LIST_HEADS,
  LIST_NUMBERS,
  MAP_CHUNKS,
  MAP_ENTRIES,
  MAP_HEADS,
  MAP_NUMBERS,
  NUMBER_CODEC,
  PARTS_SERIALIZERS,
} from './part-codecs.ts'
import type { PartSizes } from './part-sizes.ts'
import { PartWriter } from './part-writer.ts'
import { MAP_KEY_AT, setPrefix } from './store-key.ts'
import { placeOf } from './table-schemas.ts'

const MAP: StateKind = 'map'
const LIST: StateKind = 'list'
const STAMP_BYTES = 8

/** The number of a table, and that of the serializers with which something is written into it. */
interface Place {
  readonly id: number
  readonly schema: number
}

/** Of one chunk: what it becomes, from the entries that stand next in the input. */
type ChunkOf = (prefix: string, chunk: number, last: number, count: number, input: ByteReader) => StoreOperation[]

/** Of the entries of one table of a header. */
export class RestoredParts {
  readonly #sizes: PartSizes
  readonly #tables: LevelTables
  readonly #stored: StoredTable
  readonly #writer = new PartWriter()
  /** How many entries of a key group have parts. */
  readonly #numbers = new Map<number, number>()

  constructor(stored: StoredTable, tables: LevelTables, sizes: PartSizes) {
    this.#stored = stored
    this.#tables = tables
    this.#sizes = sizes
  }

  isLarge(value: Uint8Array): boolean {
    const { kind, serializers } = this.#stored
    // Lists whose elements expire stay whole.
    if (kind !== MAP && (kind !== LIST || serializers[1]?.id === TTL_STAMPS.id)) return false
    return value.length > this.#sizes.mostBytes || new ByteReader(value).varint() > this.#sizes.mostEntries
  }

  /** `key` as it stands in a store. One chunk and its entries at a time. Throws NOT_DESERIALIZABLE. */
  *partsOf(keyGroup: number, key: Uint8Array, value: Uint8Array): IterableIterator<readonly StoreOperation[]> {
    const ofMap = this.#stored.kind === MAP
    const heads = this.#place(ofMap ? MAP_HEADS : LIST_HEADS)
    const numbers = this.#place(ofMap ? MAP_NUMBERS : LIST_NUMBERS)
    const chunkOf = ofMap ? this.#mapChunks(key) : this.#listChunks()
    const number = this.#numbers.get(keyGroup) ?? 0
    this.#numbers.set(keyGroup, number + 1)
    const prefix = partPrefix(keyGroup, number)
    const input = new ByteReader(value)
    const size = input.varint()
    const { chunkKeys } = this.#sizes
    const last = Math.max(0, Math.ceil(size / chunkKeys) - 1)
    for (let chunk = 0; chunk <= last; chunk++)
      yield chunkOf(prefix, chunk, last, Math.min(chunkKeys, size - chunk * chunkKeys), input)
    input.expectEnd()
    const head = this.#operation(heads, prefix, (out) => HEAD_CODEC.write(out, { prefix, size, first: 0, last }))
    const nextNumber = this.#operation(numbers, keyGroupPrefix(keyGroup), (out) => NUMBER_CODEC.write(out, number + 1))
    yield [{ ...head, key: headKey(keyGroup, heads.id, key) }, nextNumber]
  }

  #mapChunks(key: Uint8Array): ChunkOf {
    const chunks = this.#place(MAP_CHUNKS)
    const entries = this.#place(MAP_ENTRIES, this.#stored.serializers)
    const owner = readValue(new ByteReader(key)) as MapKey
    return (prefix, chunk, last, count, input) => {
      const keys: MapKey[] = []
      const operations: StoreOperation[] = []
      for (let place = 0; place < count; place++) {
        const userKey = readValue(input) as MapKey
        const value = this.#nextValue(input)
        keys.push(userKey)
        const write = (out: ByteWriter) => {
          out.varint(chunk)
          out.varint(place)
          out.raw(value)
        }
        operations.push(this.#operation(entries, entryKey(prefix, userKey), write))
      }
      const stored = { owner, before: chunk - 1, behind: chunk === last ? -1 : chunk + 1, live: count, keys }
      operations.push(this.#operation(chunks, chunkKey(prefix, chunk), (out) => CHUNK_CODEC.write(out, stored)))
      return operations
    }
  }

  #listChunks(): ChunkOf {
    const chunks = this.#place(LIST_CHUNKS, this.#stored.serializers)
    return (prefix, chunk, _, count, input) => {
      const write = (out: ByteWriter) => {
        out.varint(count)
        for (let left = count; left > 0; left--) out.raw(this.#nextValue(input))
      }
      return [this.#operation(chunks, chunkKey(prefix, chunk), write)]
    }
  }

  #operation({ id, schema }: Place, key: string, write: (out: ByteWriter) => void): StoreOperation {
    return this.#writer.operation(id, key, schema, write)
  }

  #place(kind: string, serializers: StoredTable['serializers'] = PARTS_SERIALIZERS): Place {
    const { id, schemas } = this.#tables.slotOf(kind, this.#stored.name)
    return { id, schema: placeOf(schemas, serializers) }
  }

  /** The bytes of a value. Every serializer but the default one writes the length in front (`valueCodec`). */
  #nextValue(input: ByteReader): Uint8Array {
    const begun = input.position
    const [serializer, stamps] = this.#stored.serializers
    if (stamps?.id === TTL_STAMPS.id) input.raw(STAMP_BYTES)
    if (serializer?.id === DEFAULT_SERIALIZER_ID) readValue(input)
    else input.bytesWithLength()
    return input.bytes.subarray(begun, input.position)
  }
}

function headKey(keyGroup: number, table: number, key: Uint8Array): Uint8Array {
  const storeKey = new Uint8Array(MAP_KEY_AT + key.length)
  setPrefix(storeKey, keyGroup, table)
  storeKey.set(key, MAP_KEY_AT)
  return storeKey
}
