/** One entry of a table as the cache holds it. Plain data; what happens to it is decided by the cache and the snapshots. */
import type { MapKey } from '../key.ts'
import type { LevelTable } from './level-table.ts'

/** What a row takes on the heap beside its value, in bytes, about: itself, its entry in a Map, its place in the ring, a short key. */
export const ROW_BYTES = 180

export class Row<V> {
  readonly table: LevelTable<V>
  readonly key: MapKey
  /** Undefined: the table holds nothing under the key. */
  value: V | undefined = undefined
  /** The interval between two freezes in which it changed last; 0 when it has not since it came. */
  changedIn = 0
  /** For snapshots up to this stamp it was serialised, or is not needed. */
  savedFor = 0
  /** It differs from what the store, or what waits to be written into it, holds. */
  unflushed = false
  /** Used since the hand of the clock came by. */
  referenced = true
  /** What it takes, estimated. */
  bytes = ROW_BYTES
  /** In the ring of what may be evicted; -1 when it is not there. */
  place = -1
  /** Evicted, or removed. */
  gone = false

  constructor(table: LevelTable<V>, key: MapKey) {
    this.table = table
    this.key = key
  }
}

/** A row of whatever table. */
export type AnyRow = Row<unknown>
