/** Operations that are written into the store together, found by table and key until they are in it. */
import type { StoreOperation } from '../../base/ordered-store.ts'
import type { MapKey } from '../key.ts'
import { bytesOf } from './row-encoder.ts'

export class WriteBatch {
  /** By number of the table. */
  readonly #tables: (Map<MapKey, StoreOperation> | undefined)[] = []
  size = 0
  bytes = 0

  /** In place of a former one of the key. */
  put(tableId: number, key: MapKey, operation: StoreOperation): void {
    let table = this.#tables[tableId]
    if (table === undefined) this.#tables[tableId] = table = new Map()
    const former = table.get(key)
    if (former === undefined) this.size++
    else this.bytes -= bytesOf(former)
    this.bytes += bytesOf(operation)
    table.set(key, operation)
  }

  find(tableId: number, key: MapKey): StoreOperation | undefined {
    return this.#tables[tableId]?.get(key)
  }

  operationsOf(tableId: number): Iterable<StoreOperation> {
    return this.#tables[tableId]?.values() ?? []
  }

  *operations(): IterableIterator<StoreOperation> {
    for (const table of this.#tables) if (table !== undefined) yield* table.values()
  }
}
