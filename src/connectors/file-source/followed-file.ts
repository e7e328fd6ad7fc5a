/** One file that is followed, as its reader holds it: what is known of it, how far it is read, and what is open. */
import type { FileSystem, ReadHandle } from '../../base/file-system.ts'
import type { ReaderOutput } from '../../operators/source.ts'
import { isCompressed } from './file-chunks.ts'
import { changed, checkIdentity, type FileIdentity, identify, replaced } from './file-identity.ts'
import { columnsAt, type FileSplit } from './file-split.ts'
import { isMissing } from './input-files.ts'
import { MovedFiles } from './input-survey.ts'
import type { ReadAhead } from './read-ahead.ts'
import type { DecoderStart, RecordDecoder } from './record-decoder.ts'
import { rememberBytes } from './remembering-serializer.ts'

/** How often a file that is renamed while it is being opened is looked for. */
const TRIES = 3

export class FollowedFile<T> {
  /** What a snapshot holds of it unless it is being read: the same object until something happens to it. */
  split: FileSplit
  path: string
  /** Its size is that up to which the file is, or will be, read. */
  identity: FileIdentity | undefined
  /** Behind the last emitted record. */
  offset: number
  lines: number
  readonly packed: boolean
  /** Undefined before the first bytes come, and while it is closed. */
  start: DecoderStart | undefined
  decoder: RecordDecoder<T> | undefined
  /** Behind the last byte that the decoder was given. */
  fed: number
  input: ReadAhead | undefined
  lastBytesGiven = false
  output: ReaderOutput<T> | undefined
  handle: ReadHandle | undefined
  /** Whether this attempt has compared its first bytes. */
  verified = false
  modified: string | undefined
  /** When it was read last. */
  readMs = 0
  /** Everything is read up to the size that is known, but for a line without end. */
  caughtUp: boolean
  closed: boolean
  /** The last look did not find it anywhere. */
  missing = false
  /** A look is under way: its handle stays open meanwhile. */
  lookedAt = false

  constructor(split: FileSplit) {
    this.split = split
    this.path = split.path
    this.identity = split.identity
    this.offset = split.offset
    this.lines = split.lines
    this.fed = split.offset
    this.packed = isCompressed(split.path)
    this.caughtUp = split.caughtUp === true
    this.closed = split.closed === true
  }

  /** As it stands now. */
  snapshot(): FileSplit {
    const { path, offset, lines, identity, decoder, caughtUp, closed } = this
    const split = { ...this.split, path, offset, lines, identity, caughtUp, closed }
    return { ...split, columns: columnsAt(split, decoder?.columns ?? split.columns) }
  }

  /** What snapshots hold from now on. */
  keepSplit(): void {
    this.split = rememberBytes(this.snapshot())
  }

  /** The decoder may have passed over blank lines behind the last record. */
  takePosition(): void {
    if (this.decoder === undefined) return
    this.offset = this.decoder.offset
    this.lines = this.decoder.lines
  }

  /** Lets the decoder go: what it was given behind the last record will be read again. */
  forgetDecoder(): void {
    this.keepSplit()
    this.decoder = undefined
    this.start = undefined
    this.fed = this.offset
  }

  async closeHandle(): Promise<void> {
    const { handle } = this
    this.handle = undefined
    await handle?.close()
  }

  /**
   * Opens it, under whatever name it has now, and compares it with what is known of it; afterwards its size is that of
   * the file. SOURCE_CHANGED when it is gone, shorter or another one.
   */
  async open(files: FileSystem, inputs: readonly string[]): Promise<ReadHandle> {
    for (let left = TRIES; ; left--) {
      const handle = await this.#tryToOpen(files)
      if (handle !== undefined) {
        this.handle = handle
        return handle
      }
      if (left === 0) throw changed(this.path, 'was renamed again and again')
      await this.#find(files, inputs)
    }
  }

  /** Compares the open file with what is known of it, and brings that up to date. */
  async verify(handle: ReadHandle): Promise<void> {
    const status = await handle.stat()
    if (this.identity !== undefined) await checkIdentity(handle, this.path, this.identity, status)
    this.identity = await identify(handle, status)
    this.modified = status.modified
    this.verified = true
  }

  async #tryToOpen(files: FileSystem): Promise<ReadHandle | undefined> {
    let handle: ReadHandle
    try {
      handle = await files.openRead(this.path)
    } catch (thrown) {
      if (isMissing(thrown)) return undefined
      throw thrown
    }
    try {
      const { inode } = await handle.stat()
      if (this.identity === undefined || inode === this.identity.inode) {
        await this.verify(handle)
        return handle
      }
    } catch (thrown) {
      await handle.close()
      throw thrown
    }
    await handle.close()
    return undefined
  }

  async #find(files: FileSystem, inputs: readonly string[]): Promise<void> {
    const { identity, path } = this
    const found = identity === undefined ? undefined : await new MovedFiles(files, inputs).find(identity, path)
    if (found !== undefined) {
      this.path = found.path
      return
    }
    const status = await files.stat(path)
    if (status === undefined || identity === undefined) throw changed(path, 'was deleted')
    if (status.inode !== identity.inode) throw replaced(path, status.inode, identity)
  }
}
