/** How the subtasks of a vertex compare: minimum, mean, percentiles and so on of one number of each, whole, as Flink rounds them. */

export interface SubtaskStatistics {
  readonly min: number
  readonly max: number
  readonly avg: number
  readonly sum: number
  readonly median: number
  readonly p25: number
  readonly p75: number
  readonly p95: number
}

export function statisticsOf(values: readonly number[]): SubtaskStatistics {
  const sorted = values.toSorted((one, other) => one - other)
  const sum = values.reduce((total, one) => total + one, 0)
  return {
    min: sorted[0] ?? 0,
    max: sorted.at(-1) ?? 0,
    avg: Math.trunc(sum / Math.max(1, values.length)),
    sum,
    median: percentile(sorted, 0.5),
    p25: percentile(sorted, 0.25),
    p75: percentile(sorted, 0.75),
    p95: percentile(sorted, 0.95),
  }
}

/** On the line between the two neighbours of the place `share` times (count + 1). */
function percentile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length + 1)
  const below = sorted[Math.max(0, Math.floor(place) - 1)] ?? sorted.at(-1) ?? 0
  if (place < 1) return Math.trunc(below)
  const above = sorted[Math.floor(place)] ?? below
  return Math.trunc(below + (place - Math.floor(place)) * (above - below))
}
