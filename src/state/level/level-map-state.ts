/** The map state of the `leveldb` backend: as on the heap while the map is small, in parts when it has become large. */
import { type CurrentKey, noCurrentKey } from '../current-key.ts'
import type { MapState } from '../descriptors.ts'
import { keyOf, type MapKey, mapKeyOf } from '../key.ts'
import { MemoryMapState } from '../memory/map-state.ts'
import type { LevelTable } from './level-table.ts'
import { eachIn, type MapStep } from './map-walk.ts'
import type { MapPart } from './part-codecs.ts'
import type { PartSizes } from './part-sizes.ts'
import { isTooLarge } from './part-sizes.ts'
import type { PartedMaps } from './parted-maps.ts'

/** What a map state of this backend is made of. */
export interface LevelMapParts<E> {
  readonly current: CurrentKey
  /** Of the small maps. */
  readonly table: LevelTable<Map<MapKey, E>>
  readonly sizes: PartSizes
  /** Undefined while none of the maps has been large. */
  parted(): PartedMaps<E> | undefined
  /** The same, made where there is none. */
  toPart(): PartedMaps<E>
}

export class LevelMapState<K, V> implements MapState<K, V> {
  readonly #small: MemoryMapState<K, V>
  readonly #parts: LevelMapParts<V>

  constructor(parts: LevelMapParts<V>) {
    this.#small = new MemoryMapState(parts.current, parts.table)
    this.#parts = parts
  }

  get(key: K): V | undefined {
    const owner = this.#owner()
    const map = this.#parts.table.get(owner)
    if (map !== undefined) return map.get(mapKeyOf(key))
    return this.#part(owner, mapKeyOf(key))?.value
  }

  has(key: K): boolean {
    const owner = this.#owner()
    const map = this.#parts.table.get(owner)
    if (map !== undefined) return map.has(mapKeyOf(key))
    return this.#part(owner, mapKeyOf(key)) !== undefined
  }

  set(key: K, value: V): this {
    const owner = this.#owner()
    const { table } = this.#parts
    if (table.get(owner) === undefined && this.#setPart(owner, mapKeyOf(key), value)) return this
    this.#small.set(key, value)
    const map = table.get(owner) as Map<MapKey, V>
    if (isTooLarge(table, this.#parts.sizes, owner, map.size)) this.#move(owner, map)
    return this
  }

  delete(key: K): boolean {
    const owner = this.#owner()
    if (this.#parts.table.get(owner) !== undefined) return this.#small.delete(key)
    const userKey = mapKeyOf(key)
    const part = this.#part(owner, userKey)
    if (part === undefined) return false
    this.#parts.parted()?.remove(owner, userKey, part)
    return true
  }

  keys(): IterableIterator<K> {
    return keysIn(eachIn(this.#parts, this.#owner()))
  }

  values(): IterableIterator<V> {
    return valuesIn(eachIn(this.#parts, this.#owner()))
  }

  entries(): IterableIterator<[K, V]> {
    return entriesIn(eachIn(this.#parts, this.#owner()))
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  isEmpty(): boolean {
    const owner = this.#owner()
    return this.#parts.table.get(owner) === undefined && this.#parts.parted()?.head(owner) === undefined
  }

  clear(): void {
    const owner = this.#owner()
    if (this.#parts.table.get(owner) !== undefined) this.#small.clear()
    else this.#parts.parted()?.clear(owner)
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

  #owner(): MapKey {
    const key = this.#parts.current.mapKey
    if (key === undefined) throw noCurrentKey(`State '${this.#parts.table.name}'`)
    return key
  }

  #part(owner: MapKey, userKey: MapKey): MapPart<V> | undefined {
    const parted = this.#parts.parted()
    const head = parted?.head(owner)
    return head === undefined ? undefined : parted?.find(head, userKey)
  }

  /** False where the map of the owner is not in parts. */
  #setPart(owner: MapKey, userKey: MapKey, value: V): boolean {
    const parted = this.#parts.parted()
    const head = parted?.head(owner)
    if (parted === undefined || head === undefined) return false
    const part = parted.find(head, userKey)
    if (part === undefined) parted.append(owner, userKey, value)
    else {
      parted.touchEntry(head, userKey)
      part.value = value
    }
    return true
  }

  #move(owner: MapKey, map: Map<MapKey, V>): void {
    const { table } = this.#parts
    this.#parts.toPart().move(owner, map)
    table.touch(owner)
    table.delete(owner)
  }
}

type Each<V> = Iterable<MapStep<V>>

// The walk begins at the caller's call, with the key that is current then.

function* keysIn<K>(each: Each<unknown>): IterableIterator<K> {
  for (const [key] of each) yield keyOf(key) as K
}

function* valuesIn<V>(each: Each<V>): IterableIterator<V> {
  for (const [, value] of each) yield value
}

function* entriesIn<K, V>(each: Each<V>): IterableIterator<[K, V]> {
  for (const [key, value] of each) yield [keyOf(key) as K, value]
}
