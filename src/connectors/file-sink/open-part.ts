/** The open part file of one bucket: encodes records into a buffer and hands full buffers over. */
import type { PartFile } from './part-file.ts'
import type { RecordEncoder, RecordFormat } from './record-encoding.ts'
import type { Age } from './rolling-policy.ts'

const CHUNK_BYTES = 64 * 1024
/** Of many buckets most stay small. */
const FIRST_CHUNK_BYTES = 4 * 1024
/** Of one UTF-16 unit in UTF-8. */
const MOST_BYTES_PER_UNIT = 3
const NEWLINE = 10

export class OpenPart<in T> implements Age {
  readonly bucket: string
  readonly openedAtMs: number
  writtenAtMs: number
  readonly #encoder: RecordEncoder<T>
  readonly #createFile: () => PartFile
  #chunk: Buffer = Buffer.allocUnsafe(FIRST_CHUNK_BYTES)
  #filled = 0
  /** Made when there is something to write. */
  #file: PartFile | undefined

  constructor(bucket: string, format: RecordFormat<T>, nowMs: number, createFile: () => PartFile) {
    this.bucket = bucket
    this.openedAtMs = nowMs
    this.writtenAtMs = nowMs
    this.#encoder = format.createEncoder()
    this.#createFile = createFile
  }

  /** Bytes so far, handed over or not. */
  get length(): number {
    return this.#filled + (this.#file?.length ?? 0)
  }

  write(value: T, nowMs: number): void {
    const text = this.#encoder.encode(value)
    const most = text.length * MOST_BYTES_PER_UNIT + 1
    if (most > this.#chunk.length - this.#filled) this.handOver()
    if (most > this.#chunk.length) this.#append(Buffer.from(`${text}\n`))
    else {
      const end = this.#filled + this.#chunk.write(text, this.#filled, 'utf8')
      this.#chunk[end] = NEWLINE
      this.#filled = end + 1
    }
    this.writtenAtMs = nowMs
  }

  /** Everything is on its way to the disk. Throws what failed before. */
  handOver(): void {
    if (this.#filled === 0) return
    this.#append(this.#chunk.subarray(0, this.#filled))
    this.#chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    this.#filled = 0
  }

  /** No more records come. The file, undefined when there is none; what failed it is told by the file. */
  seal(): PartFile | undefined {
    this.handOver()
    this.#file?.seal()
    return this.#file
  }

  /** The file so far, for whoever closes without sealing. */
  get file(): PartFile | undefined {
    return this.#file
  }

  get hasFailed(): boolean {
    return this.#file?.hasFailed ?? false
  }

  throwIfFailed(): void {
    this.#file?.throwIfFailed()
  }

  #append(bytes: Uint8Array): void {
    this.#file ??= this.#createFile()
    this.#file.append(bytes)
  }
}
