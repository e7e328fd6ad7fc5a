/** What a record of a MANIFEST says: LevelDB's VersionEdit in bytes and back. The numbers of the tags are LevelDB's. */
import type { StoreTable } from '../../base/ordered-store.ts'

export interface ManifestEdit {
  readonly comparator: string | undefined
  readonly logNumber: bigint | undefined
  readonly nextFile: bigint | undefined
  readonly lastSequence: bigint | undefined
  readonly deleted: readonly { readonly level: number; readonly number: number }[]
  readonly added: readonly StoreTable[]
}

const COMPARATOR = 1
const LOG_NUMBER = 2
const NEXT_FILE = 3
const LAST_SEQUENCE = 4
const COMPACT_POINTER = 5
const DELETED_FILE = 6
const NEW_FILE = 7
const PREVIOUS_LOG_NUMBER = 9

const LEVELS = 7

/** Throws where the bytes are no edit. */
export function decodeEdit(bytes: Uint8Array): ManifestEdit {
  const reader = new EditReader(bytes)
  let comparator: string | undefined
  let logNumber: bigint | undefined
  let nextFile: bigint | undefined
  let lastSequence: bigint | undefined
  const deleted: { readonly level: number; readonly number: number }[] = []
  const added: StoreTable[] = []
  while (!reader.ended) {
    const tag = reader.number()
    if (tag === COMPARATOR) comparator = reader.piece().toString('utf8')
    else if (tag === LOG_NUMBER) logNumber = reader.varint()
    else if (tag === NEXT_FILE) nextFile = reader.varint()
    else if (tag === LAST_SEQUENCE) lastSequence = reader.varint()
    else if (tag === PREVIOUS_LOG_NUMBER) reader.varint()
    else if (tag === DELETED_FILE) deleted.push({ level: reader.level(), number: reader.number() })
    else if (tag === NEW_FILE) added.push(reader.table())
    else if (tag === COMPACT_POINTER) {
      reader.level()
      reader.piece()
    } else throw new Error(`an edit has the unknown tag ${tag}`)
  }
  return { comparator, logNumber, nextFile, lastSequence, deleted, added }
}

/** Without those fields that are undefined. */
export function encodeEdit(edit: ManifestEdit): Uint8Array {
  const pieces: Uint8Array[] = []
  const numbers = (...values: readonly (number | bigint)[]) => {
    for (const value of values) pieces.push(varintOf(BigInt(value)))
  }
  const piece = (bytes: Uint8Array) => {
    numbers(bytes.length)
    pieces.push(bytes)
  }
  if (edit.comparator !== undefined) {
    numbers(COMPARATOR)
    piece(Buffer.from(edit.comparator))
  }
  if (edit.logNumber !== undefined) numbers(LOG_NUMBER, edit.logNumber)
  if (edit.nextFile !== undefined) numbers(NEXT_FILE, edit.nextFile)
  if (edit.lastSequence !== undefined) numbers(LAST_SEQUENCE, edit.lastSequence)
  for (const { level, number } of edit.deleted) numbers(DELETED_FILE, level, number)
  for (const table of edit.added) {
    numbers(NEW_FILE, table.level, table.number, table.length)
    piece(Buffer.from(table.smallest, 'base64'))
    piece(Buffer.from(table.largest, 'base64'))
  }
  return Buffer.concat(pieces)
}

function varintOf(value: bigint): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}

class EditReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get ended(): boolean {
    return this.#at === this.#bytes.length
  }

  varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 64n; shift += 7n) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) break
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new Error('an edit ends inside of a number, or a number is too long')
  }

  number(): number {
    const value = this.varint()
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error(`an edit has the number ${value}, which is too large`)
    return Number(value)
  }

  level(): number {
    const level = this.number()
    if (level >= LEVELS) throw new Error(`an edit names level ${level}`)
    return level
  }

  piece(): Buffer {
    const length = this.number()
    if (length > this.#bytes.length - this.#at) throw new Error('an edit ends inside of a key or name')
    const piece = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return Buffer.from(piece.buffer, piece.byteOffset, piece.length)
  }

  table(): StoreTable {
    const level = this.level()
    const number = this.number()
    const length = this.number()
    const smallest = this.piece().toString('base64')
    return { number, level, length, smallest, largest: this.piece().toString('base64') }
  }
}
