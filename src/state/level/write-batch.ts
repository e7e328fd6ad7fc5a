/**
 * Operations that are written into the store together, found by table and key until they are in it. They stand one behind
 * the other in one piece of memory: an object for each would outlive the young generation of the heap, a million a second.
 */
import type { StoreOperation } from '../../base/ordered-store.ts'
import { ByteWriter } from '../../elements/byte-writer.ts'
import type { MapKey } from '../key.ts'
import { bytesOf } from './row-encoder.ts'

const FIRST_BYTES = 4096
/** In front of an operation: the length of its key, and of its value and one more; 0 where there is none. */
const HEAD_BYTES = 8

export class WriteBatch {
  /** By number of the table: where the operation on a key begins. */
  readonly #tables: (Map<MapKey, number> | undefined)[] = []
  readonly #records = new ByteWriter(FIRST_BYTES)
  size = 0
  /** Of all that was put, also of what another one has replaced: nothing is overwritten, since views of it may be in use. */
  bytes = 0

  /** In place of a former one of the key. The operation is copied. */
  put(tableId: number, key: MapKey, operation: StoreOperation): void {
    let table = this.#tables[tableId]
    if (table === undefined) this.#tables[tableId] = table = new Map()
    const known = table.size
    table.set(key, this.#append(operation))
    this.size += table.size - known
    this.bytes += bytesOf(operation)
  }

  find(tableId: number, key: MapKey): StoreOperation | undefined {
    const place = this.#tables[tableId]?.get(key)
    return place === undefined ? undefined : this.#at(place)
  }

  *operationsOf(tableId: number): IterableIterator<StoreOperation> {
    for (const place of this.#tables[tableId]?.values() ?? []) yield this.#at(place)
  }

  *operations(): IterableIterator<StoreOperation> {
    for (const tableId of this.#tables.keys()) yield* this.operationsOf(tableId)
  }

  /** Gives its place. */
  #append({ key, value }: StoreOperation): number {
    const out = this.#records
    const place = out.length
    out.uint32(key.length)
    out.uint32(value === undefined ? 0 : value.length + 1)
    out.raw(key)
    if (value !== undefined) out.raw(value)
    return place
  }

  /** Views. */
  #at(place: number): StoreOperation {
    const { bytes, view } = this.#records
    const keyAt = place + HEAD_BYTES
    const valueAt = keyAt + view.getUint32(place, true)
    const length = view.getUint32(place + 4, true)
    return {
      key: bytes.subarray(keyAt, valueAt),
      value: length === 0 ? undefined : bytes.subarray(valueAt, valueAt + length - 1),
    }
  }
}
