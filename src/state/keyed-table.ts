/**
 * Values by key on the heap, bare: no stamps, no key groups. What a snapshot needs is done by `TableScan`, which exists
 * only while a snapshot walks.
 */
import type { ByteReader } from '../elements/byte-reader.ts'
import type { ByteWriter } from '../elements/byte-writer.ts'
import type { MapKey } from './key.ts'
import type { TableScan } from './table-scan.ts'
import { TouchedKeys } from './touched-keys.ts'

/** The serializers that a table's entries need, as they stand in the header of a snapshot. */
export interface StoredSerializer {
  readonly id: string
  readonly version: number
}

export interface EntryReader<V> {
  readonly serializers: readonly StoredSerializer[]
  /** `versions`: of each serializer, the one that wrote the entry. */
  read(input: ByteReader, versions: readonly number[], key: MapKey): V
  /** Makes a value of the program's of one that was decoded in the form in which it was stored; left out where that is the same. */
  fromStored?(value: unknown): V
}

/** How the value of an entry is written; the key is written in front of it. */
export interface EntryCodec<V> extends EntryReader<V> {
  /** `'nothing'` where the entry is to be left out: what was written of it is dropped. */
  write(out: ByteWriter, value: V): void | 'nothing'
  /** What reads entries that were written with these serializers, where that is not the codec itself. */
  readerOf?(stored: readonly StoredSerializer[]): EntryReader<V> | undefined
}

/** Values by key. The heap's are a bare Map. */
export interface Entries<V> {
  readonly size: number
  get(key: MapKey): V | undefined
  set(key: MapKey, value: V): unknown
  delete(key: MapKey): boolean
  keys(): IterableIterator<MapKey>
  values(): IterableIterator<V>
  [Symbol.iterator](): IterableIterator<[MapKey, V]>
}

/** One table of a backend, as the states and timers see it. */
export interface KeyedTable<V> {
  readonly kind: string
  readonly name: string
  readonly codec: EntryCodec<V>
  readonly entries: Entries<V>
  /**
   * Null where nobody has to know of changes. Before an entry is added, replaced, removed, or a value is changed in place:
   * `if (table.scan !== null) table.scan.touch(key)`.
   */
  readonly scan: { touch(key: MapKey): void } | null
}

/** A table of the heap: there is a scan only while a snapshot walks. */
export class HeapTable<V> implements KeyedTable<V> {
  readonly kind: string
  readonly name: string
  /** Another one of the same form, once the program has asked for what was restored. */
  codec: EntryCodec<V>
  readonly entries = new Map<MapKey, V>()
  scan: TableScan<V> | null = null
  /** Of the scan. */
  readonly touched = new TouchedKeys()

  constructor(kind: string, name: string, codec: EntryCodec<V>) {
    this.kind = kind
    this.name = name
    this.codec = codec
  }
}
