/** One LevelDB store: batches one at a time, reads at once, and its tables when they are asked for. */
import { assert } from '../../base/assert.ts'
import type { FileSystem } from '../../base/file-system.ts'
import type { OrderedStore, PinnedTables, StoreOperation, StoreSnapshot } from '../../base/ordered-store.ts'
import type { ClassicBatch, ClassicDatabase } from './classic-database.ts'
import { classicError } from './classic-error.ts'
import { ClassicSnapshot } from './classic-snapshot.ts'
import { LiveCheckpoint } from './live-checkpoint.ts'

export class ClassicStore implements OrderedStore {
  readonly #database: ClassicDatabase
  readonly #folder: string
  readonly #checkpoint: LiveCheckpoint
  /** LevelDB numbers every operation; that number says whether the tables hold all of them. */
  #lastSequence: bigint
  /** The batch or the pin that is under way; never rejects. */
  #underWay: Promise<unknown> | undefined
  /** Of a batch: whether it is in is unknown, so nothing is written or pinned any more. */
  #failure: unknown
  #closed: Promise<void> | undefined

  constructor(database: ClassicDatabase, folder: string, files: FileSystem, lastSequence: bigint) {
    this.#database = database
    this.#folder = folder
    this.#lastSequence = lastSequence
    this.#checkpoint = new LiveCheckpoint(database, folder, files)
  }

  get(key: Uint8Array): Uint8Array | undefined {
    try {
      return this.#database.getSync(key)
    } catch (thrown) {
      throw classicError(thrown, 'read from the store in', this.#folder)
    }
  }

  async write(operations: readonly StoreOperation[]): Promise<void> {
    if (operations.length === 0) return
    await this.#alone('write to the store in', async () => {
      try {
        await batchOf(this.#database, operations).write()
        this.#lastSequence += BigInt(operations.length)
      } catch (thrown) {
        this.#failure = thrown
        throw thrown
      }
    })
  }

  snapshot(): StoreSnapshot {
    try {
      return new ClassicSnapshot(this.#database, this.#folder)
    } catch (thrown) {
      throw classicError(thrown, 'take a view of the store in', this.#folder)
    }
  }

  pinTables(): Promise<PinnedTables> {
    return this.#alone('pin the tables in', () => this.#checkpoint.pin(this.#lastSequence))
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #alone<T>(operation: string, act: () => Promise<T>): Promise<T> {
    assert(this.#underWay === undefined, `'${operation}' began beside another batch or pin, in '${this.#folder}'`)
    if (this.#closed !== undefined) throw classicError(new Error('the store was closed'), operation, this.#folder)
    if (this.#failure !== undefined) throw classicError(this.#failure, operation, this.#folder)
    const acting = act()
    this.#underWay = acting.catch(() => {
      // Whoever asked for it is told; this only knows that it is over.
    })
    try {
      return await acting
    } catch (thrown) {
      throw classicError(thrown, operation, this.#folder)
    } finally {
      this.#underWay = undefined
    }
  }

  async #close(): Promise<void> {
    await this.#underWay
    try {
      await this.#database.close()
    } catch (thrown) {
      throw classicError(thrown, 'close the store in', this.#folder)
    }
  }
}

function batchOf(database: ClassicDatabase, operations: readonly StoreOperation[]): ClassicBatch {
  const batch = database.batch()
  for (const { key, value } of operations) {
    if (value === undefined) batch.del(key)
    else batch.put(key, value)
  }
  return batch
}
