/** What a barrier trace is and what comes of it, and what does not fit into one. */
import type { Barrier } from '#machines/alignment-vocabulary'
import { StreamError } from '../base/errors.ts'

/** What comes through the channels of one task, and what must come of it. */
export interface BarrierTrace {
  readonly name?: string | undefined
  readonly mode: 'aligned' | 'alternating' | 'unaligned' | 'at-least-once'
  readonly channels: number
  /** Channels on which no barrier is announced. */
  readonly localChannels?: readonly number[] | undefined
  /** Of `alternating`: how long barriers may be aligned; 0 or left out: they are unaligned from the start. */
  readonly alignedTimeoutMs?: number | undefined
  readonly checkpointsAfterTasksFinish?: boolean | undefined
  /** Bytes of one record; 0 when left out. */
  readonly recordBytes?: number | undefined
  /** `r1 q1 p1 b7@1 b7@1#30 s7@1 u7@1 a7@1 c7@1 e1 +100 ~100 close`; what each means stands at BarrierStep. */
  readonly steps: readonly string[]
}

/** Keys of maps are checkpoint ids, or numbers of steps (from 0). */
export interface BarrierOutcome {
  /** Ids in the order in which the snapshot was taken. */
  readonly triggered: readonly number[]
  readonly triggeredAs: readonly ('aligned' | 'unaligned')[]
  /** Id and reason, in the order of the declines. */
  readonly aborted: readonly (readonly [number, string])[]
  readonly blockedAfter: Readonly<Record<string, readonly number[]>>
  readonly blockedAtEnd: readonly number[]
  /**
   * Of the checkpoints that were taken unaligned and not given up: step numbers of the captured records, ascending; so far,
   * where barriers are missing.
   */
  readonly inflight: Readonly<Record<string, readonly number[]>>
  /** Step numbers of the records in the order in which they were processed. */
  readonly processed: readonly number[]
  readonly pendingAtEnd: boolean
  readonly pendingIds: readonly number[]
  readonly alignmentMs: Readonly<Record<string, number>>
  readonly alignmentBytes: Readonly<Record<string, number>>
}

/** Of a barrier that is a checkpoint's and did not become unaligned upstream. Throws TRACE_INVALID for a mode that does not exist. */
export function barrierMode({ name, mode, alignedTimeoutMs = 0 }: BarrierTrace): Barrier['mode'] {
  switch (mode) {
    case 'aligned':
    case 'at-least-once':
      return 'aligned'
    case 'alternating':
      return alignedTimeoutMs > 0 ? 'timeoutable' : 'unaligned'
    case 'unaligned':
      return 'unaligned'
    default:
      throw new StreamError('TRACE_INVALID', {
        message: `The trace "${name ?? ''}" is of mode "${mode satisfies never}".`,
        hint: 'Modes are aligned, alternating, unaligned and at-least-once.',
      })
  }
}

export function misplaced(index: number, what: string, { name, mode }: BarrierTrace): StreamError {
  return new StreamError('TRACE_INVALID', {
    message: `${what} is step ${index} of the trace "${name ?? ''}" of mode "${mode}", where none can be.`,
    hint: 'Barriers are unaligned in modes alternating and unaligned; they are announced in mode alternating with an alignedTimeoutMs, on channels that are not local.',
  })
}
