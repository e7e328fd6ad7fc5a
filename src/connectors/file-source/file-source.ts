/**
 * Files as a source: lines, JSON lines or CSV, plain or gzip, read once or followed. A split is a file, or a byte range of
 * a large one, read in order by one subtask.
 */
import type { Serializer } from '../../elements/serializer.ts'
import type {
  Boundedness,
  Source,
  SourceReader,
  SourceReaderContext,
  SplitEnumerator,
  SplitEnumeratorContext,
} from '../../operators/source.ts'
import { csvDecoder } from './csv-decoder.ts'
import { type FileEnumeratorState, fileEnumerator } from './file-enumerator.ts'
import { FileReader } from './file-reader.ts'
import {
  type AnySchema,
  type CsvOptions,
  delimiterOf,
  type FileSourceOptions,
  type FileSourceSettings,
  type InputPaths,
  type JsonLinesOptions,
  type SynchronousSchema,
  settingsOf,
} from './file-source-options.ts'
import type { FileSplit } from './file-split.ts'
import { FollowingReader } from './following-reader.ts'
import { InvalidRecords } from './invalid-records.ts'
import { LineDecoder, type LineDecoding, PASSED_OVER } from './line-decoder.ts'
import type { FileFormat } from './record-decoder.ts'
import { checkWith, type SchemaOutput } from './record-schema.ts'
import { rememberingSerializer } from './remembering-serializer.ts'

type CsvRecord = Readonly<Record<string, string>>

const CHUNK_BYTES = 512 * 1024

export class FileSource<out T> implements Source<T, FileSplit, FileEnumeratorState> {
  readonly boundedness: Boundedness
  readonly splitSerializer: Serializer<FileSplit> = rememberingSerializer()
  /** The state of ten thousand files that are followed is the same object as long as nothing happens to them. */
  readonly enumeratorSerializer: Serializer<FileEnumeratorState> = rememberingSerializer()
  readonly #format: FileFormat<T>
  readonly #settings: FileSourceSettings

  private constructor(paths: InputPaths, format: FileFormat<T>, options: FileSourceOptions) {
    this.#settings = settingsOf(paths, options)
    this.#format = format
    this.boundedness = this.#settings.monitorMs === undefined ? 'bounded' : 'continuous-unbounded'
  }

  /** Lines without their ends ("\n" or "\r\n"). What is not UTF-8 is invalid. Empty lines are records. */
  static forLines(paths: InputPaths, options: FileSourceOptions = {}): FileSource<string> {
    return new FileSource(paths, lines({ parse: (line) => line }), options)
  }

  /**
   * One JSON value a line; blank lines are passed over. Without a schema the values are `unknown`. A schema is a function,
   * whose throw makes the record invalid, or any Standard Schema (zod, valibot, arktype), and answers at once.
   */
  static forJsonLines<S extends AnySchema>(
    paths: InputPaths,
    options: JsonLinesOptions<S> & { readonly schema: S & SynchronousSchema<S> },
  ): FileSource<SchemaOutput<S>>
  static forJsonLines(
    paths: InputPaths,
    options?: FileSourceOptions & { readonly schema?: undefined },
  ): FileSource<unknown>
  static forJsonLines(paths: InputPaths, options: JsonLinesOptions<AnySchema> = {}): FileSource<unknown> {
    const check = options.schema === undefined ? undefined : checkWith(options.schema)
    const parse = (line: string): unknown => {
      if (line.trim() === '') return PASSED_OVER
      const value: unknown = JSON.parse(line)
      return check === undefined ? value : check(value)
    }
    return new FileSource(paths, lines({ parse }), options)
  }

  /**
   * CSV with quotes as in RFC 4180, fields may span lines; all fields are texts. Empty lines are passed over. A schema is
   * given each record as an object of texts.
   */
  static forCsv<S extends AnySchema>(
    paths: InputPaths,
    options: CsvOptions & { readonly schema: S & SynchronousSchema<S> },
  ): FileSource<SchemaOutput<S>>
  static forCsv<const Column extends string>(
    paths: InputPaths,
    options: CsvOptions & { readonly columns: readonly Column[]; readonly schema?: undefined },
  ): FileSource<{ [Name in Column]: string }>
  static forCsv(paths: InputPaths, options?: CsvOptions & { readonly schema?: undefined }): FileSource<CsvRecord>
  static forCsv(
    paths: InputPaths,
    options: CsvOptions & { readonly schema?: AnySchema | undefined } = {},
  ): FileSource<unknown> {
    const { columns, header, multiline = true } = options
    const delimiter = delimiterOf(options)
    const parse = options.schema === undefined ? (record: CsvRecord): unknown => record : checkWith(options.schema)
    const decoding = { columns, header, delimiter, multiline, parse }
    const format: FileFormat<unknown> = {
      chunkBytes: CHUNK_BYTES,
      createDecoder: (start) => csvDecoder(decoding, start),
      lineIsRecord: !multiline,
      hasHeader: header !== false,
    }
    return new FileSource(paths, format, options)
  }

  createEnumerator(
    context: SplitEnumeratorContext<FileSplit>,
    restored: FileEnumeratorState | undefined,
  ): SplitEnumerator<FileSplit, FileEnumeratorState> {
    return fileEnumerator({ context, restored, settings: this.#settings, lineIsRecord: this.#format.lineIsRecord })
  }

  createReader(context: SourceReaderContext): SourceReader<T, FileSplit> {
    const { monitorMs, closeAfterMs, inputs, onInvalid } = this.#settings
    const parts = { context, format: this.#format, invalid: new InvalidRecords(context, onInvalid) }
    if (monitorMs === undefined) return new FileReader(parts)
    return new FollowingReader({ ...parts, inputs, monitorMs, closeAfterMs })
  }
}

function lines<T>(decoding: LineDecoding<T>): FileFormat<T> {
  return {
    chunkBytes: CHUNK_BYTES,
    createDecoder: (start) => new LineDecoder(decoding, start),
    lineIsRecord: true,
    hasHeader: false,
  }
}
