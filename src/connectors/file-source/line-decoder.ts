/**
 * Lines as records: split on bytes at "\n", a "\r" before it belongs to the line's end, the last line needs none. Text
 * is UTF-8; a line that is not is invalid. A byte order mark at the start of a file is dropped.
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
  /** What a line means; a throw makes it invalid. */
  readonly parse: (line: string) => T
  /** Lines of nothing but white space are passed over. */
  readonly skipBlank: boolean
}

const NEWLINE = 10
const RETURN = 13
const NOTHING: Buffer = Buffer.alloc(0)

export class LineDecoder<T> implements RecordDecoder<T> {
  readonly columns = undefined
  value!: T
  problem: unknown
  offset: number
  lines: number
  readonly #decoding: LineDecoding<T>
  #chunk: Buffer = NOTHING
  #ascii = true
  #at = 0
  /** The beginning of a line whose end lies in a later chunk. */
  #carry: Buffer[] = []
  #carried = 0
  #ended = false

  constructor(decoding: LineDecoding<T>, start: DecoderStart) {
    this.#decoding = decoding
    this.offset = start.offset
    this.lines = start.lines
  }

  get line(): number {
    return this.lines
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
      const chunk = this.#chunk
      const start = this.#at
      const newline = chunk.indexOf(NEWLINE, start)
      if (newline < 0) {
        this.#keepRest()
        if (!this.#ended || this.#carried === 0) return NEEDS_BYTES
        return this.#carriedLine(NOTHING, 0)
      }
      this.#at = newline + 1
      if (this.#carried > 0) {
        const status = this.#carriedLine(chunk.subarray(start, newline), 1)
        if (status !== NEEDS_BYTES) return status
        continue
      }
      this.offset += newline + 1 - start
      this.lines++
      const end = newline > start && chunk[newline - 1] === RETURN ? newline - 1 : newline
      const text = this.#ascii ? chunk.toString('latin1', start, end) : chunk.toString('utf8', start, end)
      const status = this.#ascii || isText(text, chunk, start, end) ? this.#parse(text) : this.#notText()
      if (status !== NEEDS_BYTES) return status
    }
  }

  #keepRest(): void {
    const rest = this.#chunk.subarray(this.#at)
    if (rest.length > 0) this.#carry.push(rest)
    this.#carried += rest.length
    this.#chunk = NOTHING
    this.#at = 0
    if (this.#carried > LONGEST_RECORD_BYTES)
      throw new StreamError('RECORD_INVALID', {
        message: `Line ${this.lines + 1} is longer than ${LONGEST_RECORD_BYTES} bytes.`,
        hint: 'Is this a file of lines?',
        details: { line: this.lines + 1, offset: this.offset },
      })
  }

  /** NEEDS_BYTES: the line was blank and is passed over. */
  #carriedLine(rest: Buffer, newlineBytes: number): DecoderStatus {
    const line = Buffer.concat([...this.#carry, rest])
    this.#carry = []
    this.#carried = 0
    this.offset += line.length + newlineBytes
    this.lines++
    const end = newlineBytes > 0 && line.at(-1) === RETURN ? line.length - 1 : line.length
    const text = line.toString('utf8', 0, end)
    return isText(text, line, 0, end) ? this.#parse(text) : this.#notText()
  }

  #parse(text: string): DecoderStatus {
    const line = this.lines === 1 && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
    if (this.#decoding.skipBlank && line.trim() === '') return NEEDS_BYTES
    try {
      this.value = this.#decoding.parse(line)
      return RECORD
    } catch (thrown) {
      // Thrown by JSON.parse or by the user's schema: both say that the line is no record.
      this.problem = thrown
      return INVALID
    }
  }

  #notText(): DecoderStatus {
    this.problem = 'it is not UTF-8'
    return INVALID
  }
}

/** Bytes that are not UTF-8 come out as U+FFFD; so does a U+FFFD that stands in the file. */
function isText(text: string, bytes: Buffer, start: number, end: number): boolean {
  return !text.includes('\uFFFD') || isUtf8(bytes.subarray(start, end))
}
