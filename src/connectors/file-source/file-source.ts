/** Files as a bounded source: lines, JSON lines or CSV, plain or gzip. Each file is a split, read in order by one subtask. */
import { StreamError } from '../../base/errors.ts'
import type {
  Source,
  SourceReader,
  SourceReaderContext,
  SplitEnumerator,
  SplitEnumeratorContext,
} from '../../operators/source.ts'
import { type SplitQueueState, splitQueue } from '../split-queue.ts'
import { CsvDecoder } from './csv-decoder.ts'
import { FileReader } from './file-reader.ts'
import { type FileSplit, freshSplit } from './file-split.ts'
import { findInputFiles } from './input-files.ts'
import { LineDecoder } from './line-decoder.ts'
import type { FileFormat } from './record-decoder.ts'

/** A path, a folder, a glob pattern, or several of them. Relative ones count from the working folder. */
export type InputPaths = string | readonly string[]

/** Checks a value and gives it its type; a throw makes the record invalid. */
export type RecordSchema<out T> = (value: unknown) => T

export interface FileSourceOptions {
  /** What happens at a record that cannot be read: the job fails, or the record is counted as `skippedRecords`. Default: fail. */
  readonly onInvalid?: 'fail' | 'skip' | undefined
}

export interface JsonLinesOptions<out T> extends FileSourceOptions {
  readonly schema?: RecordSchema<T> | undefined
}

export interface CsvOptions extends FileSourceOptions {
  /** Picks columns of the header by name; where the file has no header, names the fields by position. */
  readonly columns?: readonly string[] | undefined
  /** Left out: the first record is the header, unless `columns` are given and it holds none of them. */
  readonly header?: boolean | undefined
  /** Default: a comma. */
  readonly delimiter?: string | undefined
}

type CsvRecord = Readonly<Record<string, string>>

/** Parsed at once: some milliseconds of the thread. */
const CSV_CHUNK_BYTES = 32 * 1024
const LINE_CHUNK_BYTES = 512 * 1024

export class FileSource<out T> implements Source<T, FileSplit, SplitQueueState<FileSplit>> {
  readonly boundedness = 'bounded'
  readonly #inputs: readonly string[]
  readonly #format: FileFormat<T>
  readonly #onInvalid: 'fail' | 'skip'

  private constructor(paths: InputPaths, format: FileFormat<T>, options: FileSourceOptions) {
    const inputs = typeof paths === 'string' ? [paths] : paths
    if (
      !Array.isArray(inputs) ||
      inputs.length === 0 ||
      !inputs.every((path) => typeof path === 'string' && path !== '')
    )
      throw refused('paths', paths, 'a path, or an array of at least one path')
    const onInvalid: unknown = options.onInvalid ?? 'fail'
    if (onInvalid !== 'fail' && onInvalid !== 'skip') throw refused('onInvalid', onInvalid, "'fail' or 'skip'")
    this.#inputs = inputs
    this.#format = format
    this.#onInvalid = onInvalid
  }

  /** Lines without their ends ("\n" or "\r\n"). What is not UTF-8 is invalid. Empty lines are records. */
  static forLines(paths: InputPaths, options: FileSourceOptions = {}): FileSource<string> {
    return new FileSource(paths, lines({ parse: (line) => line, skipBlank: false }), options)
  }

  /** One JSON value a line; blank lines are passed over. Without a schema the values are `unknown`. */
  static forJsonLines<T>(
    paths: InputPaths,
    options: JsonLinesOptions<T> & { readonly schema: RecordSchema<T> },
  ): FileSource<T>
  static forJsonLines(
    paths: InputPaths,
    options?: FileSourceOptions & { readonly schema?: undefined },
  ): FileSource<unknown>
  static forJsonLines(paths: InputPaths, options: JsonLinesOptions<unknown> = {}): FileSource<unknown> {
    const schema = schemaOf(options)
    const parse =
      schema === undefined ? (line: string): unknown => JSON.parse(line) : (line: string) => schema(JSON.parse(line))
    return new FileSource(paths, lines({ parse, skipBlank: true }), options)
  }

  /** CSV with quotes as in RFC 4180, fields may span lines; all fields are texts. Empty lines are passed over. */
  static forCsv<T>(paths: InputPaths, options: CsvOptions & { readonly schema: RecordSchema<T> }): FileSource<T>
  static forCsv<const Column extends string>(
    paths: InputPaths,
    options: CsvOptions & { readonly columns: readonly Column[]; readonly schema?: undefined },
  ): FileSource<{ [Name in Column]: string }>
  static forCsv(paths: InputPaths, options?: CsvOptions & { readonly schema?: undefined }): FileSource<CsvRecord>
  static forCsv(
    paths: InputPaths,
    options: CsvOptions & { readonly schema?: RecordSchema<unknown> | undefined } = {},
  ): FileSource<unknown> {
    const { columns, header, delimiter = ',' } = options
    const schema = schemaOf(options)
    if (typeof delimiter !== 'string' || delimiter === '')
      throw refused('delimiter', delimiter, 'a text that is not empty')
    if (header === false && columns === undefined)
      throw refused('header', header, '`columns` as well, which name the fields by position')
    if (columns !== undefined && (columns.length === 0 || new Set(columns).size < columns.length))
      throw refused('columns', JSON.stringify(columns), 'at least one name, each once')
    const parse = schema ?? ((record: CsvRecord): unknown => record)
    const format: FileFormat<unknown> = {
      chunkBytes: CSV_CHUNK_BYTES,
      createDecoder: (start) => new CsvDecoder({ columns, header, delimiter, parse }, start),
    }
    return new FileSource(paths, format, options)
  }

  createEnumerator(
    context: SplitEnumeratorContext<FileSplit>,
    restored: SplitQueueState<FileSplit> | undefined,
  ): SplitEnumerator<FileSplit, SplitQueueState<FileSplit>> {
    const find = async () => (await findInputFiles(context.environment.files, this.#inputs)).map(freshSplit)
    return splitQueue({ context, restored, find })
  }

  createReader(context: SourceReaderContext): SourceReader<T, FileSplit> {
    const { chunkBytes } = this.#format
    return new FileReader({ context, format: this.#format, onInvalid: this.#onInvalid, chunkBytes })
  }
}

function lines<T>(decoding: { readonly parse: (line: string) => T; readonly skipBlank: boolean }): FileFormat<T> {
  return { chunkBytes: LINE_CHUNK_BYTES, createDecoder: (start) => new LineDecoder(decoding, start) }
}

function schemaOf<T>(options: { readonly schema?: RecordSchema<T> | undefined }): RecordSchema<T> | undefined {
  const schema: unknown = options.schema
  if (schema !== undefined && typeof schema !== 'function')
    throw refused('schema', typeof schema, 'a function (value) => T')
  return options.schema
}

function refused(option: string, value: unknown, legal: string): StreamError {
  return new StreamError('INVALID_ARGUMENT', {
    message: `FileSource: \`${option}\` is ${String(value)}.`,
    hint: `Give ${legal}.`,
    details: { option, value: String(value) },
  })
}
