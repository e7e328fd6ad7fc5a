/** A table as states and timers see it: rows in the cache, and behind them, where the table is not pinned, the store. */
import type { MapKey } from '../key.ts'
import type { Entries, EntryCodec, KeyedTable } from '../keyed-table.ts'
import { type AnyRow, ROW_BYTES, Row } from './row.ts'
import type { RowCache } from './row-cache.ts'
import type { TableSchemas } from './table-schemas.ts'

/** What a table is made of. */
export interface LevelTableParts<V> {
  readonly id: number
  readonly kind: string
  readonly name: string
  readonly codec: EntryCodec<V>
  /** What a canonical snapshot writes with. */
  readonly living: EntryCodec<V>
  readonly schemas: TableSchemas<V>
  /** Every row stays on the heap. */
  readonly pinned: boolean
  /** The keys that hold something, where somebody asks for them. */
  readonly liveKeys: Set<MapKey> | undefined
  readonly cache: RowCache
}

/** Values of a table that are measured at once; then one of so many; and over how many the average goes. */
const FIRST_MEASURED = 4
const UNMEASURED = 32
const LONGEST_MEMORY = 16

export class LevelTable<V> implements KeyedTable<V>, Entries<V> {
  readonly id: number
  readonly kind: string
  readonly name: string
  readonly codec: EntryCodec<V>
  readonly living: EntryCodec<V>
  readonly schemas: TableSchemas<V>
  readonly pinned: boolean
  readonly liveKeys: Set<MapKey> | undefined
  /** In the cache. */
  readonly rows = new Map<MapKey, Row<V>>()
  readonly entries: Entries<V> = this
  readonly scan = this
  /** Of the bytes of a value, running. */
  averageBytes = 32
  /** Rows that were found in the cache; the same one twice in a row counts once. */
  hits = 0
  #measured = 0
  #unmeasured = 0
  /** Rows with a value. */
  #live = 0
  readonly #cache: RowCache
  /** Most uses of a state are of the key of the use before. */
  #last: Row<V> | undefined

  constructor({ id, kind, name, codec, living, schemas, pinned, liveKeys, cache }: LevelTableParts<V>) {
    this.id = id
    this.kind = kind
    this.name = name
    this.codec = codec
    this.living = living
    this.schemas = schemas
    this.pinned = pinned
    this.liveKeys = liveKeys
    this.#cache = cache
  }

  /** Of the rows in the cache; of a pinned table those are all. So is what the iterators give. */
  get size(): number {
    return this.#live
  }

  get(key: MapKey): V | undefined {
    return this.#row(key).value
  }

  /** As `get`, without a row for what is not in the cache: for who goes over more than it may hold. Not to be changed. */
  peek(key: MapKey): V | undefined {
    const row = this.rows.get(key)
    if (row !== undefined) return row.value
    const stored = this.#cache.stored(this.id, key)
    return stored === undefined ? undefined : this.schemas.read(stored, key)
  }

  /** What the row of the key takes, estimated; 0 where it is not in the cache. */
  bytesOf(key: MapKey): number {
    const row = this.#last?.key === key ? this.#last : this.rows.get(key)
    return row?.bytes ?? 0
  }

  /** Behind a `touch`. */
  set(key: MapKey, value: V): void {
    const row = this.#row(key)
    if (row.value === undefined) {
      this.#live++
      row.value = value
      this.liveKeys?.add(key)
      this.#cache.appeared(row as AnyRow)
    } else row.value = value
  }

  /** Behind a `touch`. */
  delete(key: MapKey): boolean {
    const row = this.#row(key)
    if (row.value === undefined) return false
    row.value = undefined
    this.#live--
    this.liveKeys?.delete(key)
    this.#cache.emptied(row as AnyRow)
    return true
  }

  /** The entry of `key` is about to change or to appear. A serializer that throws fails the snapshots, not the change. */
  touch(key: MapKey): void {
    this.#cache.touch(this.#row(key) as AnyRow)
  }

  *[Symbol.iterator](): IterableIterator<[MapKey, V]> {
    for (const row of this.rows.values()) if (row.value !== undefined) yield [row.key, row.value]
  }

  *keys(): IterableIterator<MapKey> {
    for (const [key] of this) yield key
  }

  *values(): IterableIterator<V> {
    for (const [, value] of this) yield value
  }

  /** Takes in a row with what is stored, undefined for nothing. */
  adopt(key: MapKey, stored: Uint8Array | undefined): Row<V> {
    const row = new Row<V>(this, key)
    if (stored !== undefined) {
      row.value = this.schemas.read(stored, key)
      row.bytes = ROW_BYTES + stored.length
      this.#live++
    }
    this.rows.set(key, row)
    return row
  }

  /** The first values, and one of so many of those to come. */
  isToBeMeasured(): boolean {
    return this.#measured < FIRST_MEASURED || this.#unmeasured++ % UNMEASURED === 0
  }

  /** What a measure is divided by: the first ones make the average, later ones change it slowly. */
  weightOfMeasure(): number {
    return Math.min(++this.#measured, LONGEST_MEMORY)
  }

  /** The row leaves the cache; what it holds is no longer here. */
  forget(row: Row<V>): void {
    if (this.#last === row) this.#last = undefined
    if (row.value !== undefined) this.#live--
    row.value = undefined
    row.gone = true
    this.rows.delete(row.key)
  }

  clear(): void {
    this.rows.clear()
    this.liveKeys?.clear()
    this.#last = undefined
    this.#live = 0
  }

  #row(key: MapKey): Row<V> {
    if (this.#last !== undefined && this.#last.key === key) return this.#last
    let row = this.rows.get(key)
    if (row === undefined) row = this.#cache.load(this, key)
    else this.hits++
    row.referenced = true
    this.#last = row
    return row
  }
}

/** A table of whatever values. */
export type AnyTable = LevelTable<unknown>
