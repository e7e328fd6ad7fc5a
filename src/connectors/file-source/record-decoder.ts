/** The contract of what makes records from the bytes of a file: synchronous, and independent of how the bytes were cut. */
export const NEEDS_BYTES = 0
export const RECORD = 1
export const INVALID = 2
export type DecoderStatus = typeof NEEDS_BYTES | typeof RECORD | typeof INVALID

export interface RecordDecoder<out T> {
  /** Takes the next bytes over; only after `next` said NEEDS_BYTES. */
  push(bytes: Uint8Array): void
  /** There are no more bytes. After this `next` says NEEDS_BYTES once everything is out. */
  end(): void
  /** Moves to the next record, or to something that should be one. Sets what stands below. */
  next(): DecoderStatus
  /** Of a RECORD. */
  readonly value: T
  /** Of an INVALID: an Error or a text. */
  readonly problem: unknown
  /** On which line it stands, from 1. */
  readonly line: number
  /** Of the file, behind it. */
  readonly offset: number
  /** Of the file, before `offset`. */
  readonly lines: number
  /** CSV: names by position. */
  readonly columns: readonly string[] | undefined
}

/** Where a decoder starts. */
export interface DecoderStart {
  readonly offset: number
  readonly lines: number
  readonly columns?: readonly string[] | undefined
}

export interface FileFormat<out T> {
  createDecoder(start: DecoderStart): RecordDecoder<T>
  /** How much is read at once: what one chunk costs to decode holds the thread. */
  readonly chunkBytes: number
}

/** Longer than this nothing is a record: a text of twice the size would not fit into a string. */
export const LONGEST_RECORD_BYTES = 256 * 1024 * 1024
