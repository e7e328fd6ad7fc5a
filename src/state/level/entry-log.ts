/**
 * Operations of a store in a stream, in their order: what bases and deltas are made of. Version 1; integers are little-endian.
 *
 *   payload   magic "MRKL", u16 version, blocks until the end
 *   block     u32 length and u32 CRC-32 of what follows: records
 *   record    varint length of the key, key, varint 0 where the key is removed, else 1 + length of the value, value
 */
import { crc32 } from 'node:zlib'
import { StreamError } from '../../base/errors.ts'
import type { StoreOperation } from '../../base/ordered-store.ts'
import { ByteReader } from '../../elements/byte-reader.ts'
import { ByteWriter } from '../../elements/byte-writer.ts'
import { PieceCollector } from '../piece-collector.ts'
import type { SnapshotStream, SnapshotTarget, StoredHandle } from '../snapshot.ts'

const MAGIC = 0x4c4b_524d
export const ENTRY_LOG_VERSION = 1
const HEAD_BYTES = 6
const BLOCK_HEAD_BYTES = 8
/** A block ends with the first record behind so many bytes. */
const BLOCK_BYTES = 64 * 1024

/** Writes one log, in as many streams as it takes. */
export class EntryLogWriter {
  readonly #target: SnapshotTarget
  readonly #scope: 'own' | 'shared'
  readonly #mostBytes: number
  readonly #block = new ByteWriter(BLOCK_BYTES + 1024)
  readonly #streams: SnapshotStream[] = []
  readonly #handles: StoredHandle[] = []
  #open: SnapshotStream | undefined
  #streamBytes = 0

  /** `mostBytes`: a stream ends with the first block behind so many. */
  constructor(target: SnapshotTarget, scope: 'own' | 'shared', mostBytes = Number.POSITIVE_INFINITY) {
    this.#target = target
    this.#scope = scope
    this.#mostBytes = mostBytes
    this.#beginBlock()
  }

  add({ key, value }: StoreOperation): void | Promise<void> {
    const out = this.#block
    out.bytesWithLength(key)
    if (value === undefined) out.varint(0)
    else {
      out.varint(value.length + 1)
      out.raw(value)
    }
    if (out.length >= BLOCK_BYTES) return this.#endBlock()
  }

  /** Whole records, as they stand in a block. */
  async addRecords(records: Uint8Array): Promise<void> {
    if (this.#block.length > BLOCK_HEAD_BYTES) await this.#endBlock()
    this.#block.raw(records)
    await this.#endBlock()
  }

  /** The streams in their order; none where nothing was added. After an error `abandon` follows. */
  async finish(): Promise<readonly StoredHandle[]> {
    if (this.#block.length > BLOCK_HEAD_BYTES) await this.#endBlock()
    await this.#endStream()
    return this.#handles
  }

  /** What was written is removed. Never rejects. */
  async abandon(): Promise<void> {
    await Promise.all(this.#streams.map((stream) => stream.abandon()))
  }

  #beginBlock(): void {
    this.#block.length = 0
    this.#block.uint32(0)
    this.#block.uint32(0)
  }

  async #endBlock(): Promise<void> {
    if (this.#streamBytes >= this.#mostBytes) await this.#endStream()
    const stream = this.#open ?? (await this.#beginStream())
    const { bytes, view, length } = this.#block
    view.setUint32(0, length - BLOCK_HEAD_BYTES, true)
    view.setUint32(4, crc32(bytes.subarray(BLOCK_HEAD_BYTES, length)), true)
    await stream.append(bytes.subarray(0, length))
    this.#count(length)
    this.#beginBlock()
  }

  async #beginStream(): Promise<SnapshotStream> {
    const stream = this.#target.open(this.#scope)
    this.#open = stream
    this.#streams.push(stream)
    const head = new ByteWriter(HEAD_BYTES)
    head.uint32(MAGIC)
    head.uint16(ENTRY_LOG_VERSION)
    await stream.append(head.take())
    this.#count(HEAD_BYTES)
    return stream
  }

  async #endStream(): Promise<void> {
    if (this.#open === undefined) return
    this.#handles.push(await this.#open.finish())
    this.#open = undefined
    this.#streamBytes = 0
  }

  #count(bytes: number): void {
    this.#streamBytes += bytes
  }
}

/** Reads one stream of a log piece by piece: `push` each, then `end`. Throws STATE_CORRUPT or STATE_INCOMPATIBLE. */
export class EntryLogReader {
  readonly #take: (operations: StoreOperation[]) => void | Promise<void>
  readonly #pieces = new PieceCollector(HEAD_BYTES)
  #part: 'head' | 'blockHead' | 'block' = 'head'
  #crc = 0
  /** Bytes of the payload behind what was taken from it. */
  #left = 0

  /** `take` gets the operations of a block, which it may keep, and is waited for. */
  constructor(take: (operations: StoreOperation[]) => void | Promise<void>) {
    this.#take = take
  }

  /** The piece may change when it has settled. */
  async push(piece: Uint8Array, payloadLength: number): Promise<void> {
    if (this.#part === 'head') this.#left = payloadLength
    this.#pieces.add(piece)
    for (let bytes = this.#pieces.next(); bytes !== undefined; bytes = this.#pieces.next()) await this.#next(bytes)
  }

  end(): void {
    if (this.#part !== 'blockHead' || !this.#pieces.isBetween) throw corruptLog('it is cut off')
  }

  #next(bytes: Uint8Array): void | Promise<void> {
    this.#left -= this.#pieces.wanted
    const input = new ByteReader(bytes)
    switch (this.#part) {
      case 'head':
        checkHead(input)
        return this.#await('blockHead', BLOCK_HEAD_BYTES)
      case 'blockHead': {
        const length = input.uint32()
        this.#crc = input.uint32()
        if (length > this.#left) throw corruptLog('a block is cut off')
        return this.#await('block', length)
      }
      case 'block':
        if (crc32(bytes) !== this.#crc) throw corruptLog('a block does not match its checksum')
        this.#await('blockHead', BLOCK_HEAD_BYTES)
        // The collector uses its memory again.
        return this.#take(operationsOf(bytes.slice()))
      default:
        this.#part satisfies never
    }
  }

  #await(part: 'blockHead' | 'block', length: number): void {
    this.#part = part
    this.#pieces.want(length)
  }
}

function checkHead(input: ByteReader): void {
  if (input.uint32() !== MAGIC) throw corruptLog('it does not begin as a log of entries does')
  const version = input.uint16()
  if (version !== ENTRY_LOG_VERSION)
    throw new StreamError('STATE_INCOMPATIBLE', {
      message: `A log of entries is of format ${version}; this version of Millrace reads format ${ENTRY_LOG_VERSION}.`,
      hint: 'Restore it with the version that wrote it, or a newer one.',
      details: { stored: version, known: ENTRY_LOG_VERSION },
    })
}

/** Views of the bytes. Throws STATE_CORRUPT. */
export function operationsOf(block: Uint8Array): StoreOperation[] {
  const input = new ByteReader(block)
  const operations: StoreOperation[] = []
  try {
    while (input.remaining > 0) {
      const key = input.bytesWithLength()
      const length = input.varint()
      operations.push({ key, value: length === 0 ? undefined : input.raw(length - 1) })
    }
  } catch (thrown) {
    // NOT_DESERIALIZABLE: no records, although their checksum is right.
    if (!StreamError.is(thrown)) throw thrown
    throw corruptLog(`a block holds what is no record: ${thrown.message}`)
  }
  return operations
}

export function corruptLog(what: string): StreamError {
  return new StreamError('STATE_CORRUPT', {
    message: `A file of keyed state of the backend 'leveldb' is damaged: ${what}.`,
    hint: 'Restore the file from a copy, or start from another checkpoint or savepoint by name.',
  })
}
