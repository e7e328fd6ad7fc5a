/** The turn port: gives the event loop back and comes again. The turn loop uses it between its slices of work. */
export interface Turns {
  /** Calls `turn` once after everything that is already due in the event loop. */
  next(turn: () => void): void
}

export function eventLoopTurns(): Turns {
  return { next: (turn) => void setImmediate(turn) }
}
