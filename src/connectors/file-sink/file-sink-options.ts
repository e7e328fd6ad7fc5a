/** What a user may say about a file sink, and what is meant by it, checked. */
import { StreamError } from '../../base/errors.ts'
import type { CsvEncoding } from './csv-encoding.ts'
import { type RollingOptions, type RollingPolicy, rollingPolicy } from './rolling-policy.ts'

/** How files are cut and where they lie. */
export interface FileSinkOptions<in T> {
  /** When a file ends before the next checkpoint. */
  readonly rolling?: RollingOptions | undefined
  /**
   * The subfolder of a record: names with slashes between them, '' for the directory itself. Left out: all records go
   * there. Must be pure. FUNCTION_RESULT_INVALID for a path that leads elsewhere or holds a name with a dot in front.
   */
  readonly bucketAssigner?: ((value: T) => string) | undefined
  /**
   * How many files each subtask keeps open. When another bucket needs one, the file that was not written into for
   * longest ends, as by size or age. Default: 64.
   */
  readonly maxOpenFiles?: number | undefined
}

interface CsvFormatOptions {
  /** Default: a comma. One character. */
  readonly delimiter?: string | undefined
}

interface CsvWithHeader<T> extends CsvFormatOptions {
  /**
   * Which properties are written, in this order. Left out: those of the first record of each file; a later record with
   * another property is then RECORD_NOT_WRITABLE.
   */
  readonly columns?: readonly (NoInfer<keyof T> & string)[] | undefined
  /** Whether the first line of each file names the columns. Default: true; without it `columns` must be given. */
  readonly header?: true | undefined
}

interface CsvWithoutHeader<T> extends CsvFormatOptions {
  readonly columns: readonly (NoInfer<keyof T> & string)[]
  readonly header: boolean
}

/** The same, and which columns are written. */
export type CsvFileSinkOptions<T> = FileSinkOptions<T> & (CsvWithHeader<T> | CsvWithoutHeader<T>)

export interface FileSinkSettings<T> {
  readonly rolling: RollingPolicy
  readonly bucketAssigner: ((value: T) => string) | undefined
  readonly maxOpenFiles: number
}

/** INVALID_ARGUMENT or CONFIG_INVALID, naming the option, for what is not legal. */
export function fileSinkSettings<T>(options: FileSinkOptions<T>): FileSinkSettings<T> {
  const { rolling, bucketAssigner, maxOpenFiles = 64 } = options
  if (bucketAssigner !== undefined && typeof bucketAssigner !== 'function')
    throw refused('bucketAssigner', bucketAssigner, 'a function from a record to the path of a subfolder')
  if (!Number.isSafeInteger(maxOpenFiles) || maxOpenFiles < 1)
    throw refused('maxOpenFiles', maxOpenFiles, 'a whole number above 0')
  return { rolling: rollingPolicy(rolling), bucketAssigner, maxOpenFiles }
}

/** INVALID_ARGUMENT, naming the option, for what is not legal. */
export function csvEncoding<T>(options: CsvFileSinkOptions<T>): CsvEncoding {
  const { columns, header = true, delimiter = ',' } = options
  if (typeof header !== 'boolean') throw refused('header', header, 'true or false')
  if (typeof delimiter !== 'string' || [...delimiter].length !== 1 || /["\r\n]/.test(delimiter))
    throw refused('delimiter', delimiter, 'one character that is neither a quote nor a line break')
  if (columns === undefined) {
    // The order of the fields would be that of whatever record comes first, and no reader could know it.
    if (!header) throw refused('columns', columns, 'the names of the columns: without a header nothing else tells them')
  } else if (!isListOfNames(columns)) throw refused('columns', columns, 'a list of names, each once')
  return { columns: columns === undefined ? undefined : [...columns], header, delimiter }
}

function isListOfNames(columns: unknown): columns is readonly string[] {
  return (
    Array.isArray(columns) &&
    columns.length > 0 &&
    columns.every((name) => typeof name === 'string') &&
    new Set(columns).size === columns.length
  )
}

function refused(option: string, value: unknown, legal: string): StreamError {
  const shown = typeof value === 'string' || Array.isArray(value) ? JSON.stringify(value) : String(value)
  return new StreamError('INVALID_ARGUMENT', {
    message: `FileSink: \`${option}\` is ${shown}.`,
    hint: `Give ${legal}.`,
    details: { option, value: shown },
  })
}
