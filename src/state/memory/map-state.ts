/** The map state of the `hashmap` backend: a `Map` a key, by encoded keys of the user. Empty maps are not kept. */
import { type CurrentKey, noCurrentKey } from '../current-key.ts'
import type { MapState } from '../descriptors.ts'
import { keyOf, type MapKey, mapKeyOf } from '../key.ts'
import type { KeyedTable } from '../keyed-table.ts'

export class MemoryMapState<K, V> implements MapState<K, V> {
  readonly current: CurrentKey
  readonly table: KeyedTable<Map<MapKey, V>>

  constructor(current: CurrentKey, table: KeyedTable<Map<MapKey, V>>) {
    this.current = current
    this.table = table
  }

  #map(): Map<MapKey, V> | undefined {
    return this.table.entries.get(this.#key())
  }

  #key(): MapKey {
    const key = this.current.mapKey
    if (key === undefined) throw noCurrentKey(`State '${this.table.name}'`)
    return key
  }

  get(key: K): V | undefined {
    return this.#map()?.get(mapKeyOf(key))
  }

  has(key: K): boolean {
    return this.#map()?.has(mapKeyOf(key)) ?? false
  }

  set(key: K, value: V): this {
    const userKey = mapKeyOf(key)
    const current = this.#key()
    const { table } = this
    if (table.scan !== null) table.scan.touch(current)
    const map = table.entries.get(current)
    if (map === undefined) table.entries.set(current, new Map([[userKey, value]]))
    else map.set(userKey, value)
    return this
  }

  delete(key: K): boolean {
    const userKey = mapKeyOf(key)
    const current = this.#key()
    const { table } = this
    const map = table.entries.get(current)
    if (map === undefined || !map.has(userKey)) return false
    if (table.scan !== null) table.scan.touch(current)
    map.delete(userKey)
    if (map.size === 0) table.entries.delete(current)
    return true
  }

  keys(): IterableIterator<K> {
    return decodedKeys<K>(this.#map())
  }

  values(): IterableIterator<V> {
    return (this.#map() ?? new Map<MapKey, V>()).values()
  }

  entries(): IterableIterator<[K, V]> {
    return decodedEntries<K, V>(this.#map())
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  isEmpty(): boolean {
    return this.#map() === undefined
  }

  clear(): void {
    const current = this.#key()
    const { table } = this
    if (table.scan !== null) table.scan.touch(current)
    const map = table.entries.get(current)
    table.entries.delete(current)
    // Iterators that are in it end, as those of a Map do.
    map?.clear()
  }

  put(key: K, value: V): void {
    this.set(key, value)
  }

  contains(key: K): boolean {
    return this.has(key)
  }

  remove(key: K): void {
    this.delete(key)
  }
}

// The map is looked up when the iterator is made: it stays with its key when the current key changes.

function* decodedKeys<K>(map: ReadonlyMap<MapKey, unknown> | undefined): IterableIterator<K> {
  if (map !== undefined) for (const key of map.keys()) yield keyOf(key) as K
}

function* decodedEntries<K, V>(map: ReadonlyMap<MapKey, V> | undefined): IterableIterator<[K, V]> {
  if (map !== undefined) for (const [key, value] of map) yield [keyOf(key) as K, value]
}
