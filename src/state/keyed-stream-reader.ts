/**
 * Reads keyed state of the canonical form as it comes from the disk, piece by piece. Never more than one blob is in
 * memory; nothing of a blob is handed out before its checksum was verified; no length is believed before the bytes are there.
 */
import { crc32 } from 'node:zlib'
import { StreamError } from '../base/errors.ts'
import { ByteReader } from '../elements/byte-reader.ts'
import { readEntry } from './entry-format.ts'
import { contains, type KeyGroupRange } from './key-group-range.ts'
import {
  BLOB_HEAD_BYTES,
  blobSeed,
  corrupt,
  decodeHeader,
  forEachRun,
  HEADER_HEAD_BYTES,
  type KeyedHeader,
  type KeyGroupBlob,
  readHeaderHead,
} from './keyed-format.ts'
import { PieceCollector } from './piece-collector.ts'
import type { StateHandle, StoredHandle } from './snapshot.ts'
import type { StoredKeyedState } from './state-backend.ts'

/** Who reads. What it throws, or rejects with, ends the reading. */
export interface KeyedStateConsumer {
  /** Comes first, once. */
  header(header: KeyedHeader): void
  /** Its bytes are valid until this has returned or its promise has settled. A key group may come in several blobs. */
  blob(blob: KeyGroupBlob): void | Promise<void>
}

/**
 * Hands out the blobs of the key groups in `own`. What was handed out counts only when this has settled well: the hash
 * of the whole file is known at its end. At once where the state is inline and the consumer gives no promise. Throws or
 * rejects with STATE_CORRUPT, STATE_INCOMPATIBLE, or what the reader of the state has met.
 */
export function readKeyedState(
  { handle, keyGroups, reader }: StoredKeyedState,
  own: KeyGroupRange,
  consumer: KeyedStateConsumer,
): void | Promise<void> {
  const stored = canonical(handle)
  const stream = new KeyedStreamReader(keyGroups, own, consumer)
  if (stored.type !== 'inline')
    return reader.scan(stored, (piece, length) => stream.push(piece, length)).then(() => stream.end())
  const bytes = new Uint8Array(Buffer.from(stored.bytes, 'base64'))
  const pushed = stream.push(bytes, bytes.length)
  return pushed === undefined ? stream.end() : pushed.then(() => stream.end())
}

/** Throws STATE_INCOMPATIBLE for what only another backend reads. */
export function canonical(handle: StateHandle): StoredHandle {
  if (handle.type !== 'composite') return handle
  throw new StreamError('STATE_INCOMPATIBLE', {
    message: `The state was written by the backend '${handle.backend}' in a form of its own, which only that backend reads.`,
    hint: `Start with state.backend.type: ${handle.backend}, take a savepoint in canonical format, and start from that with the other backend.`,
    details: { backend: handle.backend, checkpointId: handle.identity.checkpointId },
  })
}

/** The entries of a blob, in the order in which they were written: the number of the table, and views of the bytes. Throws STATE_CORRUPT. */
export function forEachEntry(
  blob: KeyGroupBlob,
  visit: (tableId: number, key: Uint8Array, value: Uint8Array) => void,
): void {
  forEachRun(blob, (tableId, entries) => {
    const input = new ByteReader(entries)
    while (input.remaining > 0) {
      const { key, value } = entryOf(input, blob.keyGroup)
      visit(tableId, key, value)
    }
  })
}

function entryOf(input: ByteReader, keyGroup: number): ReturnType<typeof readEntry> {
  try {
    return readEntry(input)
  } catch (thrown) {
    // NOT_DESERIALIZABLE: the bytes are no entry, although their checksum is right.
    if (!StreamError.is(thrown)) throw thrown
    throw corrupt(`key group ${keyGroup} holds what is no entry: ${thrown.message}`)
  }
}

type Part = 'headerHead' | 'header' | 'blobHead' | 'blob' | 'foreign'

/** The same for who has pieces of a payload: `push` each, then `end`. */
export class KeyedStreamReader {
  readonly #written: KeyGroupRange
  readonly #own: KeyGroupRange
  readonly #consumer: KeyedStateConsumer
  readonly #pieces = new PieceCollector(HEADER_HEAD_BYTES)
  #part: Part = 'headerHead'
  #keyGroup = 0
  #crc = 0
  /** Bytes of the payload behind what was taken from it. */
  #left = 0

  /** `written`: the key groups that the payload may hold. `own`: those that are wanted. */
  constructor(written: KeyGroupRange, own: KeyGroupRange, consumer: KeyedStateConsumer) {
    this.#written = written
    this.#own = own
    this.#consumer = consumer
  }

  /** Pieces may be of any size, and change when this has returned or its promise has settled. */
  push(piece: Uint8Array, payloadLength: number): void | Promise<void> {
    if (this.#part === 'headerHead') this.#left = payloadLength
    this.#pieces.add(piece)
    const waiting = this.#goOn()
    return waiting === undefined ? undefined : this.#goOnBehind(waiting)
  }

  /** The payload has ended. Throws STATE_CORRUPT where it is cut off. */
  end(): void {
    if (this.#part === 'headerHead') throw corrupt('it does not begin as keyed state does')
    if (this.#part !== 'blobHead' || !this.#pieces.isBetween) throw corrupt('it is cut off')
  }

  async #goOnBehind(first: Promise<void>): Promise<void> {
    for (let waiting: void | Promise<void> = first; waiting !== undefined; waiting = this.#goOn()) await waiting
  }

  /** Until the piece is used up, or the consumer wants to be waited for. */
  #goOn(): void | Promise<void> {
    for (let bytes = this.#pieces.next(); bytes !== undefined; bytes = this.#pieces.next()) {
      const waiting = this.#take(bytes)
      if (waiting !== undefined) return waiting
    }
  }

  #take(bytes: Uint8Array): void | Promise<void> {
    this.#left -= this.#pieces.wanted
    switch (this.#part) {
      case 'headerHead': {
        const { length, crc } = readHeaderHead(bytes)
        this.#crc = crc
        return this.#await('header', length, 'its header')
      }
      case 'header':
        this.#consumer.header(decodeHeader(bytes, this.#crc))
        return this.#await('blobHead', BLOB_HEAD_BYTES, undefined)
      case 'blobHead':
        return this.#beginBlob(new ByteReader(bytes))
      case 'blob':
        this.#await('blobHead', BLOB_HEAD_BYTES, undefined)
        if (crc32(bytes, blobSeed(this.#keyGroup)) !== this.#crc)
          throw corrupt(`its key group ${this.#keyGroup} does not match its checksum`)
        return this.#consumer.blob({ keyGroup: this.#keyGroup, content: bytes })
      case 'foreign':
        return this.#await('blobHead', BLOB_HEAD_BYTES, undefined)
      default:
        this.#part satisfies never
    }
  }

  #beginBlob(head: ByteReader): void {
    const keyGroup = head.uint16()
    const length = head.uint32()
    this.#crc = head.uint32()
    this.#keyGroup = keyGroup
    const { first, last } = this.#written
    if (!contains(this.#written, keyGroup)) throw corrupt(`key group ${keyGroup} is none of ${first} to ${last}`)
    this.#await(contains(this.#own, keyGroup) ? 'blob' : 'foreign', length, `its key group ${keyGroup}`)
  }

  /** `what`: so much of it must follow. */
  #await(part: Part, length: number, what: string | undefined): void {
    if (what !== undefined && length > this.#left) throw corrupt(`${what} is cut off`)
    this.#part = part
    if (part === 'foreign') this.#pieces.skip(length)
    else this.#pieces.want(length)
  }
}
