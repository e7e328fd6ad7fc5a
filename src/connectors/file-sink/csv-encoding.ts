/**
 * Records as CSV of RFC 4180. Every file has its columns from the options or from its own first record; a record that
 * does not fit them, or holds what has no text that comes back as it is, is refused with the name of the field.
 */
import { Stringifier } from 'csv-stringify'
import { isWellFormed, notWritable } from './line-encoding.ts'
import type { RecordEncoder, RecordFormat } from './record-encoding.ts'

export interface CsvEncoding {
  /** Left out: the properties of the first record of each file. */
  readonly columns: readonly string[] | undefined
  readonly header: boolean
  readonly delimiter: string
}

/** Null where the field is empty. */
type Field = string | null

export function csvFormat(encoding: CsvEncoding): RecordFormat<object> {
  return { ending: '.csv', createEncoder: () => new CsvEncoder(encoding) }
}

class CsvEncoder implements RecordEncoder<object> {
  readonly #encoding: CsvEncoding
  #columns: readonly string[] = []
  #lines: LineStringifier | undefined

  constructor(encoding: CsvEncoding) {
    this.#encoding = encoding
  }

  encode(value: object): string {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notARecord(value)
    const lines = this.#lines
    if (lines === undefined) return this.#first(value)
    if (this.#encoding.columns === undefined) this.#refuseOthers(value)
    return lines.line(this.#fields(value))
  }

  #first(value: object): string {
    const { columns = Object.keys(value), header, delimiter } = this.#encoding
    if (columns.length === 0)
      throw notWritable('The first record of a CSV file has no fields', 'Name the columns in the option `columns`.')
    this.#columns = columns
    const lines = new LineStringifier(delimiter, columns.length)
    const record = lines.line(this.#fields(value))
    this.#lines = lines
    return header ? `${lines.line(columns.map((name) => fieldOf(name, name)))}\n${record}` : record
  }

  #fields(value: object): Field[] {
    const columns = this.#columns
    const fields: Field[] = new Array(columns.length)
    for (let index = 0; index < columns.length; index++) {
      const name = columns[index] as string
      fields[index] = fieldOf((value as Readonly<Record<string, unknown>>)[name], name)
    }
    return fields
  }

  /** What the header does not name would be lost. */
  #refuseOthers(value: object): void {
    const columns = this.#columns
    const names = Object.keys(value)
    for (let index = 0; index < names.length; index++) {
      const name = names[index] as string
      if (name === columns[index] || columns.includes(name)) continue
      if ((value as Readonly<Record<string, unknown>>)[name] === undefined) continue
      throw notWritable(
        `A CSV record has the field ${JSON.stringify(name)}, which the first record of its file has not`,
        'Name all columns in the option `columns`, or give every record the same fields.',
      )
    }
  }
}

/** Answers at once, field by field as they are: it never is a stream. */
class LineStringifier extends Stringifier {
  #line = ''

  constructor(delimiter: string, columns: number) {
    super({
      delimiter,
      // The newline behind it is the part file's.
      record_delimiter: '\r',
      quote_record_delimiter: true,
      // An empty text is not the same as nothing; and a mark of the byte order at the start of a file is taken away.
      quoted_match: /^(?:$|\ufeff)/,
      // A line without anything would be no record.
      quoted_empty: columns === 1,
    })
  }

  line(fields: readonly Field[]): string {
    this._transform(fields, 'utf8', rethrow)
    return this.#line
  }

  override push(line: string): boolean {
    this.#line = line
    return true
  }
}

function fieldOf(value: unknown, name: string): Field {
  switch (typeof value) {
    case 'string':
      if (isWellFormed(value)) return value
      throw refusedField(name, 'a text with half of a surrogate pair')
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'undefined':
      return null
    case 'object':
      if (value === null) return null
      if (!(value instanceof Date)) throw refusedField(name, Array.isArray(value) ? 'an array' : 'an object')
      if (Number.isNaN(value.getTime())) throw refusedField(name, 'a date that is none')
      return value.toISOString()
    default:
      throw refusedField(name, `a ${typeof value}`)
  }
}

function refusedField(name: string, what: string) {
  return notWritable(
    `The field ${JSON.stringify(name)} of a CSV record is ${what}`,
    'Map it to a text, number, bigint, boolean, Date or null before the sink.',
  )
}

function notARecord(value: unknown) {
  const what = Array.isArray(value) ? 'an array' : value === null ? 'null' : `of type ${typeof value}`
  return notWritable(`A CSV record is ${what}`, 'Map the records to objects with a property for each column.')
}

function rethrow(error?: Error | null | undefined): void {
  if (error) throw error
}
