/** Finds the known key that a misspelt one probably means. */

/** The nearest of `known`, or undefined when none is near: more than a third of its letters would be wrong. */
export function nearestKey(key: string, known: readonly string[]): string | undefined {
  const lower = key.toLowerCase()
  const cut = known.filter((one) => one.endsWith(`.${lower}`))
  if (cut.length > 0) return cut.reduce((best, one) => (one.length < best.length ? one : best))
  let nearest: string | undefined
  let least = Math.max(2, Math.floor(lower.length / 3)) + 1
  for (const one of known) {
    const distance = editDistance(lower, one.toLowerCase())
    if (distance < least) {
      least = distance
      nearest = one
    }
  }
  return nearest
}

/** Letters to insert, delete, replace or swap with the next one (optimal string alignment). */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      )
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (swapped) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1)
      current.push(cost)
    }
    beforeLast = last
    last = current
  }
  return last[to.length] ?? 0
}
