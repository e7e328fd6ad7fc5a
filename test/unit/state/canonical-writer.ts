/** Writes keyed state of the canonical form from entries that are bytes already: payloads as another program might write them. */
import { assert } from '../../../src/base/assert.ts'
import { giveBack } from '../../../src/state/chunk-pool.ts'
import { type BlobOutput, KeyGroupOutput } from '../../../src/state/key-group-output.ts'
import { encodeBlobHeader, encodeKeyedHeader, type KeyedHeader } from '../../../src/state/keyed-format.ts'
import type { SnapshotStream } from '../../../src/state/snapshot.ts'

export class CanonicalWriter {
  readonly #stream: SnapshotStream
  readonly #header: KeyedHeader
  #begun = false
  #keyGroup = -1
  #output: KeyGroupOutput | undefined

  /** `finish` and `abandon` of the stream are the caller's. */
  constructor(stream: SnapshotStream, header: KeyedHeader) {
    this.#stream = stream
    this.#header = header
  }

  /**
   * Key groups come in rising order; the entries of one in any order, best table after table. `tableId`: place in the
   * header. Copies what it keeps. To be waited for where it gives a promise, which rejects as the stream does.
   */
  add(keyGroup: number, tableId: number, key: Uint8Array, value: Uint8Array): void | Promise<void> {
    if (keyGroup === this.#keyGroup) return this.#append(tableId, key, value)
    const full = this.#output?.finish() ?? []
    const former = this.#keyGroup
    assert(keyGroup > former, `key group ${keyGroup} is written behind key group ${former}`)
    this.#keyGroup = keyGroup
    this.#output = new KeyGroupOutput(keyGroup)
    return this.#write(former, full).then(() => this.#append(tableId, key, value))
  }

  #append(tableId: number, key: Uint8Array, value: Uint8Array): void | Promise<void> {
    const output = this.#output as KeyGroupOutput
    output.appendEntry(tableId, key, value)
    const full = output.takeFull()
    if (full.length > 0) return this.#write(this.#keyGroup, full)
  }

  /** Behind the last entry. */
  async end(): Promise<void> {
    await this.#write(this.#keyGroup, this.#output?.finish() ?? [])
    this.#output = undefined
  }

  async #write(keyGroup: number, blobs: readonly BlobOutput[]): Promise<void> {
    if (!this.#begun) {
      this.#begun = true
      await this.#stream.append(encodeKeyedHeader(this.#header))
    }
    for (const { chunks, length, crc } of blobs) {
      await this.#stream.append(encodeBlobHeader(keyGroup, length, crc))
      for (const chunk of chunks) {
        await this.#stream.append(chunk.bytes.subarray(0, chunk.length))
        // The stream has copied it.
        giveBack(chunk)
      }
    }
  }
}
