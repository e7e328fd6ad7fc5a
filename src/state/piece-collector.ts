/** Makes parts of known lengths of the pieces of a stream, copying only what lies across a border of two pieces. */

const SMALLEST_BUFFER = 4096
const NOTHING: Uint8Array = new Uint8Array(0)

export class PieceCollector {
  /** Of the part that comes next. */
  wanted: number
  #isSkipped = false
  #piece = NOTHING
  #at = 0
  /** What of the part stood in former pieces; grows with what has come, never by a length that is only announced. */
  #buffer = NOTHING
  #collected = 0

  constructor(wanted: number) {
    this.wanted = wanted
  }

  /** The former piece must be used up: `next` gave undefined. */
  add(piece: Uint8Array): void {
    this.#piece = piece
    this.#at = 0
  }

  /** The next part has this length. */
  want(length: number): void {
    this.wanted = length
    this.#isSkipped = false
    this.#collected = 0
  }

  /** The same, and nobody wants its bytes: it comes as an empty array. */
  skip(length: number): void {
    this.want(length)
    this.#isSkipped = true
  }

  /** Nothing of the next part has come. */
  get isBetween(): boolean {
    return this.#collected === 0
  }

  /** The part, where all of it is here; valid until the next call. */
  next(): Uint8Array | undefined {
    const missing = this.wanted - this.#collected
    const here = Math.min(missing, this.#piece.length - this.#at)
    const bytes = this.#piece.subarray(this.#at, this.#at + here)
    this.#at += here
    if (this.#isSkipped) {
      this.#collected += here
      return here === missing ? NOTHING : undefined
    }
    if (here === this.wanted) return bytes
    this.#keep(bytes)
    return here === missing ? this.#buffer.subarray(0, this.wanted) : undefined
  }

  #keep(bytes: Uint8Array): void {
    const needed = this.#collected + bytes.length
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.min(this.wanted, Math.max(needed, 2 * this.#buffer.length, SMALLEST_BUFFER)))
      larger.set(this.#buffer.subarray(0, this.#collected))
      this.#buffer = larger
    }
    this.#buffer.set(bytes, this.#collected)
    this.#collected = needed
  }
}
