/** What users may say about files that are read, checked when a source is made. */
import { type Duration, toMilliseconds } from '../../base/config/duration.ts'
import { type MemorySize, parseMemorySize } from '../../base/config/memory-size.ts'
import { StreamError } from '../../base/errors.ts'
import type { OnInvalid } from './invalid-records.ts'
import type { RecordSchema } from './record-schema.ts'

/** A path, a folder, a glob pattern, or several of them. Relative ones count from the working folder. */
export type InputPaths = string | readonly string[]

/** What every format may be given. */
export interface FileSourceOptions {
  /**
   * What happens at a record that cannot be read: the job fails, the record is counted as `skippedRecords`, or it is
   * counted and goes into this side output (`getSideOutput`). Default: fail.
   */
  readonly onInvalid?: OnInvalid | undefined
  /**
   * Looks this often for new files and for lines that were appended, and never ends: the source is unbounded. A line is a
   * record once its end is there; a last line without one waits, also over a stop, a suspension and a restart, and is
   * never emitted by a drain. A file that is renamed goes on being the same file, by device, inode and first 256 bytes, as
   * long as it stays in its folder or among the inputs: rotate logs by renaming. One that was shortened, rewritten, or
   * replaced by a copy of itself fails the job by its name. Compressed files are read once, whole: move them into place
   * when they are complete (one that grows later is named in a warning), and keep compressed copies of what is followed
   * out of the inputs, for they are other files.
   * Empty files are left until they begin. Left out: what is there at the start is read, once.
   */
  readonly monitorContinuously?: Duration | undefined
  /**
   * A file that has not grown for so long is closed and no longer holds watermarks back; it is read on when it grows, and
   * forgotten when it is deleted. Only with `monitorContinuously`. Default: 1 minute.
   */
  readonly closeAfter?: Duration | undefined
  /**
   * A file larger than this is read in ranges of about this size, by several subtasks at once, where a line is a record
   * and the file is not compressed. The order of lines is kept inside of a range. `'whole files'`: never. Default: 64 mb.
   */
  readonly splitSize?: MemorySize | 'whole files' | undefined
}

/** For JSON lines: how their values are checked and typed. */
export interface JsonLinesOptions<out S> extends FileSourceOptions {
  readonly schema?: S | undefined
}

/** For CSV: which fields there are, and what stands between them. */
export interface CsvOptions extends FileSourceOptions {
  /** Picks columns of the header by name; where the file has no header, names the fields by position. */
  readonly columns?: readonly string[] | undefined
  /** Left out: the first record is the header, unless `columns` are given and it holds none of them. */
  readonly header?: boolean | undefined
  /** Default: a comma. */
  readonly delimiter?: string | undefined
  /** Whether quoted fields may hold line breaks. `false`: a line is a record, and large files are read in ranges. Default: true. */
  readonly multiline?: boolean | undefined
}

/** A schema that is no asynchronous function: a record is checked at once. */
export type SynchronousSchema<S> = S extends (value: unknown) => PromiseLike<unknown> ? never : S

export type AnySchema = RecordSchema<unknown>

/** The options with what is left out filled in. */
export interface FileSourceSettings {
  readonly inputs: readonly string[]
  readonly onInvalid: OnInvalid
  /** Undefined: bounded. */
  readonly monitorMs: number | undefined
  readonly closeAfterMs: number
  /** Infinity: never. */
  readonly splitBytes: number
}

const DEFAULT_CLOSE_AFTER_MS = 60_000
const DEFAULT_SPLIT_BYTES = 64 * 1024 * 1024

export function settingsOf(paths: InputPaths, options: FileSourceOptions): FileSourceSettings {
  const { monitorContinuously, closeAfter, splitSize = DEFAULT_SPLIT_BYTES } = options
  const inputs = typeof paths === 'string' ? [paths] : paths
  if (!Array.isArray(inputs) || inputs.length === 0 || !inputs.every((path) => typeof path === 'string' && path !== ''))
    throw refused('paths', paths, 'a path, or an array of at least one path')
  if (closeAfter !== undefined && monitorContinuously === undefined)
    throw refused('closeAfter', closeAfter, '`monitorContinuously` as well: files are not followed without it')
  return {
    inputs,
    onInvalid: onInvalidOf(options.onInvalid),
    monitorMs:
      monitorContinuously === undefined
        ? undefined
        : toMilliseconds(monitorContinuously, 'monitorContinuously', { minMs: 1 }),
    closeAfterMs: closeAfter === undefined ? DEFAULT_CLOSE_AFTER_MS : toMilliseconds(closeAfter, 'closeAfter'),
    splitBytes:
      splitSize === 'whole files' ? Number.POSITIVE_INFINITY : parseMemorySize(splitSize, 'splitSize', { minBytes: 1 }),
  }
}

/** Checks the options of CSV and gives the delimiter. */
export function delimiterOf({ columns, header, delimiter = ',' }: CsvOptions): string {
  if (typeof delimiter !== 'string' || delimiter === '' || /["\r\n]/.test(delimiter))
    throw refused('delimiter', JSON.stringify(delimiter), 'a text that is not empty, without quotes and line breaks')
  if (header === false && columns === undefined)
    throw refused('header', header, '`columns` as well, which name the fields by position')
  if (columns !== undefined && (columns.length === 0 || new Set(columns).size < columns.length))
    throw refused('columns', JSON.stringify(columns), 'at least one name, each once')
  return delimiter
}

function onInvalidOf(onInvalid: OnInvalid | undefined): OnInvalid {
  const given: unknown = onInvalid ?? 'fail'
  // By its id, not its class: two copies of the package may meet.
  const isTag = typeof given === 'object' && typeof (given as { id?: unknown } | null)?.id === 'string'
  if (given !== 'fail' && given !== 'skip' && !isTag)
    throw refused('onInvalid', given, "'fail', 'skip' or an OutputTag")
  return onInvalid ?? 'fail'
}

function refused(option: string, value: unknown, legal: string): StreamError {
  return new StreamError('INVALID_ARGUMENT', {
    message: `FileSource: \`${option}\` is ${String(value)}.`,
    hint: `Give ${legal}.`,
    details: { option, value: String(value) },
  })
}
