/** Encoded rows one behind the other, as records of an entry log: an object for each would cost more than what it holds. */
import type { StoreOperation } from '../../base/ordered-store.ts'
import { type Chunk, takeChunk } from '../chunk-pool.ts'
import { operationsOf } from './entry-log.ts'
import type { EncodedRow } from './row-encoder.ts'

export class RecordBuffer {
  readonly #chunks: Chunk[] = []
  #open: Chunk | undefined
  bytes = 0

  append({ out, keyLength, hasValue }: EncodedRow): void {
    const chunk = this.#chunk()
    const before = chunk.length
    const valueLength = out.length - keyLength
    chunk.varint(keyLength)
    chunk.copyFrom(out, 0, keyLength)
    chunk.varint(hasValue ? valueLength + 1 : 0)
    if (hasValue) chunk.copyFrom(out, keyLength, valueLength)
    this.bytes += chunk.length - before
  }

  /** Whole records each: views. */
  *chunks(): IterableIterator<Uint8Array> {
    for (const chunk of this.#chunks) yield chunk.bytes.subarray(0, chunk.length)
  }

  *operations(): IterableIterator<StoreOperation> {
    for (const chunk of this.chunks()) yield* operationsOf(chunk)
  }

  #chunk(): Chunk {
    if (this.#open !== undefined && this.#open.length < this.#open.size) return this.#open
    const chunk = takeChunk(this.#open)
    this.#chunks.push(chunk)
    this.#open = chunk
    return chunk
  }
}
