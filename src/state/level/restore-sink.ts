/** Where restored entries go: little of it waits in the write queue, as if it had just changed; much of it is written at once. */
import type { OrderedStore, StoreOperation } from '../../base/ordered-store.ts'
import { contains, type KeyGroupRange } from '../key-group-range.ts'
import { corruptLog } from './entry-log.ts'
import type { LevelTables, TableSlot } from './level-tables.ts'
import { bytesOf } from './row-encoder.ts'
import { keyGroupIn, mapKeyIn, tableIdIn, textOf } from './store-key.ts'
import type { WriteQueue } from './write-queue.ts'

const BATCH_OPERATIONS = 10_000
const BATCH_BYTES = 8 * 1024 * 1024

export class RestoreSink {
  readonly #keyGroups: KeyGroupRange
  readonly #tables: LevelTables
  readonly #queue: WriteQueue
  #waiting: StoreOperation[] = []
  #waitingBytes = 0
  #writing: Promise<void> = Promise.resolve()

  constructor(keyGroups: KeyGroupRange, tables: LevelTables, queue: WriteQueue) {
    this.#keyGroups = keyGroups
    this.#tables = tables
    this.#queue = queue
  }

  /** Operations on tables of this backend; later ones count. Those of key groups of others are skipped. */
  async add(operations: readonly StoreOperation[]): Promise<void> {
    for (const operation of operations) {
      if (!contains(this.#keyGroups, keyGroupIn(operation.key))) continue
      const id = tableIdIn(operation.key)
      const slot = this.#tables.slot(id)
      if (slot === undefined) throw corruptLog(`an entry belongs to table ${id}, which its index does not name`)
      if (slot.pinned) keepOnHeap(slot, operation)
      else this.#wait(id, operation)
    }
    if (this.#waiting.length >= BATCH_OPERATIONS || this.#waitingBytes >= BATCH_BYTES)
      await this.#write(await this.#queue.opened())
  }

  /** Everything is where it belongs. */
  async finish(): Promise<void> {
    await this.#writing
    for (const operation of this.#waiting) this.#queue.put(tableIdIn(operation.key), mapKeyIn(operation.key), operation)
    this.#waiting = []
  }

  /** After an error: nothing is under way any more. */
  async settled(): Promise<void> {
    await this.#writing.catch(() => {
      // Whoever added has been told, or has failed otherwise.
    })
  }

  #wait(tableId: number, operation: StoreOperation): void {
    this.#queue.mark(tableId)
    this.#waiting.push(operation)
    this.#waitingBytes += bytesOf(operation)
  }

  /** The next entries are read while these are written. */
  async #write(store: OrderedStore): Promise<void> {
    await this.#writing
    const operations = this.#waiting
    this.#queue.writtenBytes += this.#waitingBytes
    this.#waiting = []
    this.#waitingBytes = 0
    this.#writing = store.write(operations)
    this.#writing.catch(() => {
      // Thrown by the next `add` or `finish`, which waits for it.
    })
  }
}

function keepOnHeap({ unclaimed }: TableSlot, operation: StoreOperation): void {
  const text = textOf(operation.key)
  if (operation.value === undefined) unclaimed.delete(text)
  else unclaimed.set(text, operation)
}
