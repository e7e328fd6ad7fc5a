/**
 * Everything as it was at a freeze: a view of the store, the batches that were not in it for certain, and the rows of the
 * cache that differed from both. Where they say different things of a key, the last of these three is right.
 */
import type { StoreOperation, StoreSnapshot } from '../../base/ordered-store.ts'
import type { KeyGroupRange } from '../key-group-range.ts'
import type { RestorePace } from '../restore-pace.ts'
import type { TableSlot } from './level-tables.ts'
import type { OpenSnapshot } from './open-snapshots.ts'
import { RecordBuffer } from './record-buffer.ts'
import type { AnyRow } from './row.ts'
import type { EncodedRow } from './row-encoder.ts'
import { keyGroupIn, lowestKeyOf, textOf } from './store-key.ts'
import type { WriteBatch } from './write-batch.ts'

const PAGE_BYTES = 256 * 1024
const PAGE_ENTRIES = 1000
/** Entries between two looks at the clock. */
const BETWEEN_LOOKS = 1000

export interface WholeParts {
  readonly stamp: number
  readonly keyGroups: KeyGroupRange
  readonly slots: Iterable<TableSlot>
  readonly batches: readonly WriteBatch[]
  readonly store: StoreSnapshot | undefined
  readonly pace: RestorePace
}

/** Some of the entries of one key group; nothing in them is removed, and none comes twice. */
export interface EntryPage {
  readonly keyGroup: number
  readonly entries: readonly StoredEntry[]
  /** Whatever else is in the key group, by key: also behind the last page of it. Rejects when the snapshot was released. */
  readonly read: ReadStored
}

/** What is stored under each key, undefined for nothing. */
export type ReadStored = (keys: readonly Uint8Array[]) => Promise<readonly (Uint8Array | undefined)[]>

export interface StoredEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

interface Walk {
  readonly rows: IterableIterator<AnyRow>
  /** Rows that were there at the freeze come first, so with that many all of them have been met. */
  left: number
}

export class WholeSnapshot implements OpenSnapshot {
  readonly stamp: number
  failure: { readonly thrown: unknown; readonly row: AnyRow } | undefined
  readonly #keyGroups: KeyGroupRange
  readonly #store: StoreSnapshot | undefined
  readonly #pace: RestorePace
  #walks: Walk[]
  /** What was encoded before the freeze, the newest last. */
  #encoded: Iterable<StoreOperation>[]
  /** What was serialised since, by key group. */
  #rows: (RecordBuffer | undefined)[] = []
  #released = false

  /** The whole of the synchronous part: it looks at tables and batches, never at entries. */
  constructor({ stamp, keyGroups, slots, batches, store, pace }: WholeParts) {
    this.stamp = stamp
    this.#pace = pace
    this.#keyGroups = keyGroups
    this.#store = store
    const all = [...slots]
    this.#walks = all.flatMap(({ table }) =>
      table === undefined ? [] : [{ rows: table.rows.values() as IterableIterator<AnyRow>, left: table.rows.size }],
    )
    this.#encoded = [
      ...batches.map((batch) => ({ [Symbol.iterator]: () => batch.operations() })),
      ...all.map(({ unclaimed }) => ({ [Symbol.iterator]: () => unclaimed.values() })),
    ]
  }

  /** Has up to `budget` rows saved; true when all were. */
  step(budget: number, save: (row: AnyRow) => void): boolean {
    let left = budget
    for (let walk = this.#walks[0]; walk !== undefined && left > 0; walk = this.#walks[0]) {
      const { done, value } = walk.left === 0 ? { done: true, value: undefined } : walk.rows.next()
      if (done === true) this.#walks.shift()
      else {
        walk.left--
        left--
        save(value as AnyRow)
      }
    }
    return this.#walks.length === 0
  }

  needs(row: AnyRow): boolean {
    return row.unflushed && row.changedIn <= this.stamp
  }

  take(encoded: EncodedRow): void {
    const keyGroup = keyGroupIn(encoded.out.bytes)
    let records = this.#rows[keyGroup]
    if (records === undefined) this.#rows[keyGroup] = records = new RecordBuffer()
    records.append(encoded)
  }

  fail(thrown: unknown, row: AnyRow): void {
    this.failure ??= { thrown, row }
  }

  /** After `step` gave true: all entries, key group by key group. Ends early when released. */
  async *pages(): AsyncGenerator<EntryPage> {
    const { last } = this.#keyGroups
    let { first: keyGroup } = this.#keyGroups
    const encoded: (StoreOperation[] | undefined)[] = []
    for (const source of this.#encoded) for (const operation of source) put(encoded, operation)
    const above = (group: number) => newestOf(this.#pace, encoded[group], this.#rows[group]?.operations())
    let hidden = await above(keyGroup)
    let read = this.#readerOf(hidden)
    const next = async () => {
      hidden = await above(++keyGroup)
      read = this.#readerOf(hidden)
    }
    for await (const page of this.#storePages()) {
      for (const { keyGroup: found, entries } of byKeyGroup(page)) {
        while (keyGroup < found) {
          yield* valuesOf(keyGroup, hidden, read)
          await next()
        }
        const seen = hidden.size === 0 ? entries : entries.filter(({ key }) => !hidden.has(textOf(key)))
        yield { keyGroup, entries: seen, read }
      }
      if (this.#released) return
    }
    while (keyGroup <= last && !this.#released) {
      yield* valuesOf(keyGroup, hidden, read)
      await next()
    }
  }

  /** What makes of the store of then what there was at the freeze. */
  *operations(): IterableIterator<StoreOperation> {
    for (const source of this.#encoded) yield* source
    for (const records of this.#rows) if (records !== undefined) yield* records.operations()
  }

  release(): void {
    if (this.#released) return
    this.#released = true
    this.#walks = []
    this.#encoded = []
    this.#rows = []
    this.#store?.release()
  }

  /** What is not in the store comes first. */
  #readerOf(hidden: ReadonlyMap<string, StoreOperation>): ReadStored {
    return async (keys) => {
      const found = keys.map((key) => hidden.get(textOf(key)))
      const missing = keys.filter((_, place) => found[place] === undefined)
      const stored = missing.length === 0 ? [] : await this.#store?.getMany(missing)
      let next = 0
      return found.map((operation) => (operation === undefined ? stored?.[next++] : operation.value))
    }
  }

  #storePages(): AsyncIterable<readonly (readonly [Uint8Array, Uint8Array])[]> {
    const { first, last } = this.#keyGroups
    return (
      this.#store?.scan({ from: lowestKeyOf(first), below: lowestKeyOf(last + 1), pageBytes: PAGE_BYTES }) ?? nothing()
    )
  }
}

function* byKeyGroup(page: readonly (readonly [Uint8Array, Uint8Array])[]): IterableIterator<Omit<EntryPage, 'read'>> {
  let entries: StoredEntry[] = []
  for (const [place, [key, value]] of page.entries()) {
    entries.push({ key, value })
    const keyGroup = keyGroupIn(key)
    const following = page[place + 1]
    if (following !== undefined && keyGroupIn(following[0]) === keyGroup) continue
    yield { keyGroup, entries }
    entries = []
  }
}

/** By key group. */
function put(groups: (StoreOperation[] | undefined)[], operation: StoreOperation): void {
  const keyGroup = keyGroupIn(operation.key)
  const group = groups[keyGroup]
  if (group === undefined) groups[keyGroup] = [operation]
  else group.push(operation)
}

/** By text of the key. */
async function newestOf(
  pace: RestorePace,
  ...sources: (Iterable<StoreOperation> | undefined)[]
): Promise<ReadonlyMap<string, StoreOperation>> {
  const newest = new Map<string, StoreOperation>()
  for (const source of sources)
    for (const operation of source ?? []) {
      newest.set(textOf(operation.key), operation)
      // Most key groups have few.
      if (newest.size % BETWEEN_LOOKS === 0 && pace.isUsedUp()) await pace.nextTurn()
    }
  return newest
}

/** What is not in the store, when the key group has been read from it. */
function* valuesOf(
  keyGroup: number,
  operations: ReadonlyMap<string, StoreOperation>,
  read: ReadStored,
): IterableIterator<EntryPage> {
  let entries: StoredEntry[] = []
  for (const { key, value } of operations.values()) {
    if (value !== undefined) entries.push({ key, value })
    if (entries.length < PAGE_ENTRIES) continue
    yield { keyGroup, entries, read }
    entries = []
  }
  if (entries.length > 0) yield { keyGroup, entries, read }
}

async function* nothing(): AsyncGenerator<never> {}
