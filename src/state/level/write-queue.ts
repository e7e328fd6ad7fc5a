/**
 * What waits to be written into the store: batches, one after the other, never waited for by a record. What is not in the
 * store for certain is found here. When too much waits, the subtask is paused until half of it is written.
 */
import { toError } from '../../base/errors.ts'
import type { OrderedStore, PinnedTables, StoreOperation, StoreSnapshot } from '../../base/ordered-store.ts'
import type { MapKey } from '../key.ts'
import { WriteBatch } from './write-batch.ts'

/** LevelDB takes about 2 us an operation of the thread of the job: a batch must fit into a turn. */
const BATCH_OPERATIONS = 2000
const MOST_WAITING_OPERATIONS = 20_000

export interface WriteQueueParts {
  /** Called once, when there is something to write or to pin. */
  open(): Promise<OrderedStore>
  /** So much may wait, in bytes. */
  readonly mostWaitingBytes: number
  /** No input is read until the promise has resolved; it never rejects. */
  pause(settled: Promise<void>): void
  /** The store is of no further use: whoever has written into it must go back to a checkpoint. */
  failed(cause: Error): void
}

export class WriteQueue {
  readonly #open: () => Promise<OrderedStore>
  readonly #mostWaitingBytes: number
  readonly #pause: (settled: Promise<void>) => void
  readonly #failed: (cause: Error) => void
  /** The oldest first; it may be under way. The last one is filled, if it is not sealed. */
  #batches: WriteBatch[] = []
  #lastIsSealed = true
  #waitingOperations = 0
  #waitingBytes = 0
  /** What was ever written into the store: its contents are at most that. */
  writtenBytes = 0
  /** Tables of which something was written, or waits to be. */
  readonly #tables = new Set<number>()
  #opening: Promise<OrderedStore> | undefined
  #store: OrderedStore | undefined
  #underWay: Promise<void> | undefined
  #holds = 0
  /** The pins that were asked for, one after the other; never rejects. */
  #pins: Promise<unknown> = Promise.resolve()
  #resume: (() => void) | undefined
  #failure: Error | undefined
  #closed = false

  constructor({ open, mostWaitingBytes, pause, failed }: WriteQueueParts) {
    this.#open = open
    this.#mostWaitingBytes = mostWaitingBytes
    this.#pause = pause
    this.#failed = failed
  }

  /** Before anything is put: the store is there already. */
  adopt(store: OrderedStore): void {
    this.#store = store
    this.#opening = Promise.resolve(store)
  }

  /** The store, opened where it was not. Who writes into it himself does so before anything is put. */
  opened(): Promise<OrderedStore> {
    this.#opening ??= this.#open().then((store) => {
      this.#store = store
      return store
    })
    return this.#opening
  }

  /** The store holds something of the table. */
  mark(tableId: number): void {
    this.#tables.add(tableId)
  }

  /** Whether the store may hold something of the table, or will. */
  holds(tableId: number): boolean {
    return this.#tables.has(tableId)
  }

  /** The newest operation on the key that waits. */
  find(tableId: number, key: MapKey): StoreOperation | undefined {
    const batches = this.#batches
    for (let place = batches.length - 1; place >= 0; place--) {
      const operation = (batches[place] as WriteBatch).find(tableId, key)
      if (operation !== undefined) return operation
    }
    return undefined
  }

  /** What the store holds of a key for which nothing waits. Throws what the store has met. */
  get(storeKey: Uint8Array): Uint8Array | undefined {
    if (this.#failure !== undefined) throw this.#failure
    return this.#store?.get(storeKey)
  }

  /** The operation is copied. */
  put(tableId: number, key: MapKey, operation: StoreOperation): void {
    this.#tables.add(tableId)
    const batch = this.#filling()
    const { size, bytes } = batch
    batch.put(tableId, key, operation)
    this.#waitingOperations += batch.size - size
    this.#waitingBytes += batch.bytes - bytes
    if (batch.size >= BATCH_OPERATIONS || batch.bytes >= this.#mostWaitingBytes / 4) this.#lastIsSealed = true
    this.#goOn()
    if (this.#isTooMuch() && this.#resume === undefined) this.#pauseSubtask()
  }

  /** All that waits, the oldest first. It will not change any more, and stays as it is when it is written. */
  seal(): readonly WriteBatch[] {
    this.#lastIsSealed = true
    const sealed = [...this.#batches]
    this.#goOn()
    return sealed
  }

  /** Of what is in the store for certain; undefined where nothing is. With what `seal` gives in the same turn it is everything. */
  snapshot(): StoreSnapshot | undefined {
    if (this.#failure !== undefined) throw this.#failure
    return this.#store?.snapshot()
  }

  /** The tables of the store with all batches that are under way now, and none of those that wait. */
  async pinTables(): Promise<PinnedTables> {
    this.#holds++
    const pinned = this.#pins.then(() => this.#pin())
    this.#pins = pinned.catch(() => {
      // Whoever asked for it is told.
    })
    try {
      return await pinned
    } finally {
      this.#holds--
      this.#goOn()
    }
  }

  async #pin(): Promise<PinnedTables> {
    const store = await this.opened()
    await this.#underWay
    if (this.#failure !== undefined) throw this.#failure
    return store.pinTables()
  }

  /** Writes no more, and settles when the store is closed. */
  async close(): Promise<void> {
    this.#closed = true
    this.#batches = []
    this.#endPause()
    await this.#underWay
    // Whoever has opened it, or uses it, has been told of the failure.
    const store = await this.#opening?.catch(() => undefined)
    await store?.close()
  }

  #filling(): WriteBatch {
    if (this.#lastIsSealed) {
      this.#batches.push(new WriteBatch())
      this.#lastIsSealed = false
    }
    return this.#batches.at(-1) as WriteBatch
  }

  #goOn(): void {
    if (this.#underWay !== undefined || this.#holds > 0 || this.#closed || this.#failure !== undefined) return
    const [batch, ...others] = this.#batches
    if (batch === undefined || (others.length === 0 && !this.#lastIsSealed)) return
    this.#underWay = this.#write(batch).then(
      () => this.#written(batch),
      (thrown) => this.#broken(toError(thrown)),
    )
  }

  async #write(batch: WriteBatch): Promise<void> {
    const store = await this.opened()
    if (!this.#closed) await store.write([...batch.operations()])
  }

  #written(batch: WriteBatch): void {
    this.#underWay = undefined
    if (this.#closed) return
    this.#batches.shift()
    this.writtenBytes += batch.bytes
    this.#waitingOperations -= batch.size
    this.#waitingBytes -= batch.bytes
    if (!this.#isTooMuch(2)) this.#endPause()
    this.#goOn()
  }

  /** Whether the batch is in the store is not known: nothing is read from it or written to it any more. */
  #broken(cause: Error): void {
    this.#underWay = undefined
    this.#failure = cause
    this.#endPause()
    if (!this.#closed) this.#failed(cause)
  }

  #isTooMuch(parts = 1): boolean {
    return (
      this.#waitingOperations * parts > MOST_WAITING_OPERATIONS || this.#waitingBytes * parts > this.#mostWaitingBytes
    )
  }

  #pauseSubtask(): void {
    if (this.#closed || this.#failure !== undefined) return
    this.#lastIsSealed = true
    this.#goOn()
    this.#pause(
      new Promise((resolve) => {
        this.#resume = resolve
      }),
    )
  }

  #endPause(): void {
    this.#resume?.()
    this.#resume = undefined
  }
}
