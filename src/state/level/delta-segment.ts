/** What changed in one interval, as it was at its end. Rows that are still in the cache are serialised step by step. */
import type { StoreOperation } from '../../base/ordered-store.ts'
import { entryFailure } from '../entry-failure.ts'
import type { EvictedRows } from './change-log.ts'
import type { OpenSnapshot } from './open-snapshots.ts'
import { RecordBuffer } from './record-buffer.ts'
import type { AnyRow } from './row.ts'
import type { EncodedRow } from './row-encoder.ts'

export class DeltaSegment implements OpenSnapshot {
  readonly stamp: number
  readonly #since: number
  readonly #evicted: EvictedRows
  readonly #records = new RecordBuffer()
  #rows: readonly AnyRow[]
  #next = 0
  /** What it takes encoded, so far. */
  bytes: number
  failure: Error | undefined
  /** Snapshots that will be written with it. */
  readers = 0

  constructor(parts: {
    readonly stamp: number
    readonly since: number
    readonly rows: readonly AnyRow[]
    readonly evicted: EvictedRows
    readonly bytes: number
  }) {
    this.stamp = parts.stamp
    this.#since = parts.since
    this.#rows = parts.rows
    this.#evicted = parts.evicted
    this.bytes = parts.bytes
  }

  get isDone(): boolean {
    return this.#next >= this.#rows.length
  }

  /** What was evicted before the freeze. No key is here and among the records. */
  *evicted(): IterableIterator<StoreOperation> {
    for (const table of this.#evicted) if (table !== undefined) yield* table.values()
  }

  /** The rest, as records of an entry log. */
  records(): Iterable<Uint8Array> {
    return this.#records.chunks()
  }

  /** Has up to `budget` rows saved, and says of how many. */
  step(budget: number, save: (row: AnyRow) => void): number {
    const end = Math.min(this.#next + budget, this.#rows.length)
    const count = end - this.#next
    while (this.#next < end) {
      const row = this.#rows[this.#next++] as AnyRow
      // What was evicted after the freeze was saved then.
      if (!row.gone) save(row)
    }
    if (this.isDone) {
      this.#rows = []
      this.#next = 0
    }
    return count
  }

  needs(row: AnyRow): boolean {
    return row.changedIn > this.#since && row.changedIn <= this.stamp
  }

  take(encoded: EncodedRow): void {
    const { bytes } = this.#records
    this.#records.append(encoded)
    this.bytes += this.#records.bytes - bytes
  }

  fail(thrown: unknown, row: AnyRow): void {
    this.failure ??= entryFailure(thrown, row.table.name, row.key, 'into a checkpoint')
  }
}
