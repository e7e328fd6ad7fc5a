/**
 * Writes the records of one subtask into part files, one open file a bucket. A file ends at every snapshot, and earlier by
 * size, by age, or because too many are open; bytes go to the disk in the background and are durable before a checkpoint
 * is acknowledged.
 */
import type { Clock, Timer } from '../../base/clock.ts'
import type { FileSystem } from '../../base/file-system.ts'
import type { CommittingSinkWriter, StatefulSinkWriter } from '../../operators/sink.ts'
import { BucketFolders } from './bucket-folders.ts'
import { checkedBucket } from './bucket-path.ts'
import type { FileCommittable } from './file-committable.ts'
import { OpenPart } from './open-part.ts'
import { type Backlog, PartFile } from './part-file.ts'
import { type PartOwner, partNames } from './part-names.ts'
import type { RecordFormat } from './record-encoding.ts'
import { endsAtMs, type RollingPolicy } from './rolling-policy.ts'

/** State of one subtask: no lower number is free, in any bucket. */
export interface FileSinkState {
  readonly next: number
}

export interface FileSinkWriterOptions<T> {
  readonly clock: Clock
  readonly files: FileSystem
  readonly folder: string
  readonly owner: PartOwner
  readonly format: RecordFormat<T>
  readonly firstNumber: number
  /** Left out: everything goes into the folder itself. */
  readonly bucketAssigner: ((value: T) => string) | undefined
  readonly rolling: RollingPolicy
  /** When a file more is needed, the one that was not written into for longest ends. */
  readonly maxOpenFiles: number
}

/** More than this is not held back in memory: writing waits. */
const MOST_BACKLOG_BYTES = 1024 * 1024

export class FileSinkWriter<in T>
  implements CommittingSinkWriter<T, FileCommittable>, StatefulSinkWriter<T, FileSinkState>
{
  readonly #options: FileSinkWriterOptions<T>
  readonly #folders: BucketFolders
  readonly #backlog: Backlog = { bytes: 0 }
  /** One number for all buckets: it grows in each, and files of one subtask differ in name wherever they lie. */
  #next: number
  /** By bucket, the least recently used first. */
  readonly #open = new Map<string, OpenPart<T>>()
  /** The most recently used one. */
  #current: OpenPart<T> | undefined
  /** Files take their numbers one after the other, so that they have them in the order of their records. */
  #numbered: Promise<void> | undefined
  /** Ended since the last snapshot: no checkpoint knows of them yet. */
  #sealed: PartFile[] = []
  /** Ended or pre-committed, and not known to be durable. */
  readonly #settling = new Set<PartFile>()
  /** Rings when the first open file may be old enough, never later. */
  #timer: Timer | undefined

  constructor(options: FileSinkWriterOptions<T>) {
    this.#options = options
    this.#next = options.firstNumber
    this.#folders = new BucketFolders(options.files, options.folder)
  }

  write(value: T): void | Promise<void> {
    const { bucketAssigner, clock, rolling } = this.#options
    const nowMs = clock.monotonic()
    const bucket = bucketAssigner === undefined ? '' : bucketAssigner(value)
    const current = this.#current
    const part = current !== undefined && current.bucket === bucket ? current : this.#turnTo(bucket, nowMs)
    part.write(value, nowMs)
    if (part.length >= rolling.maxBytes) this.#roll(part)
    if (this.#backlog.bytes > MOST_BACKLOG_BYTES || this.#settling.size > this.#options.maxOpenFiles)
      return this.#caughtUp()
  }

  flush(): void {
    for (const part of this.#open.values()) part.handOver()
    this.#throwIfFailed()
  }

  prepareCommit(): readonly FileCommittable[] | Promise<readonly FileCommittable[]> {
    for (const part of this.#open.values()) this.#roll(part)
    const committables = this.#sealed.splice(0).map((file) => {
      const committable = file.preCommit()
      this.#settle(file)
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
    await Promise.all(Array.from(this.#settling, (file) => file.written()))
  }

  async close(): Promise<void> {
    this.#timer?.cancel()
    const unknown = this.#sealed
    for (const { file } of this.#open.values()) if (file !== undefined) unknown.push(file)
    this.#open.clear()
    this.#current = undefined
    this.#sealed = []
    await Promise.all(unknown.map((file) => file.abandon()))
    await Promise.all(Array.from(this.#settling, (file) => file.release()))
  }

  /** The part of the bucket becomes the most recently used one. */
  #turnTo(bucket: string, nowMs: number): OpenPart<T> {
    let part = this.#open.get(bucket)
    if (part === undefined) part = this.#openPart(checkedBucket(bucket), nowMs)
    else this.#open.delete(bucket)
    this.#open.set(bucket, part)
    this.#current = part
    return part
  }

  #openPart(bucket: string, nowMs: number): OpenPart<T> {
    const { format, rolling, maxOpenFiles } = this.#options
    this.#throwIfFailed()
    for (const leastRecentlyUsed of this.#open.values()) {
      if (this.#open.size < maxOpenFiles) break
      this.#roll(leastRecentlyUsed)
    }
    const part = new OpenPart(bucket, format, nowMs, () => this.#createFile(bucket))
    if (this.#timer === undefined) this.#wakeAt(endsAtMs(rolling, part), nowMs)
    return part
  }

  #createFile(bucket: string): PartFile {
    const { files, folder, owner, format } = this.#options
    const file = new PartFile({
      files,
      folder,
      backlog: this.#backlog,
      ready: this.#turnOf(bucket),
      nextNames: () => partNames(owner, this.#next++, format.ending, bucket),
    })
    const numbered = file.numbered().then(() => {
      if (this.#numbered === numbered) this.#numbered = undefined
    })
    this.#numbered = numbered
    return file
  }

  /** Undefined: at once. */
  #turnOf(bucket: string): Promise<void> | undefined {
    const before = this.#numbered
    if (this.#folders.isKnown(bucket)) return before
    return (before ?? Promise.resolve()).then(async () => {
      if (this.#folders.isKnown(bucket)) return
      this.#next = Math.max(this.#next, (await this.#folders.prepare(bucket)) + 1)
    })
  }

  #roll(part: OpenPart<T>): void {
    // One that has failed throws here, and is still among those that `close` lets go.
    const file = part.seal()
    this.#open.delete(part.bucket)
    if (this.#current === part) this.#current = undefined
    if (file === undefined) return
    this.#sealed.push(file)
    this.#settle(file)
  }

  /** Writing goes on when what has been taken is written; it waits for files that have ended only if they hold it up. */
  async #caughtUp(): Promise<void> {
    this.#throwIfFailed()
    if (this.#settling.size <= this.#options.maxOpenFiles) {
      await Promise.all(Array.from(this.#open.values(), ({ file }) => file?.written()))
      if (this.#backlog.bytes <= MOST_BACKLOG_BYTES) return
    }
    await this.makeDurable()
  }

  #settle(file: PartFile): void {
    const work = file.written()
    this.#settling.add(file)
    work.then(
      () => {
        if (file.written() === work) this.#settling.delete(file)
      },
      () => {}, // It stays, and every later call tells of it: its records are in no other file.
    )
  }

  #throwIfFailed(): void {
    for (const part of this.#open.values()) part.throwIfFailed()
    for (const file of this.#settling) file.throwIfFailed()
  }

  #wakeAt(atMs: number, nowMs: number): void {
    this.#timer = this.#options.clock.setTimer(atMs - nowMs, () => this.#rollOld())
  }

  #rollOld(): void {
    const { clock, rolling } = this.#options
    const nowMs = clock.monotonic()
    this.#timer = undefined
    let nextMs = Number.POSITIVE_INFINITY
    for (const part of this.#open.values()) {
      const atMs = endsAtMs(rolling, part)
      if (atMs > nowMs) nextMs = Math.min(nextMs, atMs)
      // A failed one stays as it is: the next call tells of it.
      else if (!part.hasFailed) this.#roll(part)
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#wakeAt(nextMs, nowMs)
  }
}
