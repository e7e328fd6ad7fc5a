/** The random port. Seeded in simulations, so that a run can be repeated. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
}

export function systemRandom(): Random {
  return { next: () => Math.random() }
}

/** A repeatable sequence from a 32-bit seed: mulberry32. */
export function seededRandom(seed: number): Random {
  let state = seed | 0
  return {
    next() {
      state = (state + 0x6d2b79f5) | 0
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
    },
  }
}

/** Uniform among the integers from `low` to `high`, both included. */
export function randomInteger(random: Random, low: number, high: number): number {
  return low + Math.floor(random.next() * (high - low + 1))
}
