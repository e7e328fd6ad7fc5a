/**
 * The map state of the `leveldb` backend whose entries expire: as on the heap while the map is small, in parts when it has
 * become large. The rules are those of the heap's (`memory/ttl-map-state.ts`).
 */
import type { MapState } from '../descriptors.ts'
import { keyOf, type MapKey, mapKeyOf } from '../key.ts'
import { TtlMapState } from '../memory/ttl-map-state.ts'
import type { TtlParts } from '../memory/ttl-states.ts'
import type { Stamped } from '../ttl-codecs.ts'
import type { LevelMapParts } from './level-map-state.ts'
import { eachIn, type MapStep } from './map-walk.ts'
import type { MapPart } from './part-codecs.ts'
import { isTooLarge } from './part-sizes.ts'

type Entries<V> = Map<MapKey, Stamped<V>>

export class LevelTtlMapState<K, V> implements MapState<K, V> {
  readonly #small: TtlMapState<K, V>
  readonly #parts: LevelMapParts<Stamped<V>>
  readonly #expiry: TtlParts<Entries<V>>['expiry']

  constructor(ttl: TtlParts<Entries<V>>, parts: LevelMapParts<Stamped<V>>) {
    this.#small = new TtlMapState(ttl)
    this.#parts = parts
    this.#expiry = ttl.expiry
  }

  get(key: K): V | undefined {
    const owner = this.#small.key()
    if (!this.#isInParts(owner)) return this.#small.get(key)
    return this.#read(owner, mapKeyOf(key))?.value.value
  }

  has(key: K): boolean {
    const owner = this.#small.key()
    if (!this.#isInParts(owner)) return this.#small.has(key)
    return this.#read(owner, mapKeyOf(key)) !== undefined
  }

  set(key: K, value: V): this {
    const owner = this.#small.key()
    if (this.#isInParts(owner) && this.#setPart(owner, mapKeyOf(key), value)) return this
    const { table } = this.#parts
    this.#small.set(key, value)
    const map = table.get(owner) as Entries<V>
    if (isTooLarge(table, this.#parts.sizes, owner, map.size)) {
      this.#parts.toPart().move(owner, map)
      this.#small.removeEntry(owner)
    }
    return this
  }

  delete(key: K): boolean {
    const owner = this.#small.key()
    if (!this.#isInParts(owner)) return this.#small.delete(key)
    const userKey = mapKeyOf(key)
    const nowMs = this.#small.use()
    const part = this.#part(owner, userKey)
    if (part === undefined) return false
    this.#parts.parted()?.remove(owner, userKey, part)
    return this.#isVisible(part.value, nowMs)
  }

  keys(): IterableIterator<K> {
    return this.#each((userKey) => keyOf(userKey) as K)
  }

  values(): IterableIterator<V> {
    return this.#each((_, value) => value)
  }

  entries(): IterableIterator<[K, V]> {
    return this.#each((userKey, value) => [keyOf(userKey) as K, value])
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  isEmpty(): boolean {
    const owner = this.#small.key()
    if (!this.#isInParts(owner)) return this.#small.isEmpty()
    const nowMs = this.#small.use()
    for (const step of eachIn(this.#parts, owner)) {
      if (this.#isVisible(step[1], nowMs)) return false
      this.#drop(owner, step)
    }
    return true
  }

  clear(): void {
    const owner = this.#small.key()
    if (this.#isInParts(owner)) this.#parts.parted()?.clear(owner)
    else this.#small.clear()
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

  #isInParts(owner: MapKey): boolean {
    const parted = this.#parts.parted()
    return parted !== undefined && this.#parts.table.get(owner) === undefined && parted.head(owner) !== undefined
  }

  #part(owner: MapKey, userKey: MapKey): MapPart<Stamped<V>> | undefined {
    const parted = this.#parts.parted()
    const head = parted?.head(owner)
    return head === undefined ? undefined : parted?.find(head, userKey)
  }

  #read(owner: MapKey, userKey: MapKey): MapPart<Stamped<V>> | undefined {
    const nowMs = this.#small.use()
    const part = this.#part(owner, userKey)
    return part !== undefined && this.#isSeen(owner, [userKey, part.value, part], nowMs) ? part : undefined
  }

  /** False where nothing of the map is left: it is small again. */
  #setPart(owner: MapKey, userKey: MapKey, value: V): boolean {
    const nowMs = this.#small.use()
    const parted = this.#parts.toPart()
    const part = this.#part(owner, userKey)
    if (part !== undefined && this.#isVisible(part.value, nowMs)) {
      this.#touchPart(owner, userKey)
      part.value.value = value
      part.value.touchedMs = nowMs
      return true
    }
    // The order must not tell whether the clean-up has come by: one that cannot be seen any more is no longer there.
    if (part !== undefined) parted.remove(owner, userKey, part)
    if (parted.head(owner) === undefined) return false
    parted.append(owner, userKey, { value, touchedMs: nowMs })
    return true
  }

  #touchPart(owner: MapKey, userKey: MapKey): void {
    const parted = this.#parts.parted()
    const head = parted?.head(owner)
    if (head !== undefined) parted?.touchEntry(head, userKey)
  }

  #isVisible({ touchedMs }: Stamped<V>, nowMs: number): boolean {
    return this.#expiry.returnsExpired || !this.#expiry.isExpired(touchedMs, nowMs)
  }

  #each<R>(result: (userKey: MapKey, value: V) => R): IterableIterator<R> {
    const owner = this.#small.key()
    this.#small.use()
    return this.#walk(owner, eachIn(this.#parts, owner), result)
  }

  *#walk<R>(
    owner: MapKey,
    each: Iterable<MapStep<Stamped<V>>>,
    result: (userKey: MapKey, value: V) => R,
  ): IterableIterator<R> {
    for (const step of each) {
      const [userKey, { value, touchedMs }] = step
      const nowMs = this.#expiry.nowMs()
      if (this.#expiry.returnsExpired && this.#expiry.isExpired(touchedMs, nowMs)) {
        // Removed behind the walk's back, not before: whoever sets it meanwhile would meet it again at the end of the map.
        try {
          yield result(userKey, value)
        } finally {
          this.#drop(owner, step, touchedMs)
        }
      } else if (this.#isSeen(owner, step, nowMs)) yield result(userKey, value)
    }
  }

  /** A read of one entry: whether it is to be seen. */
  #isSeen(owner: MapKey, step: MapStep<Stamped<V>>, nowMs: number): boolean {
    const { touchedMs } = step[1]
    if (this.#expiry.isExpired(touchedMs, nowMs)) {
      this.#drop(owner, step)
      return this.#expiry.returnsExpired
    }
    if (this.#expiry.refreshesOnRead && touchedMs !== nowMs) this.#refresh(owner, step, nowMs)
    return true
  }

  #refresh(owner: MapKey, [userKey, value, walked]: MapStep<Stamped<V>>, nowMs: number): void {
    const { table } = this.#parts
    if (walked === undefined) {
      if (table.get(owner)?.get(userKey) === value) table.touch(owner)
      value.touchedMs = nowMs
      return
    }
    const part = this.#part(owner, userKey)
    if (part === undefined) return
    this.#touchPart(owner, userKey)
    part.value.touchedMs = nowMs
  }

  /** Nothing where something else stands there by now, or it was touched since. */
  #drop(owner: MapKey, [userKey, value, walked]: MapStep<Stamped<V>>, touchedMs: number = value.touchedMs): void {
    const { table } = this.#parts
    const map = table.get(owner)
    if (map !== undefined) {
      const entry = map.get(userKey)
      if (walked !== undefined || entry !== value || entry.touchedMs !== touchedMs) return
      table.touch(owner)
      map.delete(userKey)
      if (map.size === 0) table.delete(owner)
      return
    }
    const part = this.#part(owner, userKey)
    if (part?.value.touchedMs !== touchedMs) return
    if (walked !== undefined && (part.chunk !== walked.chunk || part.place !== walked.place)) return
    this.#parts.parted()?.remove(owner, userKey, part)
  }
}
