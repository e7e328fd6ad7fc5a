/**
 * Large maps of one state, in parts: a head a key, chunks of user keys in their order, a row an entry. One entry touches its
 * row, and where it comes or goes its chunk and the head; whoever goes over all of them needs memory for one chunk.
 */
import { assert } from '../../base/assert.ts'
import type { MapKey } from '../key.ts'
import { chunkKey, entryKey, prefixOf } from '../part-keys.ts'
import type { LevelTable } from './level-table.ts'
import type { MapChunk, MapPart, PartHead } from './part-codecs.ts'
import type { PartNumbers } from './part-numbers.ts'

export interface MapTables<E> {
  readonly heads: LevelTable<PartHead>
  readonly chunks: LevelTable<MapChunk>
  readonly entries: LevelTable<MapPart<E>>
}

/** Where an entry stands. An entry that is removed and comes again stands elsewhere. */
export interface Place {
  readonly chunk: number
  readonly place: number
}

/** Where a map went that became large: its entries to places before `end`, under the same order. */
interface Moved {
  readonly prefix: string
  readonly end: Place
}

export class PartedMaps<E> {
  readonly tables: MapTables<E>
  readonly #chunkKeys: number
  readonly #keyGroupOf: (owner: MapKey) => number
  #numbers: PartNumbers | undefined
  readonly #moved = new WeakMap<ReadonlyMap<MapKey, E>, Moved>()

  constructor(tables: MapTables<E>, chunkKeys: number, keyGroupOf: (owner: MapKey) => number) {
    this.tables = tables
    this.#chunkKeys = chunkKeys
    this.#keyGroupOf = keyGroupOf
  }

  /** Once, before anything else: they remove chunks of this. */
  set numbers(numbers: PartNumbers) {
    this.#numbers = numbers
  }

  head(owner: MapKey): PartHead | undefined {
    return this.tables.heads.get(owner)
  }

  find(head: PartHead, userKey: MapKey): MapPart<E> | undefined {
    return this.tables.entries.get(entryKey(head.prefix, userKey))
  }

  /** As it is stored, where the owner's map still has the prefix. Not to be changed. */
  peek(owner: MapKey, prefix: string, userKey: MapKey): MapPart<E> | undefined {
    return this.head(owner)?.prefix === prefix ? this.tables.entries.peek(entryKey(prefix, userKey)) : undefined
  }

  /** Before the value of an entry is changed. */
  touchEntry(head: PartHead, userKey: MapKey): void {
    this.tables.entries.touch(entryKey(head.prefix, userKey))
  }

  /** The map of the owner becomes a large one. The object itself stays as it is: iterators that are in it go on from there. */
  move(owner: MapKey, map: ReadonlyMap<MapKey, E>): void {
    const numbers = this.#numbers
    assert(numbers !== undefined, 'a map was moved before its parts had numbers')
    const { heads } = this.tables
    const head = { prefix: numbers.nextPrefix(this.#keyGroupOf(owner)), size: 0, first: 0, last: 0 }
    heads.touch(owner)
    heads.set(owner, head)
    this.#newChunk(owner, head.prefix, 0, -1)
    for (const [userKey, value] of map) this.append(owner, userKey, value)
    this.#moved.set(map, { prefix: head.prefix, end: this.#end(owner) })
  }

  /** Where the map is now, if it was moved. */
  movedFrom(map: ReadonlyMap<MapKey, E>): Moved | undefined {
    return this.#moved.get(map)
  }

  /** A user key that is not there. The owner has a head. */
  append(owner: MapKey, userKey: MapKey, value: E): void {
    const { heads, chunks, entries } = this.tables
    heads.touch(owner)
    const head = heads.get(owner) as PartHead
    const chunk = this.#lastChunk(owner, head)
    chunks.touch(chunkKey(head.prefix, head.last))
    const place = chunk.keys.push(userKey) - 1
    chunk.live++
    const key = entryKey(head.prefix, userKey)
    entries.touch(key)
    entries.set(key, { value, chunk: head.last, place })
    head.size++
  }

  remove(owner: MapKey, userKey: MapKey, { chunk: number, place }: Place): void {
    const { heads, chunks, entries } = this.tables
    heads.touch(owner)
    const head = heads.get(owner) as PartHead
    const key = entryKey(head.prefix, userKey)
    entries.touch(key)
    entries.delete(key)
    const chunk = this.#chunk(head.prefix, number)
    chunks.touch(chunkKey(head.prefix, number))
    chunk.keys[place] = undefined
    chunk.live--
    head.size--
    if (head.size === 0) {
      this.#drop(chunks, chunkKey(head.prefix, number))
      this.#drop(chunks, chunkKey(head.prefix, head.last))
      this.#drop(heads, owner)
    } else if (chunk.live === 0 && number !== head.last) this.#unlink(head, number, chunk)
  }

  /** Removes an entry of which only its own row is known; nothing where its map is another one by now. */
  removeExpired(key: string, { chunk, place }: Place): void {
    const prefix = prefixOf(key)
    const { owner, keys } = this.#chunk(prefix, chunk)
    const userKey = keys[place]
    if (this.head(owner)?.prefix === prefix && userKey !== undefined) this.remove(owner, userKey, { chunk, place })
  }

  /** All of it. At once; what lies in the store is removed by and by. */
  clear(owner: MapKey): void {
    const head = this.head(owner)
    if (head === undefined) return
    this.#drop(this.tables.heads, owner)
    this.#numbers?.cleared(head.prefix, head.first)
  }

  /** Removes a chunk of a cleared map with its entries; gives the number of the next one, -1 behind the last. */
  removeChunk(prefix: string, number: number): number {
    const { chunks, entries } = this.tables
    const { keys, behind } = this.#chunk(prefix, number)
    for (const userKey of keys) if (userKey !== undefined) this.#drop(entries, entryKey(prefix, userKey))
    this.#drop(chunks, chunkKey(prefix, number))
    return behind
  }

  /**
   * The entries from a place on, in their order. Bears changes meanwhile as a Map's iterator does: what was removed does not
   * come, what is added comes, and it ends where the map is cleared. Nothing of it stays in the cache.
   */
  *walk(owner: MapKey, prefix: string, from: Place): Generator<[MapKey, MapPart<E>], void> {
    let { chunk: number, place } = from
    while (this.head(owner)?.prefix === prefix) {
      const chunk = this.tables.chunks.peek(chunkKey(prefix, number))
      if (chunk === undefined || place >= chunk.keys.length) {
        const next = chunk === undefined ? this.#nextBehind(owner, prefix, number) : chunk.behind
        if (next < 0) return
        number = next
        place = 0
        continue
      }
      for (; place < chunk.keys.length; place++) {
        const userKey = chunk.keys[place]
        const part = userKey === undefined ? undefined : this.#peekAt(prefix, userKey, number, place)
        if (userKey === undefined || part === undefined) continue
        yield [userKey, part]
        if (this.head(owner)?.prefix !== prefix) return
      }
    }
  }

  /** As it is stored, where it still stands in this place. */
  #peekAt(prefix: string, userKey: MapKey, chunk: number, place: number): MapPart<E> | undefined {
    const part = this.tables.entries.peek(entryKey(prefix, userKey))
    return part?.chunk === chunk && part.place === place ? part : undefined
  }

  #end(owner: MapKey): Place {
    const { prefix, last } = this.head(owner) as PartHead
    return { chunk: last, place: this.#chunk(prefix, last).keys.length }
  }

  /** With room for one more. */
  #lastChunk(owner: MapKey, head: PartHead): MapChunk {
    const { chunks } = this.tables
    const last = this.#chunk(head.prefix, head.last)
    if (last.keys.length < this.#chunkKeys) return last
    const before = head.last
    head.last++
    chunks.touch(chunkKey(head.prefix, before))
    last.behind = head.last
    const chunk = this.#newChunk(owner, head.prefix, head.last, before)
    if (last.live === 0) this.#unlink(head, before, last)
    return chunk
  }

  #newChunk(owner: MapKey, prefix: string, number: number, before: number): MapChunk {
    const { chunks } = this.tables
    const chunk = { owner, before, behind: -1, live: 0, keys: [] }
    const key = chunkKey(prefix, number)
    chunks.touch(key)
    chunks.set(key, chunk)
    return chunk
  }

  /** The head is touched; the chunk holds nothing. The last one always stays: its number says where the next chunk goes. */
  #unlink(head: PartHead, number: number, { before, behind }: MapChunk): void {
    const { chunks } = this.tables
    const { prefix } = head
    chunks.touch(chunkKey(prefix, behind))
    this.#chunk(prefix, behind).before = before
    if (before < 0) head.first = behind
    else {
      chunks.touch(chunkKey(prefix, before))
      this.#chunk(prefix, before).behind = behind
    }
    this.#drop(chunks, chunkKey(prefix, number))
  }

  /** The first chunk with a higher number. The chunk in which an iterator stood is no longer there. */
  #nextBehind(owner: MapKey, prefix: string, number: number): number {
    let next = this.head(owner)?.first ?? -1
    while (next >= 0 && next <= number) next = this.tables.chunks.peek(chunkKey(prefix, next))?.behind ?? -1
    return next
  }

  /** Throws where the store has lost it. */
  #chunk(prefix: string, number: number): MapChunk {
    const chunk = this.tables.chunks.get(chunkKey(prefix, number))
    assert(chunk !== undefined, `chunk ${number} of a map in state '${this.tables.chunks.name}' is not there`)
    return chunk
  }

  #drop<V>(table: LevelTable<V>, key: MapKey): void {
    table.touch(key)
    table.delete(key)
  }
}
