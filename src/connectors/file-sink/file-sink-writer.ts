/**
 * Writes the records of one subtask into part files. A file ends at every snapshot, and earlier when it is large enough;
 * bytes go to the disk in the background and are durable before a checkpoint is acknowledged.
 */
import type { FileSystem } from '../../base/file-system.ts'
import type { CommittingSinkWriter, StatefulSinkWriter } from '../../operators/sink.ts'
import { type FileCommittable, PartFile } from './part-file.ts'
import { type PartOwner, partNames } from './part-names.ts'

/** State of one subtask: no lower number is free. */
export interface FileSinkState {
  readonly next: number
}

export interface FileSinkWriterOptions<T> {
  readonly files: FileSystem
  readonly folder: string
  readonly owner: PartOwner
  readonly ending: string
  readonly firstNumber: number
  /** The record as one line, without its end. */
  readonly encode: (value: T) => string
  /** A file ends when it has at least so many bytes. */
  readonly rollAtBytes: number
}

const CHUNK_BYTES = 64 * 1024
/** More than this is not held back in memory: writing waits. */
const MOST_BACKLOG_BYTES = 1024 * 1024
/** Of one UTF-16 unit in UTF-8. */
const MOST_BYTES_PER_UNIT = 3
const NEWLINE = 10

export class FileSinkWriter<in T>
  implements CommittingSinkWriter<T, FileCommittable>, StatefulSinkWriter<T, FileSinkState>
{
  readonly #options: FileSinkWriterOptions<T>
  #next: number
  #chunk: Buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  #filled = 0
  #part: PartFile | undefined
  /** Ended since the last snapshot: no checkpoint knows of them yet. */
  #sealed: PartFile[] = []
  /** Ended or pre-committed, and not known to be durable. */
  readonly #settling = new Set<PartFile>()

  constructor(options: FileSinkWriterOptions<T>) {
    this.#options = options
    this.#next = options.firstNumber
  }

  write(value: T): void | Promise<void> {
    const line = this.#options.encode(value)
    const most = line.length * MOST_BYTES_PER_UNIT + 1
    if (most > CHUNK_BYTES - this.#filled) this.#handOver()
    if (most > CHUNK_BYTES) this.#append(Buffer.from(`${line}\n`))
    else {
      const end = this.#filled + this.#chunk.write(line, this.#filled, 'utf8')
      this.#chunk[end] = NEWLINE
      this.#filled = end + 1
    }
    const part = this.#part
    if (part === undefined) return this.#filled >= this.#options.rollAtBytes ? this.#roll() : undefined
    if (part.length + this.#filled >= this.#options.rollAtBytes) return this.#roll()
    if (part.backlog > MOST_BACKLOG_BYTES) return part.written()
  }

  flush(): void {
    this.#handOver()
    this.#throwIfFailed()
  }

  prepareCommit(): readonly FileCommittable[] | Promise<readonly FileCommittable[]> {
    this.#seal()
    const committables = this.#sealed.splice(0).map((part) => {
      const committable = part.preCommit()
      this.#settle(part)
      return committable
    })
    if (committables.some((each) => each instanceof Promise)) return Promise.all(committables)
    return committables as FileCommittable[]
  }

  snapshotState(): readonly FileSinkState[] {
    return [{ next: this.#next }]
  }

  async makeDurable(): Promise<void> {
    this.#throwIfFailed()
    await Promise.all(Array.from(this.#settling, (part) => part.written()))
  }

  async close(): Promise<void> {
    const unknown = this.#part === undefined ? this.#sealed : [...this.#sealed, this.#part]
    this.#part = undefined
    this.#sealed = []
    await Promise.all(unknown.map((part) => part.abandon()))
    await Promise.all(Array.from(this.#settling, (part) => part.release()))
  }

  /** Waits while too much of what has ended is not on the disk yet. */
  #roll(): void | Promise<void> {
    this.#handOver()
    this.#seal()
    let backlog = 0
    for (const part of this.#settling) backlog += part.backlog
    if (backlog > MOST_BACKLOG_BYTES) return this.makeDurable()
  }

  #handOver(): void {
    if (this.#filled === 0) return
    this.#append(this.#chunk.subarray(0, this.#filled))
    this.#chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    this.#filled = 0
  }

  #append(bytes: Uint8Array): void {
    this.#throwIfFailed()
    const { files, folder, owner, ending } = this.#options
    this.#part ??= new PartFile({ files, folder, nextNames: () => partNames(owner, this.#next++, ending) })
    this.#part.append(bytes)
  }

  #seal(): void {
    const part = this.#part
    if (part === undefined) return
    this.#part = undefined
    part.seal()
    this.#sealed.push(part)
    this.#settle(part)
  }

  #settle(part: PartFile): void {
    const work = part.written()
    this.#settling.add(part)
    work.then(
      () => {
        if (part.written() === work) this.#settling.delete(part)
      },
      () => {}, // It stays, and every later call tells of it: its records are in no other file.
    )
  }

  #throwIfFailed(): void {
    this.#part?.throwIfFailed()
    for (const part of this.#settling) part.throwIfFailed()
  }
}
