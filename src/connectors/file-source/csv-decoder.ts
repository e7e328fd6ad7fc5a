/**
 * CSV records as objects of texts. The parser reads bytes as Latin-1, so that whether a field is UTF-8 can still be told;
 * the names of the columns come from the header or from the options.
 */
import { isUtf8 } from 'node:buffer'
import { type CsvError, type Options, Parser } from 'csv-parse'
import { StreamError } from '../../base/errors.ts'
import { type CsvColumns, columnsFromFirstRecord, objectMaker } from './csv-columns.ts'
import {
  type DecoderStart,
  type DecoderStatus,
  INVALID,
  LONGEST_RECORD_BYTES,
  NEEDS_BYTES,
  RECORD,
  type RecordDecoder,
} from './record-decoder.ts'

export interface CsvDecoding<T> extends CsvColumns {
  readonly delimiter: string
  /** What a record means; a throw makes it invalid. */
  readonly parse: (record: Readonly<Record<string, string>>) => T
}

interface Parsed {
  /** Undefined: it could not be parsed. */
  readonly fields: readonly string[] | undefined
  readonly problem: unknown
  readonly line: number
  readonly offset: number
  readonly lines: number
}

const MARK = Buffer.from([0xef, 0xbb, 0xbf])
const NOT_ASCII = /[\x80-\xff]/

export class CsvDecoder<T> implements RecordDecoder<T> {
  value!: T
  problem: unknown
  line = 0
  offset: number
  lines: number
  columns: readonly string[] | undefined
  readonly #decoding: CsvDecoding<T>
  readonly #parser: RecordParser
  #toObject: ((fields: readonly string[]) => Readonly<Record<string, string>>) | undefined
  #parsed: Parsed[] = []
  #taken = 0
  /** What the parser counts from. */
  #base: DecoderStart
  /** The start of a file, until it can be told whether it begins with a byte order mark. */
  #start: Buffer | undefined
  #pushed = 0
  /** The parser may report several errors of one record. */
  #failedLine = -1

  constructor(decoding: CsvDecoding<T>, start: DecoderStart) {
    this.#decoding = decoding
    this.#base = start
    this.offset = start.offset
    this.lines = start.lines
    this.#start = start.offset === 0 ? Buffer.alloc(0) : undefined
    if (start.columns !== undefined) this.#setColumns(start.columns)
    this.#parser = new RecordParser((fields) => this.#take(fields), {
      encoding: 'latin1',
      delimiter: Buffer.from(decoding.delimiter),
      relax_column_count: true,
      skip_empty_lines: true,
      skip_records_with_error: true,
      record_delimiter: ['\r\n', '\n'],
      on_skip: (error) => {
        this.#skipped(error)
        return undefined
      },
    })
  }

  push(bytes: Uint8Array): void {
    this.#pushed += bytes.length
    if (this.#pushed - (this.offset - this.#base.offset) > LONGEST_RECORD_BYTES) throw this.#tooLong()
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    const start = this.#start === undefined ? undefined : Buffer.concat([this.#start, chunk])
    this.#start = start
    if (start === undefined) this.#feed(chunk)
    else if (start.length >= MARK.length) this.#begin(start)
  }

  end(): void {
    if (this.#start !== undefined) this.#begin(this.#start)
    this.#forget()
    this.#parser._flush(rethrow)
  }

  next(): DecoderStatus {
    const next = this.#parsed[this.#taken]
    if (next === undefined) return NEEDS_BYTES
    this.#taken++
    this.offset = next.offset
    this.lines = next.lines
    this.line = next.line
    if (next.fields === undefined) return this.#invalid(next.problem)
    return this.#decode(next.fields)
  }

  #decode(raw: readonly string[]): DecoderStatus {
    const fields = raw.some((field) => NOT_ASCII.test(field)) ? raw.map(utf8) : raw
    const broken = (fields as readonly unknown[]).indexOf(undefined)
    if (broken >= 0) return this.#invalid(`field ${broken + 1} is not UTF-8`)
    const texts = fields as readonly string[]
    if (this.#toObject === undefined) {
      const { columns, isHeader } = columnsFromFirstRecord(texts, this.#decoding)
      this.#setColumns(columns)
      if (isHeader) return this.next()
    }
    const names = this.columns as readonly string[]
    if (texts.length !== names.length) return this.#invalid(`it has ${texts.length} fields instead of ${names.length}`)
    try {
      this.value = this.#decoding.parse((this.#toObject as (of: readonly string[]) => Record<string, string>)(texts))
      return RECORD
    } catch (thrown) {
      // Thrown by the user's schema.
      return this.#invalid(thrown)
    }
  }

  #invalid(problem: unknown): DecoderStatus {
    this.problem = problem
    return INVALID
  }

  #setColumns(columns: readonly string[]): void {
    this.columns = columns
    this.#toObject = objectMaker(columns, this.#decoding.columns)
  }

  #begin(start: Buffer): void {
    this.#start = undefined
    const marked = start.subarray(0, MARK.length).equals(MARK)
    if (marked) this.#base = { ...this.#base, offset: this.#base.offset + MARK.length }
    this.#feed(marked ? start.subarray(MARK.length) : start)
  }

  /** The parser's own methods, called as a stream would: they answer at once and touch nothing of the stream. */
  #feed(chunk: Buffer): void {
    this.#forget()
    if (chunk.length > 0) this.#parser._transform(chunk, 'utf8', rethrow)
  }

  #forget(): void {
    this.#parsed = this.#parsed.slice(this.#taken)
    this.#taken = 0
  }

  #take(fields: readonly string[]): void {
    const { bytes, lines } = this.#parser.info
    const end = { offset: this.#base.offset + bytes, lines: this.#base.lines + lines }
    this.#parsed.push({ fields, problem: undefined, line: end.lines - newlines(fields), ...end })
  }

  #skipped(error: CsvError | undefined): void {
    const found = (error as { lines?: number } | undefined)?.lines ?? 0
    if (found === this.#failedLine) return
    this.#failedLine = found
    const last = this.#parsed.at(-1) ?? this
    const unclosed = error?.code === 'CSV_QUOTE_NOT_CLOSED'
    this.#parsed.push({
      fields: undefined,
      problem: unclosed ? 'a quote is opened and not closed before the end of the file' : error?.message,
      line: unclosed ? last.lines + 1 : this.#base.lines + found,
      offset: last.offset,
      lines: last.lines,
    })
  }

  #tooLong(): StreamError {
    return new StreamError('RECORD_INVALID', {
      message: `The CSV record that begins behind line ${this.lines} is longer than ${LONGEST_RECORD_BYTES} bytes.`,
      hint: 'Is a quote opened and never closed?',
      details: { line: this.lines + 1, offset: this.offset },
    })
  }
}

/** Gives each record away when it is parsed, while the parser's counters still stand behind it. It never is a stream. */
class RecordParser extends Parser {
  readonly #take: (fields: readonly string[]) => void

  constructor(take: (fields: readonly string[]) => void, options: Options) {
    super(options)
    this.#take = take
  }

  override push(fields: readonly string[] | null): boolean {
    if (fields !== null) this.#take(fields)
    return true
  }
}

/** Undefined when the bytes of the field are not UTF-8. */
function utf8(latin1: string): string | undefined {
  const bytes = Buffer.from(latin1, 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined
}

function newlines(fields: readonly string[]): number {
  let count = 0
  for (const field of fields) for (let at = field.indexOf('\n'); at >= 0; at = field.indexOf('\n', at + 1)) count++
  return count
}

function rethrow(error?: Error | null | undefined): void {
  if (error) throw error
}
