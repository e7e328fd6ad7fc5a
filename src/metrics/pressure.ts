/** How Flink grades back-pressure. Pure. */

export type PressureLevel = 'ok' | 'low' | 'high'

/** `ratio`: share of the time in which a subtask had work and could not hand on, 0 to 1. */
export function pressureLevel(ratio: number): PressureLevel {
  if (ratio <= 0.1) return 'ok'
  return ratio <= 0.5 ? 'low' : 'high'
}
