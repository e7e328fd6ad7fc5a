/**
 * The map state of the `hashmap` backend whose entries expire, each by itself. Whatever looks an entry up or comes across
 * it is a read: it refreshes the entry where reads do, and removes it when it has expired.
 */
import type { MapState } from '../descriptors.ts'
import { keyOf, type MapKey, mapKeyOf } from '../key.ts'
import type { Stamped } from '../ttl-codecs.ts'
import { TtlState } from './ttl-states.ts'

type Entries<V> = Map<MapKey, Stamped<V>>

export class TtlMapState<K, V> extends TtlState<Entries<V>> implements MapState<K, V> {
  get(key: K): V | undefined {
    return this.#read(key)?.value
  }

  has(key: K): boolean {
    return this.#read(key) !== undefined
  }

  set(key: K, value: V): this {
    const userKey = mapKeyOf(key)
    const current = this.key()
    const nowMs = this.use()
    this.touch(current)
    const map = this.table.entries.get(current)
    const entry = map?.get(userKey)
    if (map === undefined) this.table.entries.set(current, new Map([[userKey, { value, touchedMs: nowMs }]]))
    else if (entry !== undefined && this.#isVisible(entry, nowMs)) {
      entry.value = value
      entry.touchedMs = nowMs
    } else {
      // The order must not tell whether the clean-up has come by: one that cannot be seen any more is no longer there.
      if (entry !== undefined) map.delete(userKey)
      map.set(userKey, { value, touchedMs: nowMs })
    }
    return this
  }

  /** Whether it was there to be seen. */
  delete(key: K): boolean {
    const userKey = mapKeyOf(key)
    const current = this.key()
    const nowMs = this.use()
    const map = this.table.entries.get(current)
    const entry = map?.get(userKey)
    if (map === undefined || entry === undefined) return false
    this.#drop(current, map, userKey)
    return this.#isVisible(entry, nowMs)
  }

  keys(): IterableIterator<K> {
    return this.#each(([userKey]) => keyOf(userKey) as K)
  }

  values(): IterableIterator<V> {
    return this.#each(([, { value }]) => value)
  }

  entries(): IterableIterator<[K, V]> {
    return this.#each(([userKey, { value }]) => [keyOf(userKey) as K, value])
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  /** Whether there is no entry to be seen. Refreshes none. (Flink counts those that have expired in any case.) */
  isEmpty(): boolean {
    const current = this.key()
    const nowMs = this.use()
    const map = this.table.entries.get(current)
    if (map === undefined || this.expiry.returnsExpired) return map === undefined
    for (const [userKey, { touchedMs }] of map) {
      if (!this.expiry.isExpired(touchedMs, nowMs)) return false
      this.#drop(current, map, userKey)
    }
    return true
  }

  override clear(): void {
    const map = this.table.entries.get(this.key())
    super.clear()
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

  #read(key: K): Stamped<V> | undefined {
    const userKey = mapKeyOf(key)
    const current = this.key()
    const nowMs = this.use()
    const map = this.table.entries.get(current)
    const entry = map?.get(userKey)
    if (map === undefined || entry === undefined) return undefined
    return this.#seen(current, map, userKey, entry, nowMs) ? entry : undefined
  }

  /** The map is looked up at the call: it stays with its key when the current key changes. */
  #each<R>(result: (entry: [MapKey, Stamped<V>]) => R): IterableIterator<R> {
    const current = this.key()
    this.use()
    return this.#walk(current, this.table.entries.get(current), result)
  }

  *#walk<R>(
    current: MapKey,
    map: Entries<V> | undefined,
    result: (entry: [MapKey, Stamped<V>]) => R,
  ): IterableIterator<R> {
    if (map === undefined) return
    for (const entry of map) {
      const [userKey, stamped] = entry
      const nowMs = this.expiry.nowMs()
      if (this.expiry.returnsExpired && this.expiry.isExpired(stamped.touchedMs, nowMs))
        yield* this.#shownOnce(current, map, entry, result)
      else if (this.#seen(current, map, userKey, stamped, nowMs)) yield result(entry)
    }
  }

  /** Removed behind the walk's back, not before: whoever sets it meanwhile would meet it again at the end of the map. */
  *#shownOnce<R>(
    current: MapKey,
    map: Entries<V>,
    entry: [MapKey, Stamped<V>],
    result: (entry: [MapKey, Stamped<V>]) => R,
  ): Generator<R, void> {
    const [userKey, stamped] = entry
    const { touchedMs } = stamped
    try {
      yield result(entry)
    } finally {
      if (map.get(userKey) === stamped && stamped.touchedMs === touchedMs) this.#drop(current, map, userKey)
    }
  }

  #isVisible(entry: Stamped<V>, nowMs: number): boolean {
    return this.expiry.returnsExpired || !this.expiry.isExpired(entry.touchedMs, nowMs)
  }

  /** A read of one entry: whether it is to be seen. */
  #seen(current: MapKey, map: Entries<V>, userKey: MapKey, entry: Stamped<V>, nowMs: number): boolean {
    if (this.expiry.isExpired(entry.touchedMs, nowMs)) {
      this.#drop(current, map, userKey)
      return this.expiry.returnsExpired
    }
    if (this.expiry.refreshesOnRead && entry.touchedMs !== nowMs) {
      this.touch(current)
      entry.touchedMs = nowMs
    }
    return true
  }

  /** Empty maps are not kept. While it is walked the map may have been cleared, and the key may have another one. */
  #drop(current: MapKey, map: Entries<V>, userKey: MapKey): void {
    this.touch(current)
    map.delete(userKey)
    if (map.size === 0 && this.table.entries.get(current) === map) this.table.entries.delete(current)
  }
}
