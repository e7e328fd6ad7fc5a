/**
 * Reads input files, or ranges of them, one after the other: chunks come ahead of time, records are decoded as they are
 * emitted. The position is always that behind the last emitted record.
 */
import type { FileSystem, ReadHandle } from '../../base/file-system.ts'
import { END_OF_INPUT, MORE_AVAILABLE, NOTHING_AVAILABLE, type SourceStatus } from '../../operators/operator.ts'
import type { ReaderOutput, SourceReader, SourceReaderContext } from '../../operators/source.ts'
import { Availability } from '../availability.ts'
import { isCompressed, plainChunks, unzippedChunks } from './file-chunks.ts'
import { readHeader } from './file-header.ts'
import { changed, checkIdentity, type FileIdentity, identify } from './file-identity.ts'
import { columnsAt, decoderStart, type FileSplit, isAtStartOfRange, linesAreCounted } from './file-split.ts'
import { isMissing } from './input-files.ts'
import type { InvalidRecords } from './invalid-records.ts'
import { ReadAhead } from './read-ahead.ts'
import { type DecoderStart, type FileFormat, INVALID, RECORD, type RecordDecoder } from './record-decoder.ts'

export interface FileReaderOptions<T> {
  readonly context: SourceReaderContext
  readonly format: FileFormat<T>
  readonly invalid: InvalidRecords
}

interface OpenFile<T> {
  readonly split: FileSplit
  readonly output: ReaderOutput<T>
  readonly input: ReadAhead
  /** Known before the first bytes come. */
  start: DecoderStart | undefined
  decoder: RecordDecoder<T> | undefined
  identity: FileIdentity | undefined
  /** Behind the last emitted record. */
  offset: number
  lines: number
  lastBytesGiven: boolean
}

export class FileReader<T> implements SourceReader<T, FileSplit> {
  readonly #format: FileFormat<T>
  readonly #invalidRecords: InvalidRecords
  readonly #context: SourceReaderContext
  readonly #availability = new Availability()
  readonly #splits: FileSplit[] = []
  #file: OpenFile<T> | undefined
  #closing: Promise<void> = Promise.resolve()
  #noMoreSplits = false

  constructor({ context, format, invalid }: FileReaderOptions<T>) {
    this.#format = format
    this.#invalidRecords = invalid
    this.#context = context
  }

  start(): void {
    if (this.#splits.length === 0) this.#context.sendSplitRequest()
  }

  pollNext(output: ReaderOutput<T>): SourceStatus {
    const file = this.#file
    if (file === undefined) return this.#openNext(output)
    const { decoder } = file
    if (decoder === undefined) return this.#startDecoder(file)
    const status = decoder.next()
    if (status === RECORD) {
      file.offset = decoder.offset
      file.lines = decoder.lines
      file.output.collect(decoder.value)
      return MORE_AVAILABLE
    }
    if (status === INVALID) return this.#invalid(file, decoder)
    return decoder.done ? this.#finished(file, output) : this.#moreBytes(file, decoder, output)
  }

  isAvailable(): Promise<void> {
    return this.#availability.wait()
  }

  snapshotState(): readonly FileSplit[] {
    const file = this.#file
    if (file === undefined) return [...this.#splits]
    const { offset, lines, identity, decoder } = file
    const split = { ...file.split, offset, lines, identity }
    return [{ ...split, columns: columnsAt(split, decoder?.columns ?? split.columns) }, ...this.#splits]
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
      input: new ReadAhead(this.#chunks(split), () => this.#availability.wake()),
      start: undefined,
      decoder: undefined,
      identity,
      offset,
      lines,
      lastBytesGiven: false,
    }
    return MORE_AVAILABLE
  }

  #startDecoder(file: OpenFile<T>): SourceStatus {
    if (file.start === undefined) {
      // Throws what made opening fail.
      file.input.take()
      return NOTHING_AVAILABLE
    }
    file.decoder = this.#format.createDecoder(file.start)
    return MORE_AVAILABLE
  }

  async *#chunks(split: FileSplit): AsyncGenerator<Uint8Array> {
    const { files } = this.#context.environment
    const { path } = split
    const { chunkBytes } = this.#format
    const handle = await openInput(files, path)
    try {
      if (split.identity !== undefined) await checkIdentity(handle, path, split.identity)
      const identity = split.identity ?? (await identify(handle))
      const needsHeader = this.#format.hasHeader && isAtStartOfRange(split)
      const start = decoderStart(
        split,
        needsHeader ? await readHeader(handle, path, identity.size, this.#format) : undefined,
      )
      if (this.#file?.split === split) Object.assign(this.#file, { identity, start })
      this.#availability.wake()
      const packed = isCompressed(path)
      const { size } = identity
      yield* packed
        ? unzippedChunks(files, handle, path, { size, skip: start.offset, chunkBytes })
        : plainChunks(handle, path, { from: start.offset, to: size, chunkBytes })
    } finally {
      await handle.close()
    }
  }

  #moreBytes(file: OpenFile<T>, decoder: RecordDecoder<T>, output: ReaderOutput<T>): SourceStatus {
    const bytes = file.input.take()
    if (bytes !== undefined) decoder.push(bytes)
    else if (!file.input.ended) return NOTHING_AVAILABLE
    else if (file.lastBytesGiven) return this.#finished(file, output)
    else {
      file.lastBytesGiven = true
      decoder.end()
    }
    return MORE_AVAILABLE
  }

  #finished(file: OpenFile<T>, output: ReaderOutput<T>): SourceStatus {
    const { id, path } = file.split
    this.#file = undefined
    this.#closing = Promise.all([this.#closing, file.input.close()]).then(() => {})
    output.releaseOutputForSplit(id)
    this.#invalidRecords.finished(path)
    if (this.#splits.length === 0 && !this.#noMoreSplits) this.#context.sendSplitRequest()
    return MORE_AVAILABLE
  }

  #invalid(file: OpenFile<T>, decoder: RecordDecoder<T>): SourceStatus {
    this.#invalidRecords.found(file.output, file.split.path, decoder, linesAreCounted(file.split))
    file.offset = decoder.offset
    file.lines = decoder.lines
    return MORE_AVAILABLE
  }
}

async function openInput(files: FileSystem, path: string): Promise<ReadHandle> {
  let handle: ReadHandle
  try {
    handle = await files.openRead(path)
  } catch (thrown) {
    throw isMissing(thrown) ? changed(path, 'was deleted') : thrown
  }
  if ((await handle.stat()).kind === 'file') return handle
  await handle.close()
  throw changed(path, 'is no file any more')
}
