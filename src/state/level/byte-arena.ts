/** Memory for many small pieces of bytes: an array of its own costs more than what it holds. */

const CHUNK_BYTES = 64 * 1024
const LARGE_BYTES = CHUNK_BYTES / 4

export class ByteArena {
  #chunk = new Uint8Array(CHUNK_BYTES)
  #used = 0

  /** To be filled by the caller, and nobody else's. */
  take(length: number): Uint8Array {
    if (length > LARGE_BYTES) return new Uint8Array(length)
    if (this.#used + length > CHUNK_BYTES) {
      this.#chunk = new Uint8Array(CHUNK_BYTES)
      this.#used = 0
    }
    const at = this.#used
    this.#used += length
    return this.#chunk.subarray(at, at + length)
  }
}
