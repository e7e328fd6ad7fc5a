/**
 * The bytes of one key group in a snapshot: runs of entries of one table each, in chunks, so that growing never copies
 * much at once. The format is written down in `keyed-format.ts`.
 */
import { crc32 } from 'node:zlib'
import { ByteWriter } from '../elements/byte-writer.ts'
import { blobSeed } from './keyed-format.ts'

const SMALLEST_CHUNK = 256
const CHUNK = 64 * 1024

export class KeyGroupOutput {
  readonly #full: Uint8Array[] = []
  #fullLength = 0
  #crc: number
  #open = new ByteWriter(SMALLEST_CHUNK)
  #runTable = -1
  #runLengthAt = 0

  constructor(keyGroup: number) {
    this.#crc = blobSeed(keyGroup)
  }

  /** One entry: its key and value, encoded in `entry`. */
  append(tableId: number, entry: ByteWriter): void {
    this.#beginEntry(tableId)
    this.#open.copyFrom(entry, 0, entry.length)
  }

  /** Entries that are encoded already. */
  appendRaw(tableId: number, entries: Uint8Array): void {
    this.#beginEntry(tableId)
    this.#open.raw(entries)
  }

  #beginEntry(tableId: number): void {
    if (this.#open.length >= CHUNK) this.#closeChunk()
    if (this.#runTable === tableId) return
    this.#endRun()
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
    const chunk = this.#open.bytes.subarray(0, this.#open.length)
    this.#full.push(chunk)
    this.#fullLength += chunk.length
    this.#crc = crc32(chunk, this.#crc)
    this.#open = new ByteWriter(CHUNK + 1024)
  }

  /** All chunks; nothing may be appended afterwards. */
  finish(): { readonly chunks: readonly Uint8Array[]; readonly length: number; readonly crc: number } {
    if (this.#open.length > 0) this.#closeChunk()
    return { chunks: this.#full, length: this.#fullLength, crc: this.#crc }
  }
}
