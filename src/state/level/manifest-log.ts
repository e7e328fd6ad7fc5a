/**
 * The frame of LevelDB's log files, which a MANIFEST is too: blocks of 32 KiB, and records that are split over them, each
 * part with a checksum. Knows nothing of what a record says.
 */
import { maskedCrc32c } from './masked-crc32c.ts'

const BLOCK_BYTES = 32 * 1024
/** Checksum (4 bytes), length (2), which part of a record it is (1). */
const HEADER_BYTES = 7

const FULL = 1
const FIRST = 2
const MIDDLE = 3
const LAST = 4

export interface LogRecord {
  readonly bytes: Uint8Array
  /** Where the next record begins, from the start of the file. */
  readonly end: number
}

/**
 * The complete records, in order. What is cut off at the end of the bytes is left out: somebody is writing it just now.
 * Throws where a part that is complete is damaged.
 * @param bytes the file from the offset `start` on, at which a record begins.
 */
export function* recordsOf(bytes: Uint8Array, start: number): Generator<LogRecord> {
  let parts: Uint8Array[] = []
  for (let at = 0; ; ) {
    const left = BLOCK_BYTES - ((start + at) % BLOCK_BYTES)
    if (left < HEADER_BYTES) {
      at += left
      continue
    }
    const part = partAt(bytes, at, left, start)
    if (part === undefined) return
    const begins = part.type === FULL || part.type === FIRST
    if (begins !== (parts.length === 0))
      throw damage(start + at, 'a record begins inside of another, or has no beginning')
    parts.push(part.bytes)
    at = part.end
    if (part.type !== FULL && part.type !== LAST) continue
    yield { bytes: parts.length === 1 ? part.bytes : Buffer.concat(parts), end: start + at }
    parts = []
  }
}

/** Undefined where the file ends before the part does. */
function partAt(
  bytes: Uint8Array,
  at: number,
  left: number,
  start: number,
): { readonly type: number; readonly bytes: Uint8Array; readonly end: number } | undefined {
  const body = at + HEADER_BYTES
  if (body > bytes.length) return undefined
  const header = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER_BYTES)
  const length = header.getUint16(4, true)
  const type = header.getUint8(6)
  // Space that was made and not written yet.
  if (type === 0 && length === 0) return undefined
  if (HEADER_BYTES + length > left) throw damage(start + at, 'a record is longer than its block')
  const end = body + length
  if (end > bytes.length) return undefined
  if (maskedCrc32c(bytes, at + 6, end) !== header.getUint32(0, true))
    throw damage(start + at, 'a checksum does not match')
  if (type < FULL || type > LAST) throw damage(start + at, `a record has the unknown type ${type}`)
  return { type, bytes: bytes.subarray(body, end), end }
}

/** A whole file with these records. */
export function logOf(records: readonly Uint8Array[]): Uint8Array {
  const pieces: Uint8Array[] = []
  let written = 0
  const put = (piece: Uint8Array) => {
    pieces.push(piece)
    written += piece.length
  }
  for (const record of records) {
    for (let done = 0, begins = true; begins || done < record.length; begins = false) {
      const left = BLOCK_BYTES - (written % BLOCK_BYTES)
      if (left < HEADER_BYTES) put(new Uint8Array(left))
      const room = BLOCK_BYTES - (written % BLOCK_BYTES) - HEADER_BYTES
      const taken = record.subarray(done, done + room)
      done += taken.length
      put(framed(partType(begins, done === record.length), taken))
    }
  }
  return Buffer.concat(pieces)
}

function partType(begins: boolean, ends: boolean): number {
  if (begins) return ends ? FULL : FIRST
  return ends ? LAST : MIDDLE
}

function framed(type: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + body.length)
  const header = new DataView(bytes.buffer)
  header.setUint16(4, body.length, true)
  header.setUint8(6, type)
  bytes.set(body, HEADER_BYTES)
  header.setUint32(0, maskedCrc32c(bytes, 6, bytes.length), true)
  return bytes
}

function damage(offset: number, what: string): Error {
  return new Error(`at byte ${offset} ${what}`)
}
