/** Reads bytes that may be truncated or hostile: every length is checked before it is believed. Throws NOT_DESERIALIZABLE. */
import { StreamError } from '../base/errors.ts'

export class ByteReader {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** The next byte to read. */
  position: number
  readonly end: number

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.position = start
    this.end = end
  }

  get remaining(): number {
    return this.end - this.position
  }

  /** Fails unless `count` more bytes are there. Also bounds every count of elements, of which each takes a byte at least. */
  need(count: number): void {
    if (count > this.end - this.position)
      this.broken(`${count} bytes or elements are announced, ${this.end - this.position} bytes are left`)
  }

  expectEnd(): void {
    if (this.position !== this.end) this.broken(`${this.end - this.position} bytes follow the value`)
  }

  broken(what: string): never {
    throw new StreamError('NOT_DESERIALIZABLE', {
      message: `The bytes are damaged or not of this format: ${what}, at byte ${this.position} of ${this.end}.`,
      hint: 'Check that the state was written by the same serializer, and that the file is whole.',
      details: { position: this.position, length: this.end },
    })
  }

  uint8(): number {
    if (this.position >= this.end) this.need(1)
    return this.bytes[this.position++] as number
  }

  uint16(): number {
    this.need(2)
    this.position += 2
    return this.view.getUint16(this.position - 2, true)
  }

  uint32(): number {
    this.need(4)
    this.position += 4
    return this.view.getUint32(this.position - 4, true)
  }

  float64(): number {
    this.need(8)
    this.position += 8
    return this.view.getFloat64(this.position - 8, true)
  }

  varint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.uint8()
      if (shift === 28 && byte > 0x0f) break
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    return this.broken('an integer is longer than 32 bits')
  }

  /** A view of the next `count` bytes, not a copy. */
  raw(count: number): Uint8Array {
    this.need(count)
    this.position += count
    return this.bytes.subarray(this.position - count, this.position)
  }

  bytesWithLength(): Uint8Array {
    return this.raw(this.varint())
  }
}
