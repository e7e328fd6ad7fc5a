/** Large lists of one state, in parts: a head a key, and chunks of elements. An addition touches the last chunk and the head. */
import { assert } from '../../base/assert.ts'
import type { MapKey } from '../key.ts'
import { chunkKey } from '../part-keys.ts'
import type { LevelTable } from './level-table.ts'
import type { PartHead } from './part-codecs.ts'
import type { PartNumbers } from './part-numbers.ts'
import { isTooLarge, type PartSizes } from './part-sizes.ts'

export interface ListTables<E> {
  readonly heads: LevelTable<PartHead>
  readonly chunks: LevelTable<E[]>
}

export class PartedLists<E> {
  readonly #tables: ListTables<E>
  readonly #sizes: PartSizes
  readonly #keyGroupOf: (owner: MapKey) => number
  #numbers: PartNumbers | undefined

  constructor(tables: ListTables<E>, sizes: PartSizes, keyGroupOf: (owner: MapKey) => number) {
    this.#tables = tables
    this.#sizes = sizes
    this.#keyGroupOf = keyGroupOf
  }

  /** Once, before anything else: they remove chunks of this. */
  set numbers(numbers: PartNumbers) {
    this.#numbers = numbers
  }

  head(owner: MapKey): PartHead | undefined {
    return this.#tables.heads.get(owner)
  }

  /** The owner has no head; the list becomes a large one. */
  move(owner: MapKey, list: readonly E[]): void {
    const numbers = this.#numbers
    assert(numbers !== undefined, 'a list was moved before its parts had numbers')
    const { heads } = this.#tables
    const head = { prefix: numbers.nextPrefix(this.#keyGroupOf(owner)), size: 0, first: 0, last: 0 }
    heads.touch(owner)
    heads.set(owner, head)
    this.#newChunk(head.prefix, 0)
    for (const element of list) this.append(owner, element)
  }

  /** The owner has a head. */
  append(owner: MapKey, element: E): void {
    const { heads, chunks } = this.#tables
    heads.touch(owner)
    const head = heads.get(owner) as PartHead
    const last = this.#lastChunk(head)
    chunks.touch(chunkKey(head.prefix, head.last))
    last.push(element)
    head.size++
  }

  /** All of it. At once; what lies in the store is removed by and by. */
  clear(owner: MapKey): void {
    const { heads } = this.#tables
    const head = heads.get(owner)
    if (head === undefined) return
    heads.touch(owner)
    heads.delete(owner)
    this.#numbers?.cleared(head.prefix, head.first)
  }

  /** Removes a chunk of a cleared list; gives the number of the next one, -1 behind the last. */
  removeChunk(prefix: string, number: number): number {
    const { chunks } = this.#tables
    const key = chunkKey(prefix, number)
    chunks.touch(key)
    chunks.delete(key)
    return chunks.peek(chunkKey(prefix, number + 1)) === undefined ? -1 : number + 1
  }

  /**
   * The elements of now, chunk by chunk, again each time. What is added or cleared later does not show, as long as the turn
   * lasts in which it was asked for. Nothing of it stays in the cache.
   */
  elements({ prefix, size, first }: PartHead): Iterable<E> {
    const walk = () => this.#walk(prefix, first, size)
    return { [Symbol.iterator]: walk }
  }

  *#walk(prefix: string, first: number, size: number): Generator<E, void> {
    for (let number = first, left = size; left > 0; number++) {
      const chunk = this.#tables.chunks.peek(chunkKey(prefix, number))
      assert(chunk !== undefined, `chunk ${number} of a list in state '${this.#tables.chunks.name}' is not there`)
      const count = Math.min(left, chunk.length)
      left -= count
      for (let place = 0; place < count; place++) yield chunk[place] as E
    }
  }

  /** With room for one more. */
  #lastChunk(head: PartHead): E[] {
    const { chunks } = this.#tables
    const key = chunkKey(head.prefix, head.last)
    const last = chunks.get(key)
    assert(last !== undefined, `the last chunk of a list in state '${chunks.name}' is not there`)
    const { mostBytes, chunkKeys } = this.#sizes
    const isFull = isTooLarge(chunks, { mostBytes, mostEntries: chunkKeys - 1, chunkKeys }, key, last.length)
    if (!isFull) return last
    head.last++
    return this.#newChunk(head.prefix, head.last)
  }

  #newChunk(prefix: string, number: number): E[] {
    const { chunks } = this.#tables
    const key = chunkKey(prefix, number)
    const chunk: E[] = []
    chunks.touch(key)
    chunks.set(key, chunk)
    return chunk
  }
}
