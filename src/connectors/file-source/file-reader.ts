/**
 * Reads input files, one after the other: chunks come ahead of time, records are decoded as they are emitted. The
 * position is always that behind the last emitted record.
 */
import { StreamError, toError } from '../../base/errors.ts'
import { END_OF_INPUT, MORE_AVAILABLE, NOTHING_AVAILABLE, type SourceStatus } from '../../operators/operator.ts'
import type { ReaderOutput, SourceReader, SourceReaderContext } from '../../operators/source.ts'
import { Availability } from '../availability.ts'
import { isCompressed, plainChunks, unzippedChunks } from './file-chunks.ts'
import { changed, checkIdentity, type FileIdentity, type FileSplit, identify } from './file-split.ts'
import { ReadAhead } from './read-ahead.ts'
import { type FileFormat, INVALID, RECORD, type RecordDecoder } from './record-decoder.ts'

export interface FileReaderOptions<T> {
  readonly context: SourceReaderContext
  readonly format: FileFormat<T>
  readonly onInvalid: 'fail' | 'skip'
  readonly chunkBytes: number
}

interface OpenFile<T> {
  readonly split: FileSplit
  readonly output: ReaderOutput<T>
  readonly decoder: RecordDecoder<T>
  readonly input: ReadAhead
  identity: FileIdentity | undefined
  /** Behind the last emitted record. */
  offset: number
  lines: number
  skipped: number
  lastBytesGiven: boolean
}

export class FileReader<T> implements SourceReader<T, FileSplit> {
  readonly #options: FileReaderOptions<T>
  readonly #context: SourceReaderContext
  readonly #availability = new Availability()
  readonly #splits: FileSplit[] = []
  #file: OpenFile<T> | undefined
  #closing: Promise<void> = Promise.resolve()
  #noMoreSplits = false

  constructor(options: FileReaderOptions<T>) {
    this.#options = options
    this.#context = options.context
  }

  start(): void {
    if (this.#splits.length === 0) this.#context.sendSplitRequest()
  }

  pollNext(output: ReaderOutput<T>): SourceStatus {
    const file = this.#file
    if (file === undefined) return this.#openNext(output)
    const status = file.decoder.next()
    if (status === RECORD) {
      file.offset = file.decoder.offset
      file.lines = file.decoder.lines
      file.output.collect(file.decoder.value)
      return MORE_AVAILABLE
    }
    if (status === INVALID) return this.#invalid(file)
    return this.#moreBytes(file, output)
  }

  isAvailable(): Promise<void> {
    return this.#availability.wait()
  }

  snapshotState(): readonly FileSplit[] {
    const file = this.#file
    if (file === undefined) return [...this.#splits]
    const { offset, lines, identity, decoder } = file
    const columns = lines === 0 ? undefined : decoder.columns
    return [{ ...file.split, offset, lines, identity, columns }, ...this.#splits]
  }

  addSplits(splits: readonly FileSplit[]): void {
    this.#splits.push(...splits)
    this.#availability.wake()
  }

  notifyNoMoreSplits(): void {
    this.#noMoreSplits = true
    this.#availability.wake()
  }

  async close(): Promise<void> {
    await this.#file?.input.close()
    await this.#closing
  }

  #openNext(output: ReaderOutput<T>): SourceStatus {
    const split = this.#splits.shift()
    if (split === undefined) return this.#noMoreSplits ? END_OF_INPUT : NOTHING_AVAILABLE
    const { offset, lines, identity } = split
    this.#file = {
      split,
      output: output.createOutputForSplit(split.id),
      decoder: this.#options.format.createDecoder(split),
      input: new ReadAhead(this.#chunks(split), () => this.#availability.wake()),
      identity,
      offset,
      lines,
      skipped: 0,
      lastBytesGiven: false,
    }
    return MORE_AVAILABLE
  }

  async *#chunks(split: FileSplit): AsyncGenerator<Uint8Array> {
    const { files } = this.#context.environment
    const { path, offset } = split
    const { chunkBytes } = this.#options
    if ((await files.stat(path)) === undefined) throw changed(path, 'was deleted')
    const handle = await files.openRead(path)
    try {
      if (split.identity !== undefined) await checkIdentity(handle, path, split.identity)
      const identity = split.identity ?? (await identify(handle))
      if (this.#file?.split === split) this.#file.identity = identity
      const packed = isCompressed(path)
      const range = { from: packed ? 0 : offset, to: identity.size, chunkBytes }
      const bytes = plainChunks(handle, path, range)
      yield* packed ? unzippedChunks(bytes, path, { skip: offset, chunkBytes }) : bytes
    } finally {
      await handle.close()
    }
  }

  #moreBytes(file: OpenFile<T>, output: ReaderOutput<T>): SourceStatus {
    const bytes = file.input.take()
    if (bytes !== undefined) file.decoder.push(bytes)
    else if (!file.input.ended) return NOTHING_AVAILABLE
    else if (file.lastBytesGiven) return this.#finished(file, output)
    else {
      file.lastBytesGiven = true
      file.decoder.end()
    }
    return MORE_AVAILABLE
  }

  #finished(file: OpenFile<T>, output: ReaderOutput<T>): SourceStatus {
    this.#file = undefined
    this.#closing = file.input.close()
    output.releaseOutputForSplit(file.split.id)
    if (file.skipped > 1)
      this.#context.environment.logger.warn(`${file.split.path}: ${file.skipped} invalid records were skipped in all.`)
    if (this.#splits.length === 0 && !this.#noMoreSplits) this.#context.sendSplitRequest()
    return MORE_AVAILABLE
  }

  #invalid(file: OpenFile<T>): SourceStatus {
    const { decoder, split } = file
    const problem = typeof decoder.problem === 'string' ? decoder.problem : toError(decoder.problem).message
    const where = `${split.path}, line ${decoder.line}`
    if (this.#options.onInvalid === 'fail')
      throw new StreamError('RECORD_INVALID', {
        message: `${where}: ${problem}.`,
        hint: "Correct the file, or set `onInvalid: 'skip'` to pass such records over and count them.",
        details: { path: split.path, line: decoder.line },
        cause: decoder.problem,
      })
    file.offset = decoder.offset
    file.lines = decoder.lines
    file.skipped++
    this.#context.count('skippedRecords', 1)
    if (file.skipped === 1) this.#context.environment.logger.warn(`${where}: skipped an invalid record: ${problem}.`)
    return MORE_AVAILABLE
  }
}
