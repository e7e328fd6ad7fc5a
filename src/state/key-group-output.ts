/**
 * The bytes of one key group in a snapshot: runs of entries of one table each, in chunks, so that growing copies
 * nothing. Cut into blobs of a few megabytes, so that no reader needs more memory than that and the largest entry. The
 * format is written down in `keyed-format.ts`.
 */
import { crc32 } from 'node:zlib'
import type { ByteWriter } from '../elements/byte-writer.ts'
import { type Chunk, takeChunk } from './chunk-pool.ts'
import { writeEntry } from './entry-format.ts'
import { blobSeed } from './keyed-format.ts'

/** A blob ends with the first entry behind so many bytes. */
const BLOB_BYTES = 8 * 1024 * 1024

/** What stands behind the head of a blob. */
export interface BlobOutput {
  readonly chunks: readonly Chunk[]
  readonly length: number
  readonly crc: number
}

export class KeyGroupOutput {
  readonly #seed: number
  readonly #blobs: BlobOutput[] = []
  /** Of the blob that is being filled. */
  #full: Chunk[] = []
  #fullLength = 0
  #crc: number
  #open = takeChunk(undefined)
  #runTable = -1
  #runLengthAt = 0

  constructor(keyGroup: number) {
    this.#seed = blobSeed(keyGroup)
    this.#crc = this.#seed
  }

  /** One entry: its key and value, encoded in `entry`. */
  append(tableId: number, entry: ByteWriter): void {
    if (this.#runTable !== tableId || this.#open.length >= this.#open.size) this.#beginRun(tableId)
    this.#open.copyFrom(entry, 0, entry.length)
  }

  /** One entry of which key and value are encoded already. */
  appendEntry(tableId: number, key: Uint8Array, value: Uint8Array): void {
    if (this.#runTable !== tableId || this.#open.length >= this.#open.size) this.#beginRun(tableId)
    writeEntry(this.#open, key, value)
  }

  /** Entries that are encoded already. */
  appendRaw(tableId: number, entries: Uint8Array): void {
    if (this.#runTable !== tableId || this.#open.length >= this.#open.size) this.#beginRun(tableId)
    this.#open.raw(entries)
  }

  /** The blobs that are full, taken out: an entry belongs to the one that is still being filled. */
  takeFull(): readonly BlobOutput[] {
    return this.#blobs.splice(0)
  }

  /** All blobs that were not taken; nothing may be appended afterwards. */
  finish(): readonly BlobOutput[] {
    this.#closeChunk()
    if (this.#fullLength > 0) this.#closeBlob()
    return this.#blobs
  }

  #beginRun(tableId: number): void {
    if (this.#open.length >= this.#open.size) {
      this.#closeChunk()
      if (this.#fullLength >= BLOB_BYTES) this.#closeBlob()
      this.#open = takeChunk(this.#open)
    } else this.#endRun()
    this.#runTable = tableId
    this.#open.uint16(tableId)
    this.#runLengthAt = this.#open.length
    this.#open.uint32(0)
  }

  #endRun(): void {
    if (this.#runTable < 0) return
    this.#open.view.setUint32(this.#runLengthAt, this.#open.length - this.#runLengthAt - 4, true)
    this.#runTable = -1
  }

  #closeChunk(): void {
    this.#endRun()
    this.#full.push(this.#open)
    this.#fullLength += this.#open.length
    this.#crc = crc32(this.#open.bytes.subarray(0, this.#open.length), this.#crc)
  }

  #closeBlob(): void {
    this.#blobs.push({ chunks: this.#full, length: this.#fullLength, crc: this.#crc })
    this.#full = []
    this.#fullLength = 0
    this.#crc = this.#seed
  }
}
