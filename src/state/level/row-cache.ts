/**
 * The rows on the heap: loaded where they are used, evicted between two keys when the budget is used up. What changed since
 * it was loaded waits in the write queue when it has gone.
 */
import { entryFailure } from '../entry-failure.ts'
import type { MapKey } from '../key.ts'
import type { ChangeLog } from './change-log.ts'
import type { LevelTable } from './level-table.ts'
import type { OpenSnapshots } from './open-snapshots.ts'
import { type AnyRow, ROW_BYTES, type Row } from './row.ts'
import { operationOf, type RowEncoder } from './row-encoder.ts'
import { RowRing } from './row-ring.ts'
import type { WriteQueue } from './write-queue.ts'

export interface RowCacheParts {
  readonly budgetBytes: number
  readonly encoder: RowEncoder
  readonly snapshots: OpenSnapshots
  readonly queue: WriteQueue
  /** A row cannot be evicted, since its value cannot be serialised: the task fails. */
  failed(cause: Error): void
}

export class RowCache {
  readonly encoder: RowEncoder
  readonly snapshots: OpenSnapshots
  readonly queue: WriteQueue
  /** Undefined while nobody needs to know what changes. */
  log: ChangeLog | undefined
  /** Rows that were asked of the store. */
  misses = 0
  readonly #ring: RowRing
  readonly #failed: (cause: Error) => void
  #hasFailed = false

  constructor({ budgetBytes, encoder, snapshots, queue, failed }: RowCacheParts) {
    this.encoder = encoder
    this.snapshots = snapshots
    this.queue = queue
    this.#ring = new RowRing(budgetBytes)
    this.#failed = failed
  }

  get usedBytes(): number {
    return this.#ring.usedBytes
  }

  /** Throws what the store throws, or the serializer. */
  load<V>(table: LevelTable<V>, key: MapKey): Row<V> {
    const row = table.adopt(key, table.pinned ? undefined : this.stored(table.id, key))
    if (!table.pinned) {
      this.misses++
      this.#ring.add(row as AnyRow)
    }
    return row
  }

  /** Of what is not in the cache. Throws what the store throws. */
  stored(tableId: number, key: MapKey): Uint8Array | undefined {
    const waiting = this.queue.find(tableId, key)
    if (waiting !== undefined) return waiting.value
    return this.queue.holds(tableId) ? this.queue.get(this.encoder.keyOf(tableId, key)) : undefined
  }

  /** Before the row changes. */
  touch(row: AnyRow): void {
    const { interval } = this.snapshots
    if (row.changedIn === interval) return
    if (row.value !== undefined) this.#sample(row)
    this.snapshots.save(row)
    this.log?.changed(row)
    row.changedIn = interval
    row.unflushed = true
  }

  /** The row holds something now, and did not before. */
  appeared(row: AnyRow): void {
    this.#ring.resize(row, ROW_BYTES + row.table.averageBytes)
    this.#sample(row)
  }

  /** It was encoded, and its value takes so much. */
  measured(row: AnyRow, valueBytes: number): void {
    const { table } = row
    table.averageBytes += (valueBytes - table.averageBytes) / table.weightOfMeasure()
    this.#ring.resize(row, ROW_BYTES + valueBytes)
  }

  /** Nothing is encoded before it is evicted or written, so now and then a row is encoded only to see how large it is. */
  #sample(row: AnyRow): void {
    if (row.place < 0 || !row.table.isToBeMeasured()) return
    try {
      this.measured(row, this.encoder.lengthOf(row))
    } catch {
      // A serializer of the user, or a value that cannot be serialised: whoever has to write it says so.
    }
  }

  /** The row holds nothing any more. */
  emptied(row: AnyRow): void {
    this.#ring.resize(row, ROW_BYTES)
    this.dropWhereDead(row)
  }

  /** A row of a pinned table that holds nothing goes when no change of it is still to be written. */
  dropWhereDead(row: AnyRow): void {
    if (row.table.pinned && row.value === undefined && !row.gone && this.log?.holds(row) !== true) row.table.forget(row)
  }

  /** Between two keys, when nobody is changing a row. */
  makeRoom(): void {
    const ring = this.#ring
    while (ring.usedBytes > ring.budgetBytes && !this.#hasFailed) {
      const row = ring.next()
      if (row === undefined) return
      this.#evict(row)
    }
  }

  #evict(row: AnyRow): void {
    if (row.unflushed && !this.#writeOut(row)) return
    this.#ring.remove(row)
    row.table.forget(row)
  }

  #writeOut(row: AnyRow): boolean {
    try {
      const encoded = this.snapshots.save(row) ?? this.encoder.encode(row)
      if (this.log?.holds(row) === true) this.log.evicted(row, this.encoder.kept(encoded))
      this.queue.put(row.table.id, row.key, operationOf(encoded))
      return true
    } catch (thrown) {
      // As in a snapshot. The row stays, and nothing is lost; but the budget cannot be kept any more.
      this.#hasFailed = true
      this.#failed(entryFailure(thrown, row.table.name, row.key, 'into the store'))
      return false
    }
  }

  close(): void {
    this.#ring.clear()
    this.log = undefined
  }
}
