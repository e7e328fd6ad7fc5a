/** The clock port: wall time, monotonic time and timers. Nothing outside this folder reads a clock or sets a timer. */
export interface Clock {
  /** Milliseconds since the epoch; may jump. For timestamps and processing-time timers. */
  now(): number
  /** Milliseconds from an arbitrary origin; never runs backwards. For intervals, timeouts and turn budgets. */
  monotonic(): number
  /** Calls `fired` once, `delayMs` from now (0 or less: as soon as possible). Any delay is exact: long ones are chunked. */
  setTimer(delayMs: number, fired: () => void): Timer
}

export interface Timer {
  /** The timer will not fire any more. Harmless when it has fired. */
  cancel(): void
}

/** Node fires a timer of more than 2^31-1 ms at once, so a longer wait is made of pieces. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    setTimer(delayMs, fired) {
      let handle: NodeJS.Timeout
      const arm = (leftMs: number) => {
        const pieceMs = Math.min(leftMs, LONGEST_TIMER_MS)
        handle = setTimeout(() => (leftMs > pieceMs ? arm(leftMs - pieceMs) : fired()), pieceMs)
      }
      arm(Math.max(0, delayMs))
      return { cancel: () => clearTimeout(handle) }
    },
  }
}
