/**
 * The list states of the `leveldb` backend: as on the heap while the list is small, in parts when it has become large. Those
 * whose elements expire stay whole: a read may give each element another time, which would write every chunk anew.
 */
import { type CurrentKey, noCurrentKey } from '../current-key.ts'
import type { ListState } from '../descriptors.ts'
import type { MapKey } from '../key.ts'
import { MemoryListState } from '../memory/states.ts'
import type { TtlListState } from '../memory/ttl-states.ts'
import type { Stamped } from '../ttl-codecs.ts'
import type { LevelTable } from './level-table.ts'
import { isTooLarge, type PartSizes } from './part-sizes.ts'
import type { PartedLists } from './parted-lists.ts'

/** What a list state of this backend is made of. */
export interface LevelListParts<E> {
  readonly current: CurrentKey
  /** Of the small lists. */
  readonly table: LevelTable<E[]>
  readonly sizes: PartSizes
  /** Undefined while none of the lists has been large. */
  parted(): PartedLists<E> | undefined
  /** The same, made where there is none. */
  toPart(): PartedLists<E>
}

export class LevelListState<T> implements ListState<T> {
  readonly #small: MemoryListState<T>
  readonly #parts: LevelListParts<T>

  constructor(parts: LevelListParts<T>) {
    this.#small = new MemoryListState(parts.current, parts.table)
    this.#parts = parts
  }

  get(): Iterable<T> {
    const parted = this.#parts.parted()
    if (parted === undefined) return this.#small.get()
    const owner = this.#owner()
    const head = this.#parts.table.get(owner) === undefined ? parted.head(owner) : undefined
    return head === undefined ? this.#small.get() : parted.elements(head)
  }

  add(value: T): void {
    const owner = this.#owner()
    const { table, sizes } = this.#parts
    const parted = this.#parts.parted()
    if (parted !== undefined && table.get(owner) === undefined && parted.head(owner) !== undefined)
      return parted.append(owner, value)
    this.#small.add(value)
    const list = table.get(owner) as T[]
    if (isTooLarge(table, sizes, owner, list.length)) this.#move(owner, list)
  }

  addAll(values: Iterable<T>): void {
    // The iterable is the user's and may throw or touch this state: nothing is changed before it has ended.
    const added = [...values]
    for (const value of added) this.add(value)
  }

  update(values: Iterable<T>): void {
    const list = [...values]
    const owner = this.#owner()
    this.clear()
    if (list.length > this.#parts.sizes.mostEntries) this.#parts.toPart().move(owner, list)
    else this.#small.update(list)
  }

  clear(): void {
    const owner = this.#owner()
    if (this.#parts.table.get(owner) !== undefined) this.#small.clear()
    else this.#parts.parted()?.clear(owner)
  }

  #owner(): MapKey {
    const key = this.#parts.current.mapKey
    if (key === undefined) throw noCurrentKey(`State '${this.#parts.table.name}'`)
    return key
  }

  #move(owner: MapKey, list: readonly T[]): void {
    this.#parts.toPart().move(owner, list)
    this.#small.clear()
  }
}

/** Lists that lie in parts from a time when they did not expire become whole where they are used. */
export class LevelTtlListState<T> implements ListState<T> {
  readonly #whole: TtlListState<T>
  readonly #parts: LevelListParts<Stamped<T>>

  constructor(whole: TtlListState<T>, parts: LevelListParts<Stamped<T>>) {
    this.#whole = whole
    this.#parts = parts
  }

  get(): Iterable<T> {
    this.#makeWhole()
    return this.#whole.get()
  }

  add(value: T): void {
    this.#makeWhole()
    this.#whole.add(value)
  }

  addAll(values: Iterable<T>): void {
    this.#makeWhole()
    this.#whole.addAll(values)
  }

  update(values: Iterable<T>): void {
    this.#makeWhole()
    this.#whole.update(values)
  }

  clear(): void {
    this.#makeWhole()
    this.#whole.clear()
  }

  #makeWhole(): void {
    const parted = this.#parts.parted()
    if (parted === undefined) return
    const owner = this.#whole.key()
    const { table } = this.#parts
    const head = table.get(owner) === undefined ? parted.head(owner) : undefined
    if (head === undefined) return
    const list = [...parted.elements(head)].map((element) => ({ ...element }))
    parted.clear(owner)
    table.touch(owner)
    table.set(owner, list)
  }
}
