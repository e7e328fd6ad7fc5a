/**
 * The `leveldb` backend: keyed state that may be larger than memory. Rows live in a cache with a budget, and behind it in a
 * store on the local disk, which is scratch; checkpoints are written as what changed.
 */
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { FileSystem } from '../../base/file-system.ts'
import type { Logger } from '../../base/logger.ts'
import type { OrderedStores, StoreSettings } from '../../base/ordered-store.ts'
import type { Turns } from '../../base/turns.ts'
import { CurrentKey } from '../current-key.ts'
import type {
  AggregatingState,
  AggregatingStateDescriptor,
  ListState,
  ListStateDescriptor,
  MapState,
  MapStateDescriptor,
  ReducingState,
  ReducingStateDescriptor,
  ValueState,
  ValueStateDescriptor,
} from '../descriptors.ts'
import type { MapKey } from '../key.ts'
import type { KeyGroupRange } from '../key-group-range.ts'
import { hashOfMapKey, keyGroupOfHash } from '../key-groups.ts'
import type { EntryCodec, KeyedTable } from '../keyed-table.ts'
import { KeyedStates } from '../memory/keyed-states.ts'
import { RestorePace } from '../restore-pace.ts'
import type { SnapshotFormat } from '../snapshot.ts'
import type { FrozenKeyedState, KeyedStateBackend, StateCacheUse, StoredKeyedState } from '../state-backend.ts'
import { LevelCheckpoints } from './level-checkpoints.ts'
import { collectKeys } from './level-keys.ts'
import { LevelLists } from './level-lists.ts'
import { LevelMaps } from './level-maps.ts'
import { restoreStates } from './level-restore.ts'
import { LevelTables } from './level-tables.ts'
import { OpenSnapshots } from './open-snapshots.ts'
import { PART_SIZES, type PartSizes } from './part-sizes.ts'
import { RowCache } from './row-cache.ts'
import { RowEncoder } from './row-encoder.ts'
import { levelCleanup } from './store-cleanup.ts'
import { WriteQueue } from './write-queue.ts'

export interface LevelStateBackendOptions {
  readonly maxParallelism: number
  /** Of this subtask. */
  readonly keyGroups: KeyGroupRange
  /** What states with a time-to-live go by. */
  readonly clock: Clock
  /** Much work on large maps and lists gives the event loop its turns; left out: it does not. */
  readonly turns?: Turns | undefined
  readonly stores: OrderedStores
  readonly files: FileSystem
  readonly logger: Logger
  /** Of this backend alone: it does not exist, and is removed at the end. */
  readonly folder: string
  /** What rows may take on the heap, estimated. */
  readonly cacheBytes: number
  /** Checkpoints are written as what changed. Savepoints are whole all the same. */
  readonly incremental: boolean
  /** Somebody will call `keysOf`: the keys of every state stay on the heap. */
  readonly keepsKeys: boolean
  /** From when on a map lies in parts. Left out: what was measured to be best. */
  readonly partSizes?: PartSizes | undefined
  /** No input is read until the promise has resolved; it never rejects. */
  pause(settled: Promise<void>): void
  /** The store has failed, or a value cannot be written into it: the task must go back to a checkpoint. */
  failed(cause: Error): void
}

/** So much of the budget may wait to be written, and so much of it may be kept of what changed. */
const WAITING_PART = 1 / 4
const LEAST_WAITING_BYTES = 1024 * 1024
const MIB = 1024 * 1024
const LARGEST_WRITE_BUFFER = 32 * MIB

export function levelStateBackend(options: LevelStateBackendOptions): KeyedStateBackend {
  return new LevelStateBackend(options)
}

class LevelStateBackend implements KeyedStateBackend {
  readonly maxParallelism: number
  readonly keyGroups: KeyGroupRange
  readonly #options: LevelStateBackendOptions
  readonly #settings: StoreSettings
  readonly #pace: RestorePace
  readonly #current = new CurrentKey()
  readonly #queue: WriteQueue
  readonly #cache: RowCache
  readonly #tables: LevelTables
  readonly #states: KeyedStates
  readonly #maps: LevelMaps
  readonly #lists: LevelLists
  readonly #checkpoints: LevelCheckpoints

  constructor(options: LevelStateBackendOptions) {
    const { maxParallelism, keyGroups, clock, stores, cacheBytes, keepsKeys } = options
    this.maxParallelism = maxParallelism
    this.keyGroups = keyGroups
    this.#options = options
    this.#settings = settingsFor(cacheBytes)
    this.#pace = new RestorePace(clock, options.turns)
    const mostBytes = Math.max(LEAST_WAITING_BYTES, cacheBytes * WAITING_PART)
    const queue = new WriteQueue({
      open: () => stores.open(this.#folder('store'), this.#settings),
      mostWaitingBytes: mostBytes,
      pause: options.pause,
      failed: options.failed,
    })
    const encoder = new RowEncoder(maxParallelism, keyGroups)
    const snapshots = new OpenSnapshots((row) => {
      const encoded = encoder.encode(row)
      if (encoded.hasValue) this.#cache.measured(row, encoded.out.length - encoded.keyLength)
      return encoded
    })
    this.#queue = queue
    this.#cache = new RowCache({ budgetBytes: cacheBytes, encoder, snapshots, queue, failed: options.failed })
    this.#tables = new LevelTables({ cache: this.#cache, keepsKeys, nowMs: () => clock.now() })
    const cleanupOf = levelCleanup({ keyGroups, cache: this.#cache, failed: options.failed })
    this.#states = new KeyedStates(
      this.#current,
      (kind, name, codecs) => this.#tables.table(kind, name, codecs),
      clock,
      cleanupOf,
    )
    const ofParts = {
      tables: this.#tables,
      clock,
      keyGroupOf: (key: MapKey) => keyGroupOfHash(hashOfMapKey(key), maxParallelism),
      sizes: partSizesOf(options),
      cleanupOf,
      makeRoom: () => this.#cache.makeRoom(),
      failed: options.failed,
    }
    this.#maps = new LevelMaps(ofParts)
    this.#lists = new LevelLists(ofParts)
    this.#checkpoints = new LevelCheckpoints({
      ...options,
      cache: this.#cache,
      tables: this.#tables,
      pace: this.#pace,
      mostLogBytes: mostBytes,
      // What fits into the cache is written whole as soon as it is: the store's files are larger than their contents.
      prefersTables: () => stores.keepsTables && queue.writtenBytes > cacheBytes,
    })
  }

  setCurrentKey(key: unknown): void {
    this.#cache.makeRoom()
    this.#current.set(key)
  }

  currentKey(): unknown {
    this.#current.required('The current key')
    return this.#current.key
  }

  currentMapKey(): MapKey {
    return this.#current.required('The current key')
  }

  clearCurrentKey(): void {
    this.#current.clear()
  }

  getState<T, Read extends T | undefined>(descriptor: ValueStateDescriptor<T, Read>): ValueState<T, Read> {
    return this.#states.getState(descriptor)
  }

  getListState<T>(descriptor: ListStateDescriptor<T>): ListState<T> {
    return this.#lists.listState(descriptor, this.#states.getListState(descriptor))
  }

  getMapState<K, V>(descriptor: MapStateDescriptor<K, V>): MapState<K, V> {
    return this.#maps.mapState(descriptor, this.#states.getMapState(descriptor))
  }

  getReducingState<T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T> {
    return this.#states.getReducingState(descriptor)
  }

  getAggregatingState<In, Acc, Out>(descriptor: AggregatingStateDescriptor<In, Acc, Out>): AggregatingState<In, Out> {
    return this.#states.getAggregatingState(descriptor)
  }

  keysOf(stateName: string): readonly MapKey[] {
    return this.#tables.keysOf(stateName)
  }

  keyedTable<V>(kind: string, name: string, codec: EntryCodec<V>): KeyedTable<V> {
    return this.#tables.table(kind, name, { all: codec, living: codec, at: () => codec })
  }

  freeze(checkpointId: number, format: SnapshotFormat = 'checkpoint'): FrozenKeyedState {
    return this.#checkpoints.freeze(checkpointId, format)
  }

  checkpointCompleted(checkpointId: number): void {
    this.#checkpoints.completed(checkpointId)
  }

  checkpointAborted(checkpointId: number): void {
    this.#checkpoints.aborted(checkpointId)
  }

  restore(states: readonly StoredKeyedState[]): void | Promise<void> {
    if (states.length > 0) return this.#restore(states)
  }

  async #restore(states: readonly StoredKeyedState[]): Promise<void> {
    const chain = await restoreStates(states, {
      ...this.#options,
      tables: this.#tables,
      queue: this.#queue,
      settings: this.#settings,
      partSizes: partSizesOf(this.#options),
      pace: this.#pace,
      storeFolder: this.#folder('store'),
      foreignFolder: this.#folder('foreign'),
    })
    if (this.#options.keepsKeys) await collectKeys(this.#tables, this.#queue)
    if (chain !== undefined && this.#options.incremental) this.#checkpoints.goOnFrom(chain)
  }

  cacheUse(): StateCacheUse {
    return { hits: this.#tables.hits(), misses: this.#cache.misses, bytes: this.#cache.usedBytes }
  }

  async close(): Promise<void> {
    this.#states.close()
    this.#maps.close()
    this.#lists.close()
    this.#cache.close()
    this.#tables.clear()
    this.#current.clear()
    await this.#queue.close()
    const { files, folder, logger } = this.#options
    try {
      await files.execute([{ type: 'remove', path: folder }])
    } catch (thrown) {
      // Its work is done. What is left goes with the scratch folder that it lies in, or with that of a dead process.
      logger.warn(`The folder of a state store could not be removed: ${messageOf(thrown)}`)
    }
  }

  #folder(name: string): string {
    return `${this.#options.folder}/${name}`
  }
}

function partSizesOf({ partSizes = PART_SIZES }: LevelStateBackendOptions): PartSizes {
  return partSizes
}

/** The store's own buffers come on top of the cache: small beside it. */
function settingsFor(cacheBytes: number): StoreSettings {
  return {
    writeBufferBytes: Math.min(LARGEST_WRITE_BUFFER, Math.max(MIB, Math.floor(cacheBytes / 8))),
    blockCacheBytes: Math.max(MIB, Math.floor(cacheBytes / 8)),
  }
}
