/**
 * What flows between subtasks beside plain records: watermarks, idleness, barriers, cancellation markers and the two ends.
 * Records are never wrapped: value and timestamp travel as two arguments. Control elements are plain JSON.
 */

/** The timestamp of a record that has none. */
export const NO_TIMESTAMP = Number.NEGATIVE_INFINITY
/** The watermark at the end of a bounded input. */
export const MAX_WATERMARK = Number.POSITIVE_INFINITY
/** The watermark before the first one. */
export const MIN_WATERMARK = Number.NEGATIVE_INFINITY

export type ControlElement =
  | Watermark
  | WatermarkStatus
  | CheckpointBarrier
  | CancellationMarker
  | EndOfData
  /** Nothing follows. */
  | { readonly type: 'endOfPartition' }
  /** What stood here was moved ahead. */
  | { readonly type: 'tombstone' }

/** What overtakes the queue of a channel. */
export type PriorityElement =
  | CheckpointBarrier
  /** This barrier lies in the queue, at this place. */
  | { readonly type: 'announcement'; readonly barrier: CheckpointBarrier; readonly sequence: number }

export interface Watermark {
  readonly type: 'watermark'
  readonly timestamp: number
}

export interface WatermarkStatus {
  readonly type: 'watermarkStatus'
  readonly idle: boolean
}

export type CheckpointKind = 'checkpoint' | 'savepoint' | 'synchronousSavepoint'
/** `forcedAligned`: of a checkpoint that may be unaligned, on an edge on which nothing is overtaken. */
export type BarrierMode = 'aligned' | 'timeoutable' | 'unaligned' | 'forcedAligned'

export interface CheckpointBarrier {
  readonly type: 'barrier'
  readonly checkpointId: number
  /** When the coordinator triggered it, ms since the epoch. */
  readonly timestamp: number
  readonly kind: CheckpointKind
  readonly mode: BarrierMode
  /** What the snapshot is to be; left out: a checkpoint as the backend is configured. */
  readonly format?: 'full' | 'canonical' | 'native' | undefined
}

/** No more records; barriers still follow. */
export interface EndOfData {
  readonly type: 'endOfData'
  /** False when a stop without drain ends the stream: timers do not fire then. */
  readonly drain: boolean
  /** The savepoint that follows and ends the job; left out: the input itself has ended. */
  readonly savepoint?: number | undefined
}

export interface CancellationMarker {
  readonly type: 'cancellation'
  readonly checkpointId: number
}
