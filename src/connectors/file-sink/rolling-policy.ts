/** When a part file ends before the next checkpoint: by size and by age, with the names and defaults of Flink's DefaultRollingPolicy. */
import { type Duration, toMilliseconds } from '../../base/config/duration.ts'
import { type MemorySize, parseMemorySize } from '../../base/config/memory-size.ts'

/** A file ends at every checkpoint whatever stands here. */
export interface RollingOptions {
  /** A file ends when it has at least this size. Default: 128 mb. */
  readonly maxPartSize?: MemorySize | undefined
  /** A file ends when it is this old. Default: 1 min. */
  readonly rolloverInterval?: Duration | undefined
  /** A file ends when nothing was written into it for this long. Default: 1 min. */
  readonly inactivityInterval?: Duration | undefined
}

export interface RollingPolicy {
  readonly maxBytes: number
  readonly rolloverMs: number
  readonly inactivityMs: number
}

/** What age is told by: milliseconds of the monotonic clock. */
export interface Age {
  readonly openedAtMs: number
  readonly writtenAtMs: number
}

/** CONFIG_INVALID, naming the option, for a value that is no size or duration above 0. */
export function rollingPolicy(options: RollingOptions = {}): RollingPolicy {
  const { maxPartSize = '128 mb', rolloverInterval = '1 min', inactivityInterval = '1 min' } = options
  return {
    maxBytes: parseMemorySize(maxPartSize, 'FileSink: rolling.maxPartSize', { minBytes: 1 }),
    rolloverMs: toMilliseconds(rolloverInterval, 'FileSink: rolling.rolloverInterval', { minMs: 1 }),
    inactivityMs: toMilliseconds(inactivityInterval, 'FileSink: rolling.inactivityInterval', { minMs: 1 }),
  }
}

/** When a file ends if nothing more is written into it. */
export function endsAtMs({ rolloverMs, inactivityMs }: RollingPolicy, { openedAtMs, writtenAtMs }: Age): number {
  return Math.min(openedAtMs + rolloverMs, writtenAtMs + inactivityMs)
}
