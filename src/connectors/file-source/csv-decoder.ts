/**
 * CSV records as objects of texts: names of the columns come from the header or from the options. Where records may span
 * lines, a line that leaves a quote open goes on behind its end; otherwise a line is a record.
 */
import { StreamError } from '../../base/errors.ts'
import { type CsvColumns, columnsFromFirstRecord, csvFile, objectMaker } from './csv-columns.ts'
import { fieldsOf, isOpenBehind } from './csv-fields.ts'
import { Fatal, LineDecoder, type LineDecoding, PASSED_OVER } from './line-decoder.ts'
import type { DecoderStart, RecordDecoder } from './record-decoder.ts'

export interface CsvDecoding<T> extends CsvColumns {
  readonly delimiter: string
  /** Whether a quoted field may hold line breaks. */
  readonly multiline: boolean
  /** What a record means; a throw makes it invalid. */
  readonly parse: (record: Readonly<Record<string, string>>) => T
}

export function csvDecoder<T>(decoding: CsvDecoding<T>, start: DecoderStart): RecordDecoder<T> {
  return new LineDecoder(new CsvRecords(decoding, start), start)
}

class CsvRecords<T> implements LineDecoding<T> {
  readonly isOpen: LineDecoding<T>['isOpen']
  columns: readonly string[] | undefined
  readonly #decoding: CsvDecoding<T>
  readonly #path: string | undefined
  #toObject: ((fields: readonly string[]) => Readonly<Record<string, string>>) | undefined

  constructor(decoding: CsvDecoding<T>, { columns, path }: DecoderStart) {
    const { delimiter, multiline, header } = decoding
    this.#decoding = decoding
    this.#path = path
    if (multiline) this.isOpen = (line, open) => isOpenBehind(line, delimiter, open)
    const known = columns ?? (header === false ? decoding.columns : undefined)
    if (known !== undefined) this.#setColumns(known)
  }

  parse(text: string): T | typeof PASSED_OVER {
    if (text === '') return PASSED_OVER
    const fields = this.#fields(text)
    if (this.#toObject === undefined && this.#isHeader(fields)) return PASSED_OVER
    const names = this.columns as readonly string[]
    if (fields.length !== names.length) throw new Error(`it has ${fields.length} fields instead of ${names.length}`)
    return this.#decoding.parse((this.#toObject as (of: readonly string[]) => Record<string, string>)(fields))
  }

  notText(): void {
    if (this.#toObject === undefined) throw noHeader(this.#path, 'it is not UTF-8', undefined)
  }

  #fields(text: string): readonly string[] {
    try {
      return fieldsOf(text, this.#decoding.delimiter)
    } catch (thrown) {
      // Of the first record nobody can say whether it is the header: what follows must not be taken for it.
      throw this.#toObject === undefined ? noHeader(this.#path, (thrown as Error).message, thrown) : thrown
    }
  }

  #isHeader(first: readonly string[]): boolean {
    try {
      const { columns, isHeader } = columnsFromFirstRecord(first, this.#decoding, this.#path)
      this.#setColumns(columns)
      return isHeader
    } catch (thrown) {
      throw StreamError.is(thrown) ? new Fatal(thrown) : thrown
    }
  }

  #setColumns(columns: readonly string[]): void {
    this.columns = columns
    this.#toObject = objectMaker(columns, this.#decoding.columns)
  }
}

function noHeader(path: string | undefined, why: string, cause: unknown): Fatal {
  return new Fatal(
    new StreamError('RECORD_INVALID', {
      message: `The first record of ${csvFile(path)}, which may be its header, cannot be read: ${why}.`,
      hint: 'Correct the file; set `header: false` and `columns` when it has no header.',
      details: { path },
      cause,
    }),
  )
}
