/** How long something took by a clock that may be set back meanwhile. Pure. */

/** In milliseconds, both since the epoch. Never negative: -1 says in Flink's answers that something never was. */
export function elapsedMs(fromMs: number, toMs: number): number {
  return Math.max(0, toMs - fromMs)
}
