/** A growing array of bytes. Integers are little-endian. It knows nothing of what is written. */

const LARGEST = 0x7fff_ffff

export class ByteWriter {
  bytes: Uint8Array
  view: DataView
  /** Bytes written so far: the place of the next one. */
  length = 0

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity)
    this.view = new DataView(this.bytes.buffer)
  }

  /** Makes room for `count` more bytes; whoever writes into `bytes` directly calls this first. */
  reserve(count: number): void {
    if (this.length + count > this.bytes.length) this.#grow(count)
  }

  #grow(count: number): void {
    const needed = this.length + count
    if (needed > LARGEST)
      throw new RangeError(`${needed} bytes do not fit into one value or key group: the limit is ${LARGEST}`)
    const larger = new Uint8Array(Math.min(LARGEST, Math.max(needed, this.bytes.length * 2)))
    larger.set(this.bytes.length === this.length ? this.bytes : this.bytes.subarray(0, this.length))
    this.bytes = larger
    this.view = new DataView(larger.buffer)
  }

  uint8(value: number): void {
    this.reserve(1)
    this.bytes[this.length++] = value
  }

  uint16(value: number): void {
    this.reserve(2)
    this.view.setUint16(this.length, value, true)
    this.length += 2
  }

  uint32(value: number): void {
    this.reserve(4)
    this.view.setUint32(this.length, value, true)
    this.length += 4
  }

  float64(value: number): void {
    this.reserve(8)
    this.view.setFloat64(this.length, value, true)
    this.length += 8
  }

  /** An unsigned 32-bit integer in one to five bytes, seven bits each, the lowest first. */
  varint(value: number): void {
    this.reserve(5)
    const { bytes } = this
    let at = this.length
    let left = value
    while (left > 0x7f) {
      bytes[at++] = (left & 0x7f) | 0x80
      left >>>= 7
    }
    bytes[at++] = left
    this.length = at
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** Copies `count` bytes of another writer; cheaper than `raw` for a few bytes, since it makes no view. */
  copyFrom(other: ByteWriter, start: number, count: number): void {
    if (count > 64) {
      this.raw(other.bytes.subarray(start, start + count))
      return
    }
    // Four bytes at a time; what is copied beyond the end is overwritten by what comes next.
    const at = this.length
    if (at + count + 4 > this.bytes.length || start + count + 4 > other.bytes.length) {
      this.#copyBytes(other, start, count)
      return
    }
    const target = this.view
    const source = other.view
    for (let i = 0; i < count; i += 4) target.setUint32(at + i, source.getUint32(start + i, true), true)
    this.length = at + count
  }

  #copyBytes(other: ByteWriter, start: number, count: number): void {
    this.reserve(count)
    const target = this.bytes
    const source = other.bytes
    const at = this.length
    for (let i = 0; i < count; i++) target[at + i] = source[start + i] as number
    this.length = at + count
  }

  bytesWithLength(bytes: Uint8Array): void {
    this.varint(bytes.length)
    this.raw(bytes)
  }

  /** What was written, as an array of its own. */
  take(): Uint8Array {
    return this.bytes.slice(0, this.length)
  }
}
