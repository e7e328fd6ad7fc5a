/** Minimum, maximum, mean and percentiles of numbers that come one by one, reckoned as Flink's StatsSummary does. */

/** Plain JSON. The percentiles are null where there was no number, and the rest 0. */
export interface StatsSummarySnapshot {
  readonly min: number
  readonly max: number
  /** Whole, rounded down. */
  readonly avg: number
  readonly p50: number | null
  readonly p90: number | null
  readonly p95: number | null
  readonly p99: number | null
  readonly p999: number | null
}

/** Percentiles are those of so many of the newest numbers. */
const WINDOW = 1000

export class StatsSummary {
  #count = 0
  #sum = 0
  #min = Number.POSITIVE_INFINITY
  #max = Number.NEGATIVE_INFINITY
  readonly #newest: number[] = []

  add(value: number): void {
    this.#newest[this.#count % WINDOW] = value
    this.#count++
    this.#sum += value
    this.#min = Math.min(this.#min, value)
    this.#max = Math.max(this.#max, value)
  }

  snapshot(): StatsSummarySnapshot {
    const sorted = this.#newest.toSorted((one, other) => one - other)
    const isEmpty = this.#count === 0
    return {
      min: isEmpty ? 0 : this.#min,
      max: isEmpty ? 0 : this.#max,
      avg: isEmpty ? 0 : Math.floor(this.#sum / this.#count),
      p50: percentile(sorted, 0.5),
      p90: percentile(sorted, 0.9),
      p95: percentile(sorted, 0.95),
      p99: percentile(sorted, 0.99),
      p999: percentile(sorted, 0.999),
    }
  }
}

/** Between two neighbours, the line between them. */
function percentile(sorted: readonly number[], share: number): number | null {
  const place = share * (sorted.length + 1)
  const below = sorted[Math.max(0, Math.min(Math.floor(place), sorted.length) - 1)]
  if (below === undefined) return null
  const above = sorted[Math.max(0, Math.floor(place))] ?? below
  return place < 1 ? below : below + (place - Math.floor(place)) * (above - below)
}
