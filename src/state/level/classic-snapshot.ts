/** A view of a LevelDB store that stays as it is, and scans of it. */
import type { StoreSnapshot } from '../../base/ordered-store.ts'
import { takeNoNotice } from '../../base/unawaited.ts'
import type { ClassicDatabase, ClassicIterator, ClassicSnapshotHandle } from './classic-database.ts'
import { classicError } from './classic-error.ts'

/** LevelDB's side makes room for as many entries as it is asked for, so it is not asked for more than a page may hold. */
const MOST_ENTRIES = 8192
const SMALLEST_ENTRY_BYTES = 16

export class ClassicSnapshot implements StoreSnapshot {
  readonly #database: ClassicDatabase
  readonly #folder: string
  readonly #handle: ClassicSnapshotHandle

  constructor(database: ClassicDatabase, folder: string) {
    this.#database = database
    this.#folder = folder
    this.#handle = database.snapshot()
  }

  async *scan(range: Parameters<StoreSnapshot['scan']>[0]): ReturnType<StoreSnapshot['scan']> {
    const entries = Math.min(MOST_ENTRIES, Math.ceil(range.pageBytes / SMALLEST_ENTRY_BYTES))
    const iterator = this.#iterator(range)
    try {
      for (;;) {
        const page = await this.#next(iterator, entries)
        if (page.length === 0) return
        yield page
      }
    } finally {
      await iterator.close()
    }
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    try {
      return await this.#database.getMany(keys, { snapshot: this.#handle, fillCache: false })
    } catch (thrown) {
      throw classicError(thrown, 'read from a view of the store in', this.#folder)
    }
  }

  release(): void {
    // It only frees memory of LevelDB: nobody waits for it. A scan that is on its way is refused its next page.
    takeNoNotice(this.#handle.close())
  }

  #iterator(range: Parameters<StoreSnapshot['scan']>[0]): ClassicIterator {
    try {
      return this.#database.iterator({
        ...(range.from === undefined ? {} : { gte: range.from }),
        ...(range.below === undefined ? {} : { lt: range.below }),
        snapshot: this.#handle,
        highWaterMarkBytes: range.pageBytes,
        // What is read from end to end would only drive out what is read again.
        fillCache: false,
      })
    } catch (thrown) {
      throw classicError(thrown, 'scan the store in', this.#folder)
    }
  }

  async #next(iterator: ClassicIterator, entries: number): ReturnType<ClassicIterator['nextv']> {
    try {
      return await iterator.nextv(entries)
    } catch (thrown) {
      throw classicError(thrown, 'scan the store in', this.#folder)
    }
  }
}
