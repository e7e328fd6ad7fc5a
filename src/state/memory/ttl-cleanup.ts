/**
 * Removes what has expired where nobody reads it, in small steps: at each use of the state, and by a timer. A round
 * looks at every entry once and notes the oldest that lives; until that one can have expired there is nothing to do.
 */
import type { Timer } from '../../base/clock.ts'
import type { MapKey } from '../key.ts'
import type { KeyedTable } from '../keyed-table.ts'
import type { Expiry } from '../state-ttl.ts'
import type { Stamped } from '../ttl-codecs.ts'

/** As Flink's incremental clean-up. */
const ENTRIES_PER_USE = 5
/** About 50 us. */
const ENTRIES_PER_TIMER = 500
const PAUSE_MS = 10
/** What has expired stays stored for at most this part of its time to live, so that not every use has to look for it. */
const PAUSE_BETWEEN_ROUNDS = 1 / 16

/**
 * A round over a table: at each step one entry, element or map entry has been looked at, and removed if it had expired.
 * Gives when it was last touched, Infinity where it is gone. Bears entries coming and going between steps.
 */
export type Sweep<V> = (table: KeyedTable<V>, isExpired: (touchedMs: number) => boolean) => Generator<number, void>

export interface TtlCleanup {
  /** At each use of the state, before it. */
  used(nowMs: number): void
  /** Nothing is removed any more, and no timer is left. */
  close(): void
}

export function ttlCleanup<V>(table: KeyedTable<V>, expiry: Expiry, sweep: Sweep<V>): TtlCleanup {
  return new IncrementalCleanup(table, expiry, sweep)
}

class IncrementalCleanup<V> implements TtlCleanup {
  readonly #table: KeyedTable<V>
  readonly #expiry: Expiry
  readonly #sweep: Sweep<V>
  #round: Generator<number, void> | undefined
  /** Of the entries that the round has seen, or that came since it began. */
  #oldestMs = 0
  /** The next round begins. */
  #dueMs = Number.NEGATIVE_INFINITY
  #nowMs = 0
  /** Before it the clock was set back since the last step, by more than matters. */
  #earliestMs = Number.NEGATIVE_INFINITY
  #timer: Timer | undefined
  #closed = false

  constructor(table: KeyedTable<V>, expiry: Expiry, sweep: Sweep<V>) {
    this.#table = table
    this.#expiry = expiry
    this.#sweep = sweep
    // Restored state may never be used again.
    if (table.entries.size > 0) this.#arm(expiry.nowMs())
  }

  used(nowMs: number): void {
    if (nowMs < this.#earliestMs) this.#clockWasSetBack(nowMs)
    if (nowMs >= this.#dueMs) this.#step(nowMs, ENTRIES_PER_USE)
    if (this.#timer === undefined) this.#arm(nowMs)
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#timer = undefined
    this.#round = undefined
  }

  #arm(nowMs: number): void {
    if (this.#closed) return
    const delayMs = Math.max(PAUSE_MS, this.#dueMs - nowMs)
    this.#timer = this.#expiry.clock.setTimer(delayMs, () => {
      this.#timer = undefined
      this.#timerFired()
    })
  }

  /** An empty table needs no timer: the next use sets it again. */
  #timerFired(): void {
    const nowMs = this.#expiry.nowMs()
    if (nowMs < this.#earliestMs) this.#clockWasSetBack(nowMs)
    if (nowMs >= this.#dueMs) this.#step(nowMs, ENTRIES_PER_TIMER)
    if (this.#table.entries.size > 0) this.#arm(nowMs)
  }

  /** What comes now is older than all that the last round saw, and would wait for the clock to be there again. */
  #clockWasSetBack(nowMs: number): void {
    this.#earliestMs = nowMs - this.#expiry.ttlMs * PAUSE_BETWEEN_ROUNDS
    this.#round = undefined
    this.#dueMs = Number.NEGATIVE_INFINITY
  }

  #step(nowMs: number, budget: number): void {
    this.#nowMs = nowMs
    this.#earliestMs = nowMs - this.#expiry.ttlMs * PAUSE_BETWEEN_ROUNDS
    if (this.#round === undefined) {
      this.#round = this.#sweep(this.#table, (touchedMs) => this.#expiry.isExpired(touchedMs, this.#nowMs))
      this.#oldestMs = nowMs
    }
    for (let left = budget; left > 0; left--) {
      const { done, value } = this.#round.next()
      if (done === true) return this.#endRound()
      if (value < this.#oldestMs) this.#oldestMs = value
    }
  }

  #endRound(): void {
    this.#round = undefined
    const { ttlMs } = this.#expiry
    this.#dueMs = Math.max(this.#oldestMs + ttlMs, Math.ceil(this.#nowMs + ttlMs * PAUSE_BETWEEN_ROUNDS))
  }
}

export function* sweepValues<T>(
  table: KeyedTable<Stamped<T>>,
  isExpired: (touchedMs: number) => boolean,
): Generator<number, void> {
  for (const [key, { touchedMs }] of table.entries) {
    const expired = isExpired(touchedMs)
    if (expired) remove(table, key)
    yield expired ? Number.POSITIVE_INFINITY : touchedMs
  }
}

/** Elements are appended, so the oldest stand first. (Where the clock was set back, some wait for those before them.) */
export function* sweepLists<T>(
  table: KeyedTable<Stamped<T>[]>,
  isExpired: (touchedMs: number) => boolean,
): Generator<number, void> {
  for (const [key, list] of table.entries) {
    const living = list.findIndex(({ touchedMs }) => !isExpired(touchedMs))
    if (living < 0) remove(table, key)
    else if (living > 0) {
      if (table.scan !== null) table.scan.touch(key)
      list.splice(0, living)
    }
    yield living < 0 ? Number.POSITIVE_INFINITY : (list[0]?.touchedMs ?? Number.POSITIVE_INFINITY)
  }
}

export function* sweepMaps<V>(
  table: KeyedTable<Map<MapKey, Stamped<V>>>,
  isExpired: (touchedMs: number) => boolean,
): Generator<number, void> {
  for (const [key, map] of table.entries)
    for (const [userKey, { touchedMs }] of map) {
      // Since the last step the map may have been cleared, and the key may have another one.
      if (table.entries.get(key) !== map) break
      const expired = isExpired(touchedMs)
      if (expired) {
        if (table.scan !== null) table.scan.touch(key)
        map.delete(userKey)
        if (map.size === 0) table.entries.delete(key)
      }
      yield expired ? Number.POSITIVE_INFINITY : touchedMs
    }
}

function remove<V>(table: KeyedTable<V>, key: MapKey): void {
  if (table.scan !== null) table.scan.touch(key)
  table.entries.delete(key)
}
