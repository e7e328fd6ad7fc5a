/**
 * Writes records into files of a directory, exactly once: a file has its final name only when the checkpoint that covers
 * it is complete. The directory must lie on a file system with hard links.
 */
import { StreamError } from '../../base/errors.ts'
import { localPath } from '../../base/paths.ts'
import { syncAncestors } from '../../base/sync-ancestors.ts'
import type { CommitterContext, StatefulSink, TwoPhaseCommittingSink, WriterContext } from '../../operators/sink.ts'
import { csvFormat } from './csv-encoding.ts'
import { type FileCommittable, fileCommittableSerializer } from './file-committable.ts'
import { FileCommitter } from './file-committer.ts'
import {
  type CsvFileSinkOptions,
  csvEncoding,
  type FileSinkOptions,
  type FileSinkSettings,
  fileSinkSettings,
} from './file-sink-options.ts'
import { type FileSinkState, FileSinkWriter } from './file-sink-writer.ts'
import { jsonLinesFormat, linesFormat } from './line-encoding.ts'
import { deadInProgress, highestNumber, type PartOwner } from './part-names.ts'
import type { RecordFormat } from './record-encoding.ts'

/**
 * Files are named `part-<subtask>-<n><ending>`; n grows with every file of a subtask, over all buckets, restarts and
 * changes of the parallelism. Names of unfinished files begin with a dot. Without checkpointing files are finished only
 * where the input ends: an unbounded job then shows none.
 */
export class FileSink<in T> implements TwoPhaseCommittingSink<T, FileCommittable>, StatefulSink<T, FileSinkState> {
  readonly stateDistribution = 'union'
  readonly committableSerializer = fileCommittableSerializer
  /** Its folder: what lies unfinished in there is named by attempts. */
  readonly place: string
  readonly #folder: string
  readonly #format: RecordFormat<T>
  readonly #settings: FileSinkSettings<T>

  private constructor(directory: string, format: RecordFormat<T>, options: FileSinkOptions<T>) {
    if (typeof directory !== 'string' || directory === '')
      throw new StreamError('INVALID_ARGUMENT', {
        message: `FileSink: \`directory\` is ${directory === '' ? 'empty' : String(directory)}.`,
        hint: 'Give the path of a directory.',
        details: { option: 'directory', value: String(directory) },
      })
    this.#folder = localPath(directory)
    this.place = this.#folder
    this.#format = format
    this.#settings = fileSinkSettings(options)
  }

  /** One text a line, in files `part-<subtask>-<n>.txt`. A line break inside of a text is written as it is. */
  static forLines(directory: string, options: FileSinkOptions<string> = {}): FileSink<string> {
    return new FileSink<string>(directory, linesFormat, options)
  }

  /** One JSON value a line, as JSON.stringify writes it, in files `part-<subtask>-<n>.jsonl`. */
  static forJsonLines<T>(directory: string, options: FileSinkOptions<T> = {}): FileSink<T> {
    return new FileSink<T>(directory, jsonLinesFormat, options)
  }

  /**
   * CSV as RFC 4180 says, with CR LF behind each record, in files `part-<subtask>-<n>.csv`. Fields are texts, numbers,
   * bigints, booleans and Dates (written as toISOString does); null, undefined and a missing field are an empty one, an
   * empty text is `""`. RECORD_NOT_WRITABLE for anything else.
   */
  static forCsv<T extends object>(directory: string, options: CsvFileSinkOptions<T> = {}): FileSink<T> {
    return new FileSink<T>(directory, csvFormat(csvEncoding(options)), options)
  }

  createWriter(context: WriterContext): Promise<FileSinkWriter<T>> {
    return this.#writer(context, 0)
  }

  /** `states` are those of all subtasks: no number that any of them may have used is used again. */
  restoreWriter(context: WriterContext, states: readonly FileSinkState[]): Promise<FileSinkWriter<T>> {
    return this.#writer(context, Math.max(0, ...states.map(({ next }) => next)))
  }

  createCommitter(context: CommitterContext): FileCommitter {
    return new FileCommitter(context.environment.files, this.#folder)
  }

  async #writer(context: WriterContext, atLeast: number): Promise<FileSinkWriter<T>> {
    const { jobId, epoch, attempt, subtask, parallelism } = context
    const { clock, files } = context.environment
    const owner: PartOwner = { jobId, epoch, attempt, subtask }
    await files.execute([{ type: 'makeFolder', path: this.#folder }])
    await syncAncestors(files, this.#folder)
    const names = (await files.list(this.#folder)).map(({ name }) => name)
    const dead = deadInProgress(names, owner, parallelism)
    await files.execute(dead.map((name) => ({ type: 'remove', path: `${this.#folder}/${name}` })))
    return new FileSinkWriter({
      ...this.#settings,
      clock,
      files,
      folder: this.#folder,
      owner,
      format: this.#format,
      firstNumber: Math.max(atLeast, highestNumber(names) + 1),
    })
  }
}
