/**
 * One file while it is written: takes bytes at once and brings them to the disk in the background, in order. Pre-committed,
 * it becomes durable under its pending name. What goes wrong is kept and told to whoever asks next.
 */
import { type Sha256, sha256 } from '../../base/digest.ts'
import { StreamError } from '../../base/errors.ts'
import type { FileSystem, WriteHandle } from '../../base/file-system.ts'
import { parentPath } from '../../base/paths.ts'
import type { FileCommittable } from './file-committable.ts'
import type { PartNames } from './part-names.ts'

export interface PartFileOptions {
  readonly files: FileSystem
  readonly folder: string
  /** Shared by the files of a writer. */
  readonly backlog: Backlog
  /** When it is this file's turn to take a number, and its bucket is there. Rejects when the disk refused the bucket. */
  readonly ready: Promise<void> | undefined
  /** Names for the next number; called again when they are taken. */
  nextNames(): PartNames
}

/** Bytes that are taken and not on the disk yet. */
export interface Backlog {
  bytes: number
}

export class PartFile {
  /** Bytes taken so far, on the disk or not. */
  length = 0
  readonly #options: PartFileOptions
  readonly #digest: Sha256 = sha256()
  /** The hash of a sealed file. */
  #sealed = ''
  readonly #opened: Promise<PartNames>
  #names: PartNames | undefined
  #handle: WriteHandle | undefined
  /** All that was asked for so far; rejects with the first failure. */
  #work: Promise<void>
  #failure: { readonly cause: unknown } | undefined

  constructor(options: PartFileOptions) {
    this.#options = options
    this.#opened = this.#open()
    this.#work = this.#watched(this.#opened.then(() => {}))
  }

  /** Takes the bytes over: they must not change. Throws what failed before. */
  append(bytes: Uint8Array): void {
    this.throwIfFailed()
    this.#digest.update(bytes)
    this.length += bytes.length
    this.#options.backlog.bytes += bytes.length
    this.#then(async () => {
      await this.#handle?.append(bytes)
      this.#options.backlog.bytes -= bytes.length
    })
  }

  /** Settles when it has its number, or was refused one. Never rejects. */
  async numbered(): Promise<void> {
    await Promise.allSettled([this.#opened])
  }

  /** Settles when everything taken so far is written. */
  written(): Promise<void> {
    return this.#work
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.cause
  }

  /** No more bytes come: they become durable, still under the in-progress name. */
  seal(): void {
    this.#sealed = this.#digest.hex()
    this.#then(async () => {
      await this.#handle?.sync()
      await this.#close()
    })
  }

  /** Of a sealed file: it gets its pending name, durably. A promise only while the file is not even open yet. */
  preCommit(): FileCommittable | Promise<FileCommittable> {
    const { length } = this
    const hash = this.#sealed
    const committable = ({ pending, final }: PartNames): FileCommittable => ({ pending, final, length, sha256: hash })
    this.#then(() => this.#makePending())
    return this.#names === undefined ? this.#opened.then(committable) : committable(this.#names)
  }

  /** Settles when nothing of it is under way or open any more, however that ended. The file stays. Never rejects. */
  async release(): Promise<void> {
    await Promise.allSettled([this.#work])
    await Promise.allSettled([this.#close()])
  }

  /** Leaves nothing behind; best effort. For a file that was not pre-committed. */
  async abandon(): Promise<void> {
    const { files, folder } = this.#options
    await this.release()
    if (this.#names !== undefined)
      await Promise.allSettled([files.execute([{ type: 'remove', path: `${folder}/${this.#names.inProgress}` }])])
  }

  /**
   * A number is taken when a file of it exists under any of the three names. The in-progress name is taken first and
   * exclusively, so that of two writers only one gets it.
   */
  async #open(): Promise<PartNames> {
    const { files, folder, ready, nextNames } = this.#options
    if (ready !== undefined) await ready
    for (;;) {
      const names = nextNames()
      const handle = await createUnlessTaken(files, `${folder}/${names.inProgress}`)
      if (handle === undefined) continue
      this.#handle = handle
      const taken = (await files.stat(`${folder}/${names.pending}`)) ?? (await files.stat(`${folder}/${names.final}`))
      if (taken === undefined) {
        this.#names = names
        return names
      }
      await this.#close()
      await files.execute([{ type: 'remove', path: `${folder}/${names.inProgress}` }])
    }
  }

  async #makePending(): Promise<void> {
    const { files, folder } = this.#options
    const { inProgress, pending } = await this.#opened
    await files.execute([
      { type: 'rename', from: `${folder}/${inProgress}`, to: `${folder}/${pending}` },
      // What is left of the other name after a crash is swept.
      { type: 'syncFolder', path: parentPath(`${folder}/${pending}`) },
    ])
  }

  async #close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  #then(step: () => Promise<void>): void {
    this.#work = this.#watched(this.#work.then(step))
  }

  #watched(work: Promise<void>): Promise<void> {
    work.catch((cause: unknown) => {
      // Whatever the disk said: nothing that follows may pretend that it went well.
      this.#failure ??= { cause }
    })
    return work
  }
}

async function createUnlessTaken(files: FileSystem, path: string): Promise<WriteHandle | undefined> {
  try {
    return await files.createExclusive(path)
  } catch (thrown) {
    if (StreamError.is(thrown) && thrown.details.systemCode === 'EEXIST') return undefined
    throw thrown
  }
}
