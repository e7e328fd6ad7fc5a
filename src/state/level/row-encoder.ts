/** A row as an operation of the store: its key and, behind the number of its schema, what the codec writes. */

import type { StoreOperation } from '../../base/ordered-store.ts'
import { ByteWriter } from '../../elements/byte-writer.ts'
import { foreignKeyGroup } from '../entry-failure.ts'
import type { KeyGroupRange } from '../key-group-range.ts'
import { contains } from '../key-group-range.ts'
import { ByteArena } from './byte-arena.ts'
import type { AnyRow } from './row.ts'
import { writeStoreKey } from './store-key.ts'

/** A row that was encoded: valid until the next one is. */
export interface EncodedRow {
  /** The key, then the value. */
  readonly out: ByteWriter
  readonly keyLength: number
  /** False: there is nothing under the key. */
  readonly hasValue: boolean
}

export class RowEncoder {
  readonly #maxParallelism: number
  readonly #keyGroups: KeyGroupRange
  readonly #scratch = new ByteWriter(1024)
  readonly #encoded = { out: this.#scratch, keyLength: 0, hasValue: false }
  readonly #arena = new ByteArena()

  constructor(maxParallelism: number, keyGroups: KeyGroupRange) {
    this.#maxParallelism = maxParallelism
    this.#keyGroups = keyGroups
  }

  /** Throws INVALID_KEY for the key of another subtask, or what the serializer throws. */
  encode({ table, key, value }: AnyRow): EncodedRow {
    const out = this.#scratch
    const encoded = this.#encoded
    out.length = 0
    const keyGroup = writeStoreKey(out, table.id, key, this.#maxParallelism)
    if (!contains(this.#keyGroups, keyGroup)) throw foreignKeyGroup(keyGroup, this.#keyGroups)
    encoded.keyLength = out.length
    encoded.hasValue = value !== undefined
    if (value === undefined) return encoded
    out.uint8(table.schemas.current)
    table.codec.write(out, value)
    return encoded
  }

  /** What was encoded, in memory of its own. */
  kept({ out, keyLength, hasValue }: EncodedRow): StoreOperation {
    const bytes = this.#arena.take(out.length)
    bytes.set(out.bytes.subarray(0, out.length))
    return { key: bytes.subarray(0, keyLength), value: hasValue ? bytes.subarray(keyLength) : undefined }
  }

  /** Of the value, encoded. Throws what the serializer throws. */
  lengthOf({ table, value }: AnyRow): number {
    const out = this.#scratch
    out.length = 0
    table.codec.write(out, value)
    return out.length
  }

  /** A view that is valid until the next use of this encoder: what to look for in the store. */
  keyOf(tableId: number, key: AnyRow['key']): Uint8Array {
    const out = this.#scratch
    out.length = 0
    writeStoreKey(out, tableId, key, this.#maxParallelism)
    return out.bytes.subarray(0, out.length)
  }
}

/** A view: valid as long as the row is. */
export function operationOf({ out: { bytes, length }, keyLength, hasValue }: EncodedRow): StoreOperation {
  return { key: bytes.subarray(0, keyLength), value: hasValue ? bytes.subarray(keyLength, length) : undefined }
}

/** What an operation takes on the heap, in bytes: about. */
export function bytesOf({ key, value }: StoreOperation): number {
  return OPERATION_BYTES + key.length + (value === undefined ? 0 : value.length)
}

/** The object, the two views and the entry of the Map that finds it. */
const OPERATION_BYTES = 200
