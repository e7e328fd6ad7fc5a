/**
 * Numbers of one subtask in one attempt, read where somebody asks and at no other time: types only, plain JSON. Counts and
 * times grow from the start of the attempt; rates are made of two looks, by whoever shows them.
 */
export interface TaskMeasurements {
  /** Place of the vertex in the job graph. */
  readonly vertex: number
  readonly subtask: number
  /** As events number it, from 1. */
  readonly executionAttempt: number
  /** It is over, and its numbers stay as they are. */
  readonly isOver: boolean
  /** From channels; 0 for a source. */
  readonly numRecordsIn: number
  /** Into channels, each record once however many channels it went to; 0 for a vertex that ends in sinks. */
  readonly numRecordsOut: number
  /** Records of a thread are objects: their exact number times the mean size of a few, an estimate. */
  readonly numBytesIn: number
  readonly numBytesOut: number
  /**
   * Doing something, or waiting for the promise of a user's function; waiting for credit of an output; the rest. Together:
   * the time since it was RUNNING.
   */
  readonly busyMs: number
  readonly backPressuredMs: number
  readonly idleMs: number
  /** An output has no credit now. */
  readonly isBackPressured: boolean
  /** From INITIALIZING to RUNNING; null: not yet. */
  readonly initializationMs: number | null
  /** Of the head operator's inputs together; -Infinity: none so far, Infinity: the last one. Of a source what it emitted. */
  readonly currentInputWatermark: number
  /** Records that wait in its channels, and how many these hold before their senders wait. */
  readonly inputQueueLength: number
  readonly inputQueueCapacity: number
  readonly outputQueueLength: number
  readonly outputQueueCapacity: number
  /** Of the last checkpoint that it was part of; null: of none. */
  readonly checkpointAlignmentMs: number | null
  readonly checkpointStartDelayMs: number | null
  /** Timers that fired. */
  readonly numFiredTimers: number
  /** Of all steps that held the event loop longer than `execution.blocked-loop-warning`, and of the longest of them. */
  readonly blockedMs: number
  readonly maxBlockedMs: number
  /** From head to tail. */
  readonly operators: readonly OperatorMeasurements[]
}

export interface OperatorMeasurements {
  readonly operatorId: string
  readonly name: string
  /** Null: not counted for this one, because a count would cost each record something. */
  readonly numRecordsIn: number | null
  readonly numRecordsOut: number | null
  /** By input: one or two. */
  readonly currentInputWatermarks: readonly number[]
  readonly currentOutputWatermark: number
  /** Named counts of the operator, such as `skippedRecords`, `numLateRecordsDropped`. */
  readonly counts: Readonly<Record<string, number>>
  /** Of a keyed state backend with a cache; null: it has none. */
  readonly stateCache: { readonly hits: number; readonly misses: number; readonly bytes: number } | null
}
