/** Values and keys of a savepoint, by what docs/SAVEPOINT-FORMAT.md says. It imports nothing of Millrace. */

export class Bytes {
  #bytes
  #at = 0

  constructor(bytes) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  get left() {
    return this.#bytes.length - this.#at
  }

  take(count) {
    if (count > this.left) throw new Error('refused: a length beyond the end')
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }

  u8 = () => this.take(1)[0]
  u16 = () => this.take(2).readUInt16LE()
  u32 = () => this.take(4).readUInt32LE()
  f64 = () => this.take(8).readDoubleLE()

  varint() {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.u8()
      value += (byte & 0x7f) * factor
      if (value > 0xffff_ffff) throw new Error('refused: a varint of more than 32 bits')
      if (byte < 0x80) return value
    }
  }
}

const VIEWS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
]
const ERRORS = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]

/** The next value. */
export function readValue(input, depth = 0) {
  if (depth > 1000) throw new Error('refused: more than 1,000 levels')
  const next = () => readValue(input, depth + 1)
  const list = (count, make) => Array.from({ length: checkedCount(input, count) }, make)
  const tag = input.u8()
  if (tag >= 0x80) return tag - 0x80
  if (tag >= 0x40) return input.take(tag - 0x40).toString('latin1')
  switch (tag) {
    case 0x01:
      return undefined
    case 0x02:
      return null
    case 0x03:
    case 0x04:
      return tag === 0x04
    case 0x05:
      return input.f64()
    case 0x06: {
      const zigzag = input.varint()
      return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
    }
    case 0x07:
      return input.take(8).readBigInt64LE()
    case 0x08: {
      const sign = input.u8() === 1 ? -1n : 1n
      return sign * BigInt(`0x0${input.take(input.varint()).toString('hex')}`)
    }
    case 0x0a:
      return input.take(input.varint()).toString('latin1')
    case 0x0b:
      return input.take(2 * input.varint()).toString('utf16le')
    case 0x0c:
      return readProperties(input, {}, next)
    case 0x0d:
      return readProperties(input, Object.create(null), next)
    case 0x0e:
      return list(input.varint(), next)
    case 0x0f: {
      const length = input.varint()
      const array = readProperties(input, [], next)
      array.length = length
      return array
    }
    case 0x10:
      return new Map(list(input.varint(), () => [next(), next()]))
    case 0x11:
      return new Set(list(input.varint(), next))
    case 0x12:
      return new Date(input.f64())
    case 0x13: {
      const expression = new RegExp(next(), next())
      expression.lastIndex = next()
      return expression
    }
    case 0x14:
      return copyOf(input.take(input.varint()))
    case 0x15: {
      const kind = input.u8()
      const buffer = copyOf(input.take(input.varint()))
      if (kind === 64) return Buffer.from(buffer)
      if (VIEWS[kind] === undefined) throw new Error(`refused: a view of kind ${kind}`)
      return new VIEWS[kind](buffer)
    }
    case 0x16:
      return Object(next())
    case 0x17:
      return readError(input, next)
    default:
      throw new Error(`refused: no value begins with ${tag}`)
  }
}

/** Each element takes a byte at least. */
function checkedCount(input, count) {
  if (count > input.left) throw new Error('refused: a count beyond the end')
  return count
}

function copyOf(bytes) {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)
}

function readName(input) {
  const tag = input.u8()
  if (tag === 0) return undefined
  if (tag >= 0x40 && tag < 0x80) return input.take(tag - 0x40).toString('latin1')
  if (tag === 0x0a) return input.take(input.varint()).toString('latin1')
  if (tag === 0x0b) return input.take(2 * input.varint()).toString('utf16le')
  throw new Error(`refused: no name begins with ${tag}`)
}

function readProperties(input, target, next) {
  for (let name = readName(input); name !== undefined; name = readName(input)) define(target, name, next(), true)
  return target
}

function readError(input, next) {
  const kind = ERRORS[input.u8()]
  if (kind === undefined) throw new Error('refused: an error of another kind')
  const error = new kind()
  for (let name = readName(input); name !== undefined; name = readName(input)) {
    const enumerable = input.u8() === 1
    define(error, name, next(), enumerable)
  }
  return error
}

function define(target, name, value, enumerable) {
  Object.defineProperty(target, name, { value, enumerable, configurable: true, writable: true })
}

/** The key as the program gave it, of the one that stands in an entry. */
export function originalKey(mapKey) {
  if (typeof mapKey !== 'string' || mapKey[0] !== '\u0000') return mapKey
  if (mapKey[1] === 's') return mapKey.slice(2)
  if (mapKey[1] !== 'c') throw new Error('refused: a key that begins with NUL')
  return readValue(new Bytes(Buffer.from(mapKey.slice(2), 'latin1')))
}

/** By the key as it stands in an entry. */
export function keyGroupOf(mapKey, maxParallelism) {
  return murmur(hashOf(mapKey)) % maxParallelism
}

function hashOf(key) {
  const bits = Buffer.alloc(8)
  switch (typeof key) {
    case 'string':
      return polynomial(
        [...Array(key.length).keys()].slice(key[0] === '\u0000' ? 2 : 0).map((i) => key.charCodeAt(i)),
        0,
      )
    case 'boolean':
      return key ? 1231 : 1237
    case 'number':
      if ((key | 0) === key) return key | 0
      if (Number.isNaN(key)) return 0x7ff80000
      bits.writeDoubleBE(key)
      return bits.readInt32BE(0) ^ bits.readInt32BE(4)
    default: {
      if (BigInt.asIntN(64, key) !== key) {
        const digits = (key < 0n ? -key : key).toString(16)
        const magnitude = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
        return polynomial([...magnitude], key < 0n ? 1 : 0)
      }
      bits.writeBigInt64BE(key)
      return bits.readInt32BE(0) ^ bits.readInt32BE(4)
    }
  }
}

function polynomial(units, start) {
  return units.reduce((hash, unit) => (Math.imul(31, hash) + unit) | 0, start)
}

function murmur(hash) {
  const rotate = (h, by) => (h << by) | (h >>> (32 - by))
  let h = Math.imul(rotate(Math.imul(hash, 0xcc9e2d51), 15), 0x1b873593)
  h = ((Math.imul(rotate(h, 13), 5) + 0xe6546b64) | 0) ^ 4
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  h ^= h >>> 16
  return h >= 0 ? h : h === -(2 ** 31) ? 0 : -h
}
