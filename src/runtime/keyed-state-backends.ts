/**
 * Makes the keyed state backends of a job, as its settings say. What state on disk needs is loaded with the first backend
 * that lives there: the database, and a scratch folder of the job, which goes with it.
 */
import { messageOf } from '../base/errors.ts'
import type { OrderedStores } from '../base/ordered-store.ts'
import type { Ports } from '../base/ports.ts'
import { systemProcess } from '../base/process-identity.ts'
import { temporaryFolder } from '../base/temporary-folder.ts'
import type { KeyGroupRange } from '../state/key-group-range.ts'
import type { ScratchFolder } from '../state/level/scratch-folders.ts'
import { memoryStateBackend } from '../state/memory/memory-state-backend.ts'
import type { KeyedStateBackend } from '../state/state-backend.ts'

/** Of the backend `leveldb`. */
export interface LeveldbSettings {
  /** For all subtasks of the job together. */
  readonly cacheBytes: number
  readonly incremental: boolean
  /** Undefined: the system's folder for temporary files. */
  readonly localDirectory: string | undefined
}

/** Whose state it is. */
export interface BackendOwner {
  readonly maxParallelism: number
  readonly keyGroups: KeyGroupRange
  readonly keepsKeys: boolean
  pause(settled: Promise<void>): void
  failed(cause: Error): void
}

interface LevelParts {
  readonly levelStateBackend: typeof import('../state/level/level-state-backend.ts').levelStateBackend
  readonly stores: OrderedStores
  readonly scratch: ScratchFolder
}

export class KeyedStateBackends {
  readonly #ports: Ports
  readonly #leveldb: LeveldbSettings | undefined
  readonly #keyedSubtasks: number
  #parts: Promise<LevelParts> | undefined

  /** `leveldb`: undefined for state on the heap. `keyedSubtasks`: among them the cache is divided. */
  constructor(ports: Ports, leveldb: LeveldbSettings | undefined, keyedSubtasks: number) {
    this.#ports = ports
    this.#leveldb = leveldb
    this.#keyedSubtasks = Math.max(1, keyedSubtasks)
  }

  /** At once for state on the heap. Rejects with FILE_ERROR where the scratch folder cannot be made. */
  create(owner: BackendOwner): KeyedStateBackend | Promise<KeyedStateBackend> {
    const { clock, turns } = this.#ports
    const { maxParallelism, keyGroups } = owner
    const settings = this.#leveldb
    if (settings === undefined) return memoryStateBackend({ maxParallelism, keyGroups, clock, turns })
    return this.#onDisk(owner, settings)
  }

  async #onDisk(owner: BackendOwner, { cacheBytes, incremental }: LeveldbSettings): Promise<KeyedStateBackend> {
    const { clock, turns, files, logger, ids } = this.#ports
    const { levelStateBackend, stores, scratch } = await this.#loaded()
    return levelStateBackend({
      ...owner,
      pause: (settled) => owner.pause(settled),
      failed: (cause) => owner.failed(cause),
      clock,
      turns,
      files,
      logger,
      stores,
      folder: `${scratch.path}/${ids.uniqueName()}`,
      cacheBytes: Math.floor(cacheBytes / this.#keyedSubtasks),
      incremental,
    })
  }

  /** When every backend is closed, or none was needed: then what dead processes have left is removed all the same. */
  async close(): Promise<void> {
    if (this.#parts === undefined) return this.#sweep()
    const parts = await this.#parts.catch(() => undefined)
    await parts?.scratch.remove()
  }

  /** A process may die behind its last record, and the one that ends its job has no keyed state. */
  async #sweep(): Promise<void> {
    if (this.#leveldb === undefined) return
    const { sweepScratchFolders } = await import('../state/level/scratch-folders.ts')
    await sweepScratchFolders(this.#base(), systemProcess(), this.#ports)
  }

  #base(): string {
    return this.#leveldb?.localDirectory ?? temporaryFolder()
  }

  async #loaded(): Promise<LevelParts> {
    this.#parts ??= this.#load()
    const parts = this.#parts
    try {
      return await parts
    } catch (thrown) {
      // The disk may be well again when the next attempt begins.
      if (this.#parts === parts) this.#parts = undefined
      throw thrown
    }
  }

  async #load(): Promise<LevelParts> {
    const [{ levelStateBackend }, { scratchFolder }] = await Promise.all([
      import('../state/level/level-state-backend.ts'),
      import('../state/level/scratch-folders.ts'),
    ])
    const scratch = await scratchFolder(this.#base(), systemProcess(), this.#ports)
    try {
      return { levelStateBackend, scratch, stores: await this.#stores(scratch.path) }
    } catch (thrown) {
      await scratch.remove().catch(() => {
        // The next folder that is made beside it sweeps it away; the first error is the one that counts.
      })
      throw thrown
    }
  }

  /** Those that cannot hand out their table files as they should do not: bases are written entry by entry then. */
  async #stores(folder: string): Promise<OrderedStores> {
    const { files, logger } = this.#ports
    const stores = this.#ports.stores ?? (await import('../state/level/classic-stores.ts')).classicStores(files)
    const { tablesCanBePinned } = await import('../state/level/table-self-check.ts')
    const check = await tablesCanBePinned(stores, files, folder)
    if (check.possible) return stores
    logger.warn(`State stores of this process cannot hand out their table files: ${messageOf(check.reason)}`)
    return {
      keepsTables: false,
      open: (at, settings) => stores.open(at, settings),
      reopen: (at, tables, settings) => stores.reopen(at, tables, settings),
    }
  }
}
