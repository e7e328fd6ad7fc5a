/** What we use of the package `classic-level`, and the one place that loads it: with the first store, not before. */
import { StreamError } from '../../base/errors.ts'
import type { StoreSettings } from '../../base/ordered-store.ts'

/** A handle of LevelDB. Keys and values are bytes. */
export interface ClassicDatabase {
  close(): Promise<void>
  getSync(key: Uint8Array): Uint8Array | undefined
  getMany(
    keys: readonly Uint8Array[],
    options: { readonly snapshot: ClassicSnapshotHandle; readonly fillCache: boolean },
  ): Promise<readonly (Uint8Array | undefined)[]>
  /** Filled call by call: that costs a quarter of what LevelDB's side needs for an array of operations. */
  batch(): ClassicBatch
  snapshot(): ClassicSnapshotHandle
  /** Holds on to the tables of this moment from the call on. */
  iterator(options: ClassicRange): ClassicIterator
  /** Writes the write buffer out, waits for compactions that run, and compacts what overlaps. */
  compactRange(start: Uint8Array, end: Uint8Array): Promise<void>
  getProperty(name: string): string
}

export interface ClassicBatch {
  put(key: Uint8Array, value: Uint8Array): unknown
  del(key: Uint8Array): unknown
  write(): Promise<void>
}

export interface ClassicSnapshotHandle {
  close(): Promise<void>
}

export interface ClassicRange {
  readonly gte?: Uint8Array | undefined
  readonly lt?: Uint8Array | undefined
  readonly snapshot?: ClassicSnapshotHandle | undefined
  readonly fillCache?: boolean | undefined
  readonly highWaterMarkBytes?: number | undefined
}

export interface ClassicIterator {
  /** Up to so many entries, and no more once the mark is passed. Empty at the end. */
  nextv(entries: number): Promise<readonly (readonly [key: Uint8Array, value: Uint8Array])[]>
  close(): Promise<void>
}

/** `new`: nothing may be there. `existing`: nothing is made that is not there. */
export type ClassicOrigin = 'new' | 'existing'

/** Uncompressed files are read through mapped memory, by a third faster; 2 MiB is what one compaction writes anew at least. */
const TABLE_FILE_BYTES = 2 * 1024 * 1024

/** Rejects with UNSUPPORTED where LevelDB cannot be loaded, else with what LevelDB says. */
export async function openDatabase(
  folder: string,
  origin: ClassicOrigin,
  settings: StoreSettings,
): Promise<ClassicDatabase> {
  const { ClassicLevel } = await loadLevel()
  const database = new ClassicLevel<Uint8Array, Uint8Array>(folder, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    createIfMissing: origin === 'new',
    errorIfExists: origin === 'new',
    compression: false,
    maxFileSize: TABLE_FILE_BYTES,
    writeBufferSize: settings.writeBufferBytes,
    cacheSize: settings.blockCacheBytes,
  })
  // In the same tick: later the database would open by itself, and nobody would hear what went wrong.
  await database.open()
  // What it declares is wider: every encoding, every way to call.
  return database as unknown as ClassicDatabase
}

async function loadLevel(): Promise<typeof import('classic-level')> {
  try {
    return await import('classic-level')
  } catch (thrown) {
    // The package is missing, or has no binary for this system.
    throw new StreamError('UNSUPPORTED', {
      message: `LevelDB cannot be loaded on ${process.platform} ${process.arch}: ${String(thrown)}.`,
      hint: "Install the dependencies again with npm, or set 'state.backend.type: hashmap'.",
      details: { platform: process.platform, architecture: process.arch },
      cause: thrown,
    })
  }
}
