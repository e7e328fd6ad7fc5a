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
  /** Of an INVALID: what was thrown, or a text. */
  readonly problem: unknown
  /** Of an INVALID: what stands in the file, without the end of its line; what is not UTF-8 is replaced. */
  readonly text: string
  /** On which line it begins, from 1. Counts from the start of the decoder. */
  readonly line: number
  /** Of its first byte. */
  readonly recordOffset: number
  /** Of the file, behind it. */
  readonly offset: number
  /** Of the file, before `offset`. */
  readonly lines: number
  /** The next record would begin behind the end of the range: whatever comes belongs to another one. */
  readonly done: boolean
  /** CSV: names by position, once they are known. */
  readonly columns: readonly string[] | undefined
  /** CSV: the offset behind the header, or 0 where there is none. Of use once the columns are known. */
  readonly headerEnd: number
}

/** Where a decoder starts. */
export interface DecoderStart {
  readonly offset: number
  readonly lines: number
  readonly columns?: readonly string[] | undefined
  /** Of the file, for messages. */
  readonly path?: string | undefined
  /** The offset lies inside of a line, or behind one: everything through the next newline is passed over. */
  readonly insideLine?: boolean | undefined
  /** No record that begins behind this offset. Left out: all. */
  readonly end?: number | undefined
}

export interface FileFormat<out T> {
  createDecoder(start: DecoderStart): RecordDecoder<T>
  /** How much is read at once: what one chunk costs to decode holds the thread. */
  readonly chunkBytes: number
  /** Whether a newline always ends a record, so that a file may be read from the middle. */
  readonly lineIsRecord: boolean
  /** Whether the beginning of a file says what its columns are. */
  readonly hasHeader: boolean
}

/** Longer than this nothing is a record: a text of twice the size would not fit into a string. */
export const LONGEST_RECORD_BYTES = 256 * 1024 * 1024
