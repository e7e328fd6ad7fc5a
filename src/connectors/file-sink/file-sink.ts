/**
 * Writes records into files of a directory, exactly once: a file has its final name only when the checkpoint that covers
 * it is complete. The directory must lie on a file system with hard links.
 */
import { StreamError } from '../../base/errors.ts'
import { localPath } from '../../base/paths.ts'
import { syncAncestors } from '../../base/sync-ancestors.ts'
import type { CommitterContext, StatefulSink, TwoPhaseCommittingSink, WriterContext } from '../../operators/sink.ts'
import { FileCommitter } from './file-committer.ts'
import { type FileSinkState, FileSinkWriter } from './file-sink-writer.ts'
import { jsonLine, textLine } from './line-encoding.ts'
import type { FileCommittable } from './part-file.ts'
import { deadInProgress, highestNumber, type PartOwner } from './part-names.ts'

export interface FileSinkOptions {
  /** A file ends at every checkpoint, and earlier when it has `maxBytes`. Default: 128 MiB. */
  readonly rolling?: { readonly maxBytes?: number | undefined } | undefined
}

const DEFAULT_MAX_BYTES = 128 * 1024 * 1024

export class FileSink<in T> implements TwoPhaseCommittingSink<T, FileCommittable>, StatefulSink<T, FileSinkState> {
  readonly stateDistribution = 'union'
  readonly #folder: string
  readonly #ending: string
  readonly #encode: (value: T) => string
  readonly #rollAtBytes: number

  private constructor(directory: string, ending: string, encode: (value: T) => string, options: FileSinkOptions) {
    const maxBytes = options.rolling?.maxBytes ?? DEFAULT_MAX_BYTES
    if (typeof directory !== 'string' || directory === '')
      throw refused('directory', directory, 'the path of a directory')
    if (!(maxBytes > 0)) throw refused('rolling.maxBytes', maxBytes, 'a number above 0')
    this.#folder = localPath(directory)
    this.#ending = ending
    this.#encode = encode
    this.#rollAtBytes = maxBytes
  }

  /** One text a line, in files `part-<subtask>-<n>.txt`. A line break inside of a text is written as it is. */
  static forLines(directory: string, options: FileSinkOptions = {}): FileSink<string> {
    return new FileSink<string>(directory, '.txt', textLine, options)
  }

  /** One JSON value a line, as JSON.stringify writes it, in files `part-<subtask>-<n>.jsonl`. */
  static forJsonLines<T>(directory: string, options: FileSinkOptions = {}): FileSink<T> {
    return new FileSink<T>(directory, '.jsonl', jsonLine, options)
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
    const { files } = context.environment
    const owner: PartOwner = { jobId, epoch, attempt, subtask }
    await files.execute([{ type: 'makeFolder', path: this.#folder }])
    await syncAncestors(files, this.#folder)
    const names = (await files.list(this.#folder)).map(({ name }) => name)
    const dead = deadInProgress(names, owner, parallelism)
    await files.execute(dead.map((name) => ({ type: 'remove', path: `${this.#folder}/${name}` })))
    return new FileSinkWriter({
      files,
      folder: this.#folder,
      owner,
      ending: this.#ending,
      firstNumber: Math.max(atLeast, highestNumber(names) + 1),
      encode: this.#encode,
      rollAtBytes: this.#rollAtBytes,
    })
  }
}

function refused(option: string, value: unknown, legal: string): StreamError {
  return new StreamError('INVALID_ARGUMENT', {
    message: `FileSink: \`${option}\` is ${String(value)}.`,
    hint: `Give ${legal}.`,
    details: { option, value: String(value) },
  })
}
