/** A timer of the real process that keeps it from nothing: it fires only while something else keeps the process alive. */
import type { Timer } from './clock.ts'

/** Calls `fired` once, `delayMs` from now, unless the process has ended by then. At most 2^31-1 ms. */
export function setIdleTimer(delayMs: number, fired: () => void): Timer {
  const handle = setTimeout(fired, delayMs)
  handle.unref()
  return { cancel: () => clearTimeout(handle) }
}
