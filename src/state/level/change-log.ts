/**
 * What has changed since the base of the checkpoints: the rows of the interval that runs, what was evicted of them, and the
 * segments of former intervals that no completed checkpoint holds yet. Written into each checkpoint until one is complete.
 */
import type { StoreOperation } from '../../base/ordered-store.ts'
import type { MapKey } from '../key.ts'
import { DeltaSegment } from './delta-segment.ts'
import type { AnyRow } from './row.ts'
import { bytesOf } from './row-encoder.ts'

/** By number of the table. */
export type EvictedRows = (Map<MapKey, StoreOperation> | undefined)[]

/** Rows that have gone are let go of when they are more than those that have not, and not for a few. */
const MOST_GONE = 1000

export class ChangeLog {
  readonly #mostBytes: number
  readonly #dropped: (segments: readonly DeltaSegment[]) => void
  /** The freeze behind which the interval began. */
  #since: number
  #rows: AnyRow[] = []
  /** How many of them were evicted: a row that comes back is another one. */
  #gone = 0
  #evicted: EvictedRows = []
  #evictedBytes = 0
  #segments: DeltaSegment[] = []
  #isLost = false

  /** `mostBytes`: of what is kept encoded. `dropped`: what is not to be written any more. */
  constructor(since: number, mostBytes: number, dropped: (segments: readonly DeltaSegment[]) => void) {
    this.#since = since
    this.#mostBytes = mostBytes
    this.#dropped = dropped
  }

  /** It is too long, or a row could not be serialised: only a new base helps. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** Whether a change of the row is in it that is not in a segment yet. */
  holds(row: AnyRow): boolean {
    return !this.#isLost && row.changedIn > this.#since
  }

  /** The row is about to change, for the first time in this interval. */
  changed(row: AnyRow): void {
    if (this.#isLost || row.changedIn > this.#since) return
    if (this.#gone > MOST_GONE && this.#gone * 2 > this.#rows.length) this.#forgetGone()
    this.#rows.push(row)
    const evicted = this.#evicted[row.table.id]
    const former = evicted?.get(row.key)
    if (evicted === undefined || former === undefined) return
    evicted.delete(row.key)
    this.#evictedBytes -= bytesOf(former)
  }

  /** The row goes, and this is what it held. */
  evicted(row: AnyRow, operation: StoreOperation): void {
    if (!this.holds(row)) return
    this.#gone++
    let evicted = this.#evicted[row.table.id]
    if (evicted === undefined) this.#evicted[row.table.id] = evicted = new Map()
    evicted.set(row.key, operation)
    this.#evictedBytes += bytesOf(operation)
    this.checkLength()
  }

  /** The interval ends with a freeze: what changed in it becomes a segment. All that no completed checkpoint holds. */
  cut(stamp: number): readonly DeltaSegment[] {
    this.#segments.push(
      new DeltaSegment({
        stamp,
        since: this.#since,
        rows: this.#rows,
        evicted: this.#evicted,
        bytes: this.#evictedBytes,
      }),
    )
    this.#since = stamp
    this.#rows = []
    this.#gone = 0
    this.#evicted = []
    this.#evictedBytes = 0
    return [...this.#segments]
  }

  /** A checkpoint that holds the segments up to this stamp is complete. */
  confirm(stamp: number): void {
    this.#segments = this.#segments.filter((segment) => segment.stamp > stamp)
  }

  /** Whether a checkpoint to come needs the segment. */
  keeps(segment: DeltaSegment): boolean {
    return this.#segments.includes(segment)
  }

  /** Loses it where it has become too long, or a segment has failed. */
  checkLength(): void {
    if (this.#isLost) return
    let bytes = this.#evictedBytes
    for (const segment of this.#segments) bytes += segment.bytes
    if (bytes > this.#mostBytes || this.#segments.some(({ failure }) => failure !== undefined)) this.lose()
  }

  /** Nothing is kept any more. It goes over no rows, since it happens in the synchronous part of a checkpoint. */
  lose(): void {
    if (this.#isLost) return
    this.#isLost = true
    const segments = this.#segments
    this.#rows = []
    this.#gone = 0
    this.#evicted = []
    this.#evictedBytes = 0
    this.#segments = []
    this.#dropped(segments)
  }

  /** What they held stands among the evicted. */
  #forgetGone(): void {
    this.#rows = this.#rows.filter(({ gone }) => !gone)
    this.#gone = 0
  }
}
