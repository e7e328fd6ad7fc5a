/**
 * The bytes of one key group in a snapshot: runs of entries of one table each, in chunks, so that growing copies
 * nothing. The format is written down in `keyed-format.ts`.
 */
import { crc32 } from 'node:zlib'
import type { ByteWriter } from '../elements/byte-writer.ts'
import { type Chunk, takeChunk } from './chunk-pool.ts'
import { blobSeed } from './keyed-format.ts'

export class KeyGroupOutput {
  readonly #full: Chunk[] = []
  #fullLength = 0
  #crc: number
  #open = takeChunk(undefined)
  #runTable = -1
  #runLengthAt = 0

  constructor(keyGroup: number) {
    this.#crc = blobSeed(keyGroup)
  }

  /** One entry: its key and value, encoded in `entry`. */
  append(tableId: number, entry: ByteWriter): void {
    if (this.#runTable !== tableId || this.#open.length >= this.#open.size) this.#beginRun(tableId)
    this.#open.copyFrom(entry, 0, entry.length)
  }

  /** Entries that are encoded already. */
  appendRaw(tableId: number, entries: Uint8Array): void {
    if (this.#runTable !== tableId || this.#open.length >= this.#open.size) this.#beginRun(tableId)
    this.#open.raw(entries)
  }

  #beginRun(tableId: number): void {
    if (this.#open.length >= this.#open.size) {
      this.#closeChunk()
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

  /** All chunks; nothing may be appended afterwards. */
  finish(): { readonly chunks: readonly Chunk[]; readonly length: number; readonly crc: number } {
    this.#closeChunk()
    return { chunks: this.#full, length: this.#fullLength, crc: this.#crc }
  }
}
