/**
 * Reads files that grow. Each is read to the end that it has, one after the other; then it is parked, and looked at now
 * and then. It never ends. The position of a file is always that behind its last emitted record.
 */
import type { Timer } from '../../base/clock.ts'
import { MORE_AVAILABLE, NOTHING_AVAILABLE, type SourceStatus } from '../../operators/operator.ts'
import type { ReaderOutput, SourceReader, SourceReaderContext } from '../../operators/source.ts'
import { Availability } from '../availability.ts'
import { atOnce } from './at-once.ts'
import { plainChunks, unzippedChunks } from './file-chunks.ts'
import { readHeader } from './file-header.ts'
import { canBeFoundAgain, type Look, lookAt } from './file-look.ts'
import { decoderStart, type FileSplit, isAtStartOfRange, linesAreCounted } from './file-split.ts'
import { FollowedFile } from './followed-file.ts'
import { MovedFiles } from './input-survey.ts'
import type { InvalidRecords } from './invalid-records.ts'
import { ReadAhead } from './read-ahead.ts'
import { type FileFormat, INVALID, RECORD, type RecordDecoder } from './record-decoder.ts'

export interface FollowingReaderOptions<T> {
  readonly context: SourceReaderContext
  readonly format: FileFormat<T>
  readonly invalid: InvalidRecords
  readonly inputs: readonly string[]
  readonly monitorMs: number
  readonly closeAfterMs: number
}

/** So much of one file, then the next one has its turn. */
const TURN_BYTES = 16 * 1024 * 1024
/** So many of those whose turn is next are being opened. */
const FILES_AHEAD = 4
/** Parked files that stay open. Of more, those that were read longest ago are opened again when they grow. */
const MOST_OPEN = 128

export class FollowingReader<T> implements SourceReader<T, FileSplit> {
  readonly #options: FollowingReaderOptions<T>
  readonly #context: SourceReaderContext
  readonly #availability = new Availability()
  /** Each file is in one of three places: being read, ready to be read, or parked. */
  readonly #files = new Map<string, FollowedFile<T>>()
  readonly #ready = new Set<FollowedFile<T>>()
  readonly #parked = new Set<FollowedFile<T>>()
  /** Parked and open, the one that was read longest ago first. */
  readonly #open = new Set<FollowedFile<T>>()
  #active: FollowedFile<T> | undefined
  /** Ids of splits that hold watermarks back no longer. */
  #toRelease: string[] = []
  #failure: { readonly cause: unknown } | undefined
  #started = false
  #stopped = false
  #timer: Timer | undefined
  #round: Promise<void> = Promise.resolve()
  readonly #closing = new Set<Promise<void>>()

  constructor(options: FollowingReaderOptions<T>) {
    this.#options = options
    this.#context = options.context
  }

  start(): void {
    this.#started = true
    this.#round = this.#lookAtAll()
  }

  pollNext(output: ReaderOutput<T>): SourceStatus {
    const file = this.#active
    if (file === undefined) return this.#between(output)
    const { decoder } = file
    if (decoder === undefined) return this.#startDecoder(file)
    const status = decoder.next()
    if (status === RECORD) {
      file.offset = decoder.offset
      file.lines = decoder.lines
      file.output?.collect(decoder.value)
      return MORE_AVAILABLE
    }
    if (status === INVALID) return this.#invalid(file, decoder)
    return decoder.done ? this.#finished(file) : this.#moreBytes(file, decoder)
  }

  isAvailable(): Promise<void> {
    return this.#availability.wait()
  }

  snapshotState(): readonly FileSplit[] {
    return Array.from(this.#files.values(), (file) => (file === this.#active ? file.snapshot() : file.split))
  }

  addSplits(splits: readonly FileSplit[]): void {
    for (const split of splits) {
      const file = new FollowedFile<T>(split)
      this.#files.set(split.id, file)
      file.readMs = this.#now()
      if (file.closed) this.#toRelease.push(split.id)
      // One that was restored is looked at first: it may be gone, and nothing need be wrong about that.
      if (this.#started || file.packed) this.#ready.add(file)
      else this.#parked.add(file)
    }
    this.#availability.wake()
  }

  notifyNoMoreSplits(): void {}

  async close(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    const inputs = [...this.#ready, ...(this.#active === undefined ? [] : [this.#active])]
    await Promise.all(inputs.map(({ input }) => input?.close()))
    await this.#round
    for (const file of this.#files.values()) this.#closeHandle(file)
    await Promise.all(this.#closing)
  }

  #between(output: ReaderOutput<T>): SourceStatus {
    if (this.#failure !== undefined) throw this.#failure.cause
    // One at a time: releasing one may make a watermark out of all the others.
    const released = this.#toRelease.pop()
    if (released !== undefined) {
      output.releaseOutputForSplit(released)
      return MORE_AVAILABLE
    }
    for (const file of this.#ready) {
      this.#ready.delete(file)
      this.#begin(file, output)
      return MORE_AVAILABLE
    }
    return NOTHING_AVAILABLE
  }

  #begin(file: FollowedFile<T>, output: ReaderOutput<T>): void {
    this.#active = file
    file.caughtUp = false
    file.closed = false
    file.output ??= output.createOutputForSplit(file.split.id)
    this.#readAhead(file)
    // Opening a small file takes longer than reading it.
    let ahead = 0
    for (const next of this.#ready) {
      if (++ahead > FILES_AHEAD) return
      this.#readAhead(next)
    }
  }

  #readAhead(file: FollowedFile<T>): void {
    file.input ??= new ReadAhead(this.#chunks(file), () => this.#availability.wake())
  }

  #startDecoder(file: FollowedFile<T>): SourceStatus {
    if (file.start !== undefined) {
      file.decoder = this.#options.format.createDecoder(file.start)
      return MORE_AVAILABLE
    }
    // Throws what made opening fail.
    file.input?.take()
    return NOTHING_AVAILABLE
  }

  /** What the file has gained, up to a turn; of a compressed one all. */
  async *#chunks(file: FollowedFile<T>): AsyncGenerator<Uint8Array> {
    const { inputs, format } = this.#options
    const { chunkBytes } = format
    const { files } = this.#context.environment
    const handle = file.handle ?? (await file.open(files, inputs))
    const { path } = file
    const size = file.identity?.size ?? 0
    if (file.start === undefined) {
      const needsHeader = format.hasHeader && isAtStartOfRange(file.split)
      const header = needsHeader ? await readHeader(handle, path, size, format) : undefined
      file.start = decoderStart(file.snapshot(), header)
      if (!file.packed) file.fed = file.start.offset
      this.#availability.wake()
    }
    if (file.packed) yield* unzippedChunks(files, handle, path, { size, skip: file.start.offset, chunkBytes })
    else yield* plainChunks(handle, path, { from: file.fed, to: Math.min(size, file.fed + TURN_BYTES), chunkBytes })
  }

  #moreBytes(file: FollowedFile<T>, decoder: RecordDecoder<T>): SourceStatus {
    const { input } = file
    const bytes = input?.take()
    if (bytes !== undefined) {
      decoder.push(bytes)
      file.fed += bytes.length
      return MORE_AVAILABLE
    }
    if (input?.ended === false) return NOTHING_AVAILABLE
    if (!file.packed) return this.#park(file)
    if (file.lastBytesGiven) return this.#finished(file)
    file.lastBytesGiven = true
    decoder.end()
    return MORE_AVAILABLE
  }

  /** Its turn is over. */
  #park(file: FollowedFile<T>): SourceStatus {
    this.#active = undefined
    file.input = undefined
    file.readMs = this.#now()
    file.takePosition()
    file.caughtUp = file.fed >= (file.identity?.size ?? 0)
    file.keepSplit()
    if (!file.caughtUp) {
      this.#ready.add(file)
      return MORE_AVAILABLE
    }
    this.#parked.add(file)
    this.#open.add(file)
    for (const oldest of this.#open) {
      if (this.#open.size <= MOST_OPEN) break
      if (!oldest.lookedAt) this.#closeHandle(oldest)
    }
    return MORE_AVAILABLE
  }

  /** A range or a compressed file was read to its end, or the file is gone. */
  #finished(file: FollowedFile<T>): SourceStatus {
    this.#active = undefined
    this.#remove(file)
    return MORE_AVAILABLE
  }

  #remove(file: FollowedFile<T>): void {
    const { id } = file.split
    this.#files.delete(id)
    this.#parked.delete(file)
    // A range may end before all is read that is read ahead.
    if (file.input === undefined) this.#closeHandle(file)
    else this.#closed(file.input.close().then(() => file.closeHandle()))
    this.#toRelease.push(id)
    this.#options.invalid.finished(file.path)
    this.#availability.wake()
  }

  #invalid(file: FollowedFile<T>, decoder: RecordDecoder<T>): SourceStatus {
    if (file.output !== undefined)
      this.#options.invalid.found(file.output, file.path, decoder, linesAreCounted(file.split))
    file.offset = decoder.offset
    file.lines = decoder.lines
    return MORE_AVAILABLE
  }

  async #lookAtAll(): Promise<void> {
    const { inputs, monitorMs } = this.#options
    const { files, clock } = this.#context.environment
    const look: Look = { files, inputs, moved: new MovedFiles(files, inputs) }
    try {
      await atOnce([...this.#parked], (file) => this.#look(file, look))
    } catch (cause) {
      // Of the disk, or SOURCE_CHANGED: thrown on where the task hears of it.
      this.#failure ??= { cause }
      this.#availability.wake()
    }
    if (this.#stopped || this.#failure !== undefined) return
    this.#timer = clock.setTimer(monitorMs, () => {
      this.#round = this.#lookAtAll()
    })
  }

  async #look(file: FollowedFile<T>, look: Look): Promise<void> {
    if (this.#stopped) return
    file.lookedAt = true
    try {
      const result = await lookAt(file, look)
      if (result === 'gone') this.#gone(file)
      else if (result === 'same') await this.#mayClose(file, look)
      else {
        this.#parked.delete(file)
        this.#open.delete(file)
        file.caughtUp = false
        file.keepSplit()
        this.#ready.add(file)
        this.#availability.wake()
      }
    } finally {
      file.lookedAt = false
    }
  }

  #gone(file: FollowedFile<T>): void {
    const unread = (file.identity?.size ?? 0) - file.offset
    const { logger } = this.#context.environment
    logger.debug(`${file.path} is gone and no longer followed.`)
    if (unread > 0)
      logger.warn(`${file.path} is gone; its last ${unread} bytes had no end of line and were not read as a record.`)
    this.#remove(file)
  }

  async #mayClose(file: FollowedFile<T>, look: Look): Promise<void> {
    if (file.closed || file.missing || this.#now() - file.readMs < this.#options.closeAfterMs) return
    if (file.handle !== undefined && !(await canBeFoundAgain(file, look))) return this.#gone(file)
    file.closed = true
    file.forgetDecoder()
    file.output = undefined
    this.#closeHandle(file)
    this.#toRelease.push(file.split.id)
    this.#options.invalid.finished(file.path)
    this.#availability.wake()
  }

  #closeHandle(file: FollowedFile<T>): void {
    this.#open.delete(file)
    if (file.handle !== undefined) this.#closed(file.closeHandle())
  }

  /** A file was only read: what goes wrong when it is closed changes nothing. */
  #closed(closing: Promise<void>): void {
    const settled = closing.then(
      () => {},
      (thrown: unknown) => this.#context.environment.logger.debug(`A file could not be closed: ${String(thrown)}`),
    )
    this.#closing.add(settled)
    void settled.then(() => this.#closing.delete(settled))
  }

  #now(): number {
    return this.#context.environment.clock.monotonic()
  }
}
