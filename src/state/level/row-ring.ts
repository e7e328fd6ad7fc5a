/** Which rows are evicted when the budget is used up: the clock, which spares what was used since its hand came by. */
import type { AnyRow } from './row.ts'

export class RowRing {
  readonly budgetBytes: number
  usedBytes = 0
  readonly #rows: AnyRow[] = []
  #hand = 0

  constructor(budgetBytes: number) {
    this.budgetBytes = budgetBytes
  }

  add(row: AnyRow): void {
    row.place = this.#rows.length
    this.#rows.push(row)
    this.usedBytes += row.bytes
  }

  /** The last row takes its place: the order is not exact, and need not be. */
  remove(row: AnyRow): void {
    const last = this.#rows.pop() as AnyRow
    if (last !== row) {
      this.#rows[row.place] = last
      last.place = row.place
    }
    row.place = -1
    this.usedBytes -= row.bytes
  }

  /** The row is now known to take so much. */
  resize(row: AnyRow, bytes: number): void {
    if (row.place >= 0) this.usedBytes += bytes - row.bytes
    row.bytes = bytes
  }

  /** The next one to go; it stays until it is removed. Undefined where there is none. */
  next(): AnyRow | undefined {
    const rows = this.#rows
    // Twice round at most: the first round takes the marks away.
    for (let left = 2 * rows.length; left > 0; left--) {
      if (this.#hand >= rows.length) this.#hand = 0
      const row = rows[this.#hand] as AnyRow
      if (!row.referenced) return row
      row.referenced = false
      this.#hand++
    }
    return rows[this.#hand]
  }

  clear(): void {
    this.#rows.length = 0
    this.usedBytes = 0
  }
}
