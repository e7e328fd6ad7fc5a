/**
 * Lines as records: split on bytes at "\n", a "\r" before it belongs to the line's end, the last line needs none. Text
 * is UTF-8; a line that is not is invalid. A byte order mark at the start of a file is dropped. A format may say that a
 * record goes on behind a line.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import { StreamError } from '../../base/errors.ts'
import {
  type DecoderStart,
  type DecoderStatus,
  INVALID,
  LONGEST_RECORD_BYTES,
  NEEDS_BYTES,
  RECORD,
  type RecordDecoder,
} from './record-decoder.ts'

export interface LineDecoding<T> {
  /** What a record's text means; a throw makes it invalid, a `Fatal` fails the job whatever is done with invalid records. */
  parse(text: string): T | typeof PASSED_OVER
  /** The record whose last line this is goes on behind it. `open`: it did so before this line. */
  isOpen?: ((line: string, open: boolean) => boolean) | undefined
  /** In place of `parse`, for a record that is not UTF-8. */
  notText?(): void
  readonly columns?: readonly string[] | undefined
}

/** The text is no record and nothing is wrong with it: a blank line, a header. */
export const PASSED_OVER: unique symbol = Symbol('passed over')

/** Thrown around an error for which it does not matter whether invalid records are skipped. */
export class Fatal {
  readonly error: StreamError
  constructor(error: StreamError) {
    this.error = error
  }
}

const NEWLINE = 10
const RETURN = 13
const NOTHING: Buffer = Buffer.alloc(0)

export class LineDecoder<T> implements RecordDecoder<T> {
  value!: T
  problem: unknown
  text = ''
  offset: number
  lines: number
  line = 0
  done = false
  headerEnd = 0
  readonly #decoding: LineDecoding<T>
  readonly #atStart: boolean
  readonly #end: number
  #insideLine: boolean
  #chunk: Buffer = NOTHING
  #ascii = true
  #at = 0
  #length = 0
  /** The beginning of a line whose end lies in a later chunk. */
  #carry: Buffer[] = []
  #carried = 0
  /** Whole lines, with their ends, of a record that goes on behind them. */
  #before: Buffer[] = []
  #beforeBytes = 0
  #ended = false

  constructor(decoding: LineDecoding<T>, start: DecoderStart) {
    this.#decoding = decoding
    this.offset = start.offset
    this.lines = start.lines
    this.#atStart = start.offset === 0
    this.#end = start.end ?? Number.POSITIVE_INFINITY
    this.#insideLine = start.insideLine === true
  }

  get columns(): readonly string[] | undefined {
    return this.#decoding.columns
  }

  get recordOffset(): number {
    return this.offset - this.#length
  }

  push(bytes: Uint8Array): void {
    this.#chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#ascii = isAscii(this.#chunk)
    this.#at = 0
  }

  end(): void {
    this.#ended = true
  }

  next(): DecoderStatus {
    for (;;) {
      if (this.offset > this.#end) return this.#behindTheEnd()
      const chunk = this.#chunk
      const start = this.#at
      const newline = chunk.indexOf(NEWLINE, start)
      if (newline < 0) {
        this.#keepRest()
        if (!this.#ended || this.#insideLine || this.#carried + this.#beforeBytes === 0) return NEEDS_BYTES
        return this.#lastRecord()
      }
      this.#at = newline + 1
      if (this.#insideLine) {
        this.#insideLine = false
        this.offset += this.#carried + newline + 1 - start
        this.#carried = 0
        continue
      }
      const status =
        this.#carried + this.#beforeBytes > 0 ? this.#carriedLine(start, newline) : this.#wholeLine(start, newline)
      if (status !== NEEDS_BYTES) return status
    }
  }

  /** NEEDS_BYTES: it is passed over, or goes on. */
  #wholeLine(start: number, newline: number): DecoderStatus {
    const chunk = this.#chunk
    const end = newline > start && chunk[newline - 1] === RETURN ? newline - 1 : newline
    const text = this.#ascii ? chunk.toString('latin1', start, end) : chunk.toString('utf8', start, end)
    if (this.#isOpen(text, false)) return this.#goesOn(chunk.subarray(start, newline + 1))
    this.#length = newline + 1 - start
    this.offset += this.#length
    this.line = ++this.lines
    return this.#ascii || isText(text, chunk, start, end) ? this.#parse(text) : this.#notText(text)
  }

  #carriedLine(start: number, newline: number): DecoderStatus {
    const line = Buffer.concat([...this.#carry, this.#chunk.subarray(start, newline + 1)])
    const open = this.#beforeBytes > 0
    this.#carry = []
    this.#carried = 0
    if (this.#isOpen(line.toString('utf8', 0, withoutEnd(line)), open)) return this.#goesOn(line)
    return this.#wholeRecord(line)
  }

  /** The last line has no end, or the record is still open behind it. */
  #lastRecord(): DecoderStatus {
    const line = Buffer.concat(this.#carry)
    const open = this.#beforeBytes > 0
    this.#carry = []
    this.#carried = 0
    if (!this.#isOpen(line.toString('utf8'), open)) return this.#wholeRecord(line)
    const status = this.#wholeRecord(line, false)
    this.problem = 'a quote is opened and not closed before the end of the file'
    return status
  }

  #wholeRecord(lastLine: Buffer, parsed = true): DecoderStatus {
    const bytes = this.#before.length === 0 ? lastLine : Buffer.concat([...this.#before, lastLine])
    this.line = this.lines + 1
    this.lines += this.#before.length + (lastLine.length > 0 ? 1 : 0)
    this.#before = []
    this.#beforeBytes = 0
    this.#length = bytes.length
    this.offset += bytes.length
    const end = withoutEnd(bytes)
    const text = bytes.toString('utf8', 0, end)
    if (parsed) return isText(text, bytes, 0, end) ? this.#parse(text) : this.#notText(text)
    this.text = text
    return INVALID
  }

  #isOpen(line: string, open: boolean): boolean {
    const { isOpen } = this.#decoding
    if (isOpen === undefined) return false
    return isOpen(this.#atStart && this.lines === 0 && !open ? unmarked(line) : line, open)
  }

  #goesOn(line: Buffer): typeof NEEDS_BYTES {
    this.#before.push(line)
    this.#beforeBytes += line.length
    return NEEDS_BYTES
  }

  #behindTheEnd(): typeof NEEDS_BYTES {
    this.done = true
    return NEEDS_BYTES
  }

  #keepRest(): void {
    const rest = this.#chunk.subarray(this.#at)
    this.#chunk = NOTHING
    this.#at = 0
    this.#carried += rest.length
    // Of a line that is passed over only the length is of interest.
    if (this.#insideLine) return
    if (rest.length > 0) this.#carry.push(rest)
    if (this.#carried + this.#beforeBytes <= LONGEST_RECORD_BYTES) return
    throw new StreamError('RECORD_INVALID', {
      message: `The record at byte ${this.offset} is longer than ${LONGEST_RECORD_BYTES} bytes.`,
      hint: 'Is this a file of lines? In CSV: is a quote opened and never closed?',
      details: { line: this.lines + 1, offset: this.offset },
    })
  }

  #parse(text: string): DecoderStatus {
    const record = this.#atStart && this.line === 1 ? unmarked(text) : text
    try {
      const known = this.#decoding.columns !== undefined
      const value = this.#decoding.parse(record)
      if (value === PASSED_OVER) {
        if (!known && this.#decoding.columns !== undefined) this.headerEnd = this.offset
        return NEEDS_BYTES
      }
      this.value = value
      return RECORD
    } catch (thrown) {
      if (thrown instanceof Fatal) throw thrown.error
      // Thrown by JSON.parse, by the parser of CSV or by the user's schema: all say that the text is no record.
      this.problem = thrown
      this.text = record
      return INVALID
    }
  }

  #notText(text: string): DecoderStatus {
    try {
      this.#decoding.notText?.()
    } catch (thrown) {
      throw thrown instanceof Fatal ? thrown.error : thrown
    }
    this.problem = 'it is not UTF-8'
    this.text = text
    return INVALID
  }
}

function unmarked(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

/** The length without "\n" or "\r\n" at the end. */
function withoutEnd(line: Buffer): number {
  if (line.at(-1) !== NEWLINE) return line.length
  return line.at(-2) === RETURN ? line.length - 2 : line.length - 1
}

/** Bytes that are not UTF-8 come out as U+FFFD; so does a U+FFFD that stands in the file. */
function isText(text: string, bytes: Buffer, start: number, end: number): boolean {
  return !text.includes('\uFFFD') || isUtf8(bytes.subarray(start, end))
}
