/**
 * The snapshots that still need rows of the cache. Each freeze begins a new interval; a row that changed last before a freeze
 * is serialised for it before it changes or goes, once for all that need it.
 */
import type { AnyRow } from './row.ts'
import type { EncodedRow } from './row-encoder.ts'

/** A snapshot, or a part of one, that collects rows as they were at its freeze. */
export interface OpenSnapshot {
  /** The interval that ended with its freeze. */
  readonly stamp: number
  /** Whether the row, as it is now, is a part of it. */
  needs(row: AnyRow): boolean
  /** Copies what it keeps. */
  take(encoded: EncodedRow): void
  /** A row that it needs could not be serialised. */
  fail(thrown: unknown, row: AnyRow): void
}

export class OpenSnapshots {
  readonly #encode: (row: AnyRow) => EncodedRow
  /** The oldest first. */
  readonly #open: OpenSnapshot[] = []
  /** Stamp of the newest one; 0 where there is none. */
  #newest = 0
  #interval = 1

  constructor(encode: (row: AnyRow) => EncodedRow) {
    this.#encode = encode
  }

  /** That which runs. Rows that change now are stamped with it. */
  get interval(): number {
    return this.#interval
  }

  /** Ends the interval and gives its number. */
  freeze(): number {
    return this.#interval++
  }

  join(snapshot: OpenSnapshot): void {
    this.#open.push(snapshot)
    this.#newest = snapshot.stamp
  }

  /** It needs nothing more. Harmless when repeated. */
  leave(snapshot: OpenSnapshot): void {
    const place = this.#open.indexOf(snapshot)
    if (place < 0) return
    this.#open.splice(place, 1)
    this.#newest = this.#open.at(-1)?.stamp ?? 0
  }

  /** Serialises the row for those that need it and do not have it. Gives it encoded where it was. */
  save(row: AnyRow): EncodedRow | undefined {
    if (row.savedFor >= this.#newest) return undefined
    const needing = this.#open.filter((snapshot) => snapshot.stamp > row.savedFor && snapshot.needs(row))
    row.savedFor = this.#newest
    if (needing.length === 0) return undefined
    try {
      const encoded = this.#encode(row)
      for (const snapshot of needing) snapshot.take(encoded)
      return encoded
    } catch (thrown) {
      // A serializer of the user, a value that cannot be serialised, or a key of another subtask: these have failed.
      for (const snapshot of needing) snapshot.fail(thrown, row)
      return undefined
    }
  }
}
