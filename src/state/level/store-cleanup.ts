/**
 * Removes what has expired where nobody reads it: in the cache as on the heap, and in the store by slow rounds. A round goes
 * over a view of the store, some entries at each firing of a timer; what may have expired is looked at again in the cache.
 */
import type { Timer } from '../../base/clock.ts'
import { toError } from '../../base/errors.ts'
import type { StoreSnapshot } from '../../base/ordered-store.ts'
import { takeNoNotice } from '../../base/unawaited.ts'
import type { MapKey } from '../key.ts'
import type { KeyGroupRange } from '../key-group-range.ts'
import type { Entries, KeyedTable } from '../keyed-table.ts'
import { type Sweep, type TtlCleanup, ttlCleanup } from '../memory/ttl-cleanup.ts'
import type { Expiry } from '../state-ttl.ts'
import type { LevelTable } from './level-table.ts'
import type { RowCache } from './row-cache.ts'
import { mapKeyIn, rangeOf } from './store-key.ts'

export interface StoreCleanupParts {
  readonly keyGroups: KeyGroupRange
  readonly cache: RowCache
  /** What is stored cannot be read: the task fails. */
  failed(cause: Error): void
}

/** About half a millisecond of decoding. */
const PAGE_BYTES = 32 * 1024
const PAGE_ENTRIES = 500
const PAUSE_MS = 10
/** What has expired may stay in the store for this part of its time to live, so that not every moment has to look for it. */
const PAUSE_BETWEEN_ROUNDS = 1 / 16

/** In place of the clean-up of the heap. */
export function levelCleanup(parts: StoreCleanupParts): typeof ttlCleanup {
  return (table, expiry, sweep) => {
    // The tables that the states of this backend get.
    const store = new StoreCleanup(table as LevelTable<never>, expiry, sweep as Sweep<never>, parts)
    const cached = ttlCleanup(table, expiry, sweep)
    return {
      used(nowMs) {
        cached.used(nowMs)
        store.used()
      },
      close() {
        cached.close()
        store.close()
      },
    }
  }
}

type Page = readonly (readonly [key: Uint8Array, value: Uint8Array])[]

class StoreCleanup<V> implements TtlCleanup {
  readonly #table: LevelTable<V>
  readonly #expiry: Expiry
  readonly #sweep: Sweep<V>
  readonly #parts: StoreCleanupParts
  #round: AsyncGenerator<Page> | undefined
  /** Of what lives and the round has seen; undefined where there was nothing. */
  #oldestMs: number | undefined
  #timer: Timer | undefined
  #isReading = false
  #closed = false

  constructor(table: LevelTable<V>, expiry: Expiry, sweep: Sweep<V>, parts: StoreCleanupParts) {
    this.#table = table
    this.#expiry = expiry
    this.#sweep = sweep
    this.#parts = parts
    // Restored state may never be used again.
    this.used()
  }

  used(): void {
    if (this.#timer === undefined && !this.#isReading && this.#parts.cache.queue.holds(this.#table.id))
      this.#arm(PAUSE_MS)
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#timer = undefined
    // A page that is being read ends the round itself. What the store says to that matters to nobody any more.
    if (!this.#isReading) takeNoNotice(this.#endRound())
  }

  #arm(delayMs: number): void {
    if (this.#closed) return
    this.#timer = this.#expiry.clock.setTimer(delayMs, () => {
      this.#timer = undefined
      this.#isReading = true
      this.#step().then(
        (nextMs) => {
          this.#isReading = false
          if (nextMs !== undefined) this.#arm(nextMs)
        },
        // The store has failed, or the serializer of the user cannot read what it wrote.
        (thrown) => {
          if (!this.#closed) this.#parts.failed(toError(thrown))
        },
      )
    })
  }

  /** Gives the time until the next step; undefined where nothing of the state is stored any more. */
  async #step(): Promise<number | undefined> {
    this.#round ??= this.#pages()
    const { done, value } = await this.#round.next()
    if (this.#closed || done === true) {
      await this.#endRound()
      return this.#closed ? undefined : this.#untilNextRound()
    }
    for (const [key, stored] of value) this.#lookAt(mapKeyIn(key), stored)
    // Whoever has no input makes no room.
    this.#parts.cache.makeRoom()
    return PAUSE_MS
  }

  #untilNextRound(): number | undefined {
    const oldestMs = this.#oldestMs
    this.#oldestMs = undefined
    if (oldestMs === undefined) return undefined
    const { ttlMs } = this.#expiry
    return Math.max(oldestMs + ttlMs - this.#expiry.nowMs(), Math.ceil(ttlMs * PAUSE_BETWEEN_ROUNDS), PAUSE_MS)
  }

  async #endRound(): Promise<void> {
    const round = this.#round
    this.#round = undefined
    await round?.return(undefined)
  }

  /** Rows in the cache are looked at there. */
  #lookAt(key: MapKey, stored: Uint8Array): void {
    if (this.#table.rows.has(key)) return
    const value = this.#table.schemas.read(stored, key)
    let hasExpired = false
    const noting = {
      touch: () => {
        hasExpired = true
      },
    }
    this.#run({ ...plain(this.#table), entries: new Map([[key, value]]), scan: noting })
    if (hasExpired) this.#run({ ...plain(this.#table), entries: onlyEntry(this.#table, key), scan: this.#table })
  }

  /** One round over the entries given. */
  #run(entries: KeyedTable<V>): void {
    const nowMs = this.#expiry.nowMs()
    for (const touchedMs of this.#sweep(entries, (touched) => this.#expiry.isExpired(touched, nowMs)))
      if (touchedMs !== Number.POSITIVE_INFINITY) this.#oldestMs = Math.min(this.#oldestMs ?? touchedMs, touchedMs)
  }

  /** What waits to be written, and what is in the store, as of the first page. */
  async *#pages(): AsyncGenerator<Page> {
    const { cache, keyGroups } = this.#parts
    const { id } = this.#table
    const batches = cache.queue.seal()
    const store = cache.queue.snapshot()
    try {
      for (const batch of batches) yield* pagesOf(batch.operationsOf(id))
      for (let group = keyGroups.first; store !== undefined && group <= keyGroups.last; group++)
        yield* this.#storePages(store, group)
    } finally {
      store?.release()
    }
  }

  #storePages(store: StoreSnapshot, keyGroup: number): AsyncIterable<Page> {
    return store.scan({ ...rangeOf(keyGroup, this.#table.id), pageBytes: PAGE_BYTES })
  }
}

function plain<V>({ kind, name, codec }: LevelTable<V>): Pick<KeyedTable<V>, 'kind' | 'name' | 'codec'> {
  return { kind, name, codec }
}

/** The table, as if it had only this entry to go over. */
function onlyEntry<V>(table: LevelTable<V>, key: MapKey): Entries<V> {
  return {
    size: 1,
    get: (other) => table.get(other),
    set: (other, value) => table.set(other, value),
    delete: (other) => table.delete(other),
    keys: () => [key].values(),
    values: () => [table.get(key)].filter((value) => value !== undefined).values(),
    *[Symbol.iterator]() {
      const value = table.get(key)
      if (value !== undefined) yield [key, value]
    },
  }
}

function* pagesOf(operations: Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array | undefined }>) {
  let page: (readonly [Uint8Array, Uint8Array])[] = []
  for (const { key, value } of operations) {
    if (value !== undefined) page.push([key, value])
    if (page.length < PAGE_ENTRIES) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}
