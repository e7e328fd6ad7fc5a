/**
 * The writing side of a checkpoint directory. Every path that it changes begins or ends in its epoch's folder; it never
 * makes that folder again, so a writer that was fenced off gets ENOENT, which becomes JOB_FENCED.
 */
import { systemCodeOf } from '../base/file-error.ts'
import type { FileOperation, FileSystem, WriteHandle } from '../base/file-system.ts'
import type { Ids } from '../base/ids.ts'
import { syncAncestors } from '../base/sync-ancestors.ts'
import type { FencedStorage } from './checkpoint-storage.ts'
import { copyFolder } from './copy-folder.ts'
import { FencedSharedFolder } from './fenced-shared-folder.ts'
import { epochFolder, OWNER_NAME, type TakenEpoch } from './file-fence.ts'
import { fencedOff, isHidden, withVisibility } from './publish-errors.ts'
import { RecentIds } from './recent-ids.ts'

export class FencedFileStorage implements FencedStorage {
  readonly epoch: number
  readonly #files: FileSystem
  readonly #folder: string
  readonly #own: string
  readonly #ids: Ids
  readonly #shared: FencedSharedFolder
  /** Checkpoints that are given up: a straggler must not make their folders again. */
  readonly #discarded = new RecentIds()
  /** Whether no number comes again that somebody else had, when nothing is left of this epoch. */
  #mayVanish: boolean

  constructor(files: FileSystem, folder: string, { epoch, highestRecorded }: TakenEpoch, ids: Ids) {
    this.epoch = epoch
    this.#mayVanish = epoch === highestRecorded + 1
    this.#files = files
    this.#folder = folder
    this.#own = epochFolder(folder, epoch)
    this.#ids = ids
    this.#shared = new FencedSharedFolder(folder, this.#own, ids, (operations) => this.#execute(operations))
  }

  async put(checkpointId: number, name: string, bytes: Uint8Array): Promise<void> {
    this.#discarded.refuse(checkpointId)
    const path = this.#prepared(checkpointId, name)
    try {
      await this.#execute([this.#preparedFolder(checkpointId), { type: 'writeNew', path, bytes }])
    } catch (thrown) {
      await this.#removeQuietly(path)
      throw thrown
    }
    if (this.#discarded.has(checkpointId)) await this.#removeQuietly(this.#prepared(checkpointId))
    this.#discarded.refuse(checkpointId)
  }

  async create(checkpointId: number, name: string): Promise<WriteHandle> {
    this.#discarded.refuse(checkpointId)
    const path = this.#prepared(checkpointId, name)
    await this.#execute([this.#preparedFolder(checkpointId)])
    const handle = await this.#fenced(() => this.#files.createExclusive(path))
    if (this.#discarded.has(checkpointId)) {
      await handle.close()
      await this.#removeQuietly(this.#prepared(checkpointId))
      this.#discarded.refuse(checkpointId)
    }
    return {
      append: (bytes) => handle.append(bytes),
      sync: () => handle.sync(),
      close: async () => {
        await handle.close()
        // The open file follows its folder when that is renamed away or removed: the name tells.
        if ((await this.#files.stat(path)) !== undefined) return
        this.#discarded.refuse(checkpointId)
        await this.#fenced(() => this.#files.read(path))
      },
    }
  }

  async removePrepared(checkpointId: number, name: string): Promise<void> {
    await this.#files.execute([{ type: 'remove', path: this.#prepared(checkpointId, name) }])
    if (this.#discarded.has(checkpointId)) await this.discardPrepared(checkpointId)
  }

  async discardPrepared(checkpointId: number): Promise<void> {
    this.#discarded.add(checkpointId)
    await this.#files.execute([{ type: 'remove', path: this.#prepared(checkpointId) }])
  }

  async publish(
    checkpointId: number,
    lastName: string,
    bytes: Uint8Array,
    shared: readonly string[] = [],
  ): Promise<{ readonly location: string }> {
    const location = `${this.#folder}/chk-${checkpointId}`
    if (shared.length > 0) {
      await this.#execute([this.#preparedFolder(checkpointId)])
      await this.#shared.take(this.#prepared(checkpointId), shared)
    }
    try {
      await this.#publish([
        ...this.#complete(checkpointId, lastName, bytes),
        { type: 'rename', from: this.#prepared(checkpointId), to: location },
        { type: 'syncFolder', path: this.#folder },
      ])
    } catch (thrown) {
      if (isHidden(thrown)) await this.#shared.giveUp(shared)
      throw thrown
    }
    return { location }
  }

  async publishAt(
    checkpointId: number,
    folder: string,
    name: string,
    lastName: string,
    bytes: Uint8Array,
  ): Promise<{ readonly location: string }> {
    const location = `${folder}/${name}`
    const prepared = this.#prepared(checkpointId)
    try {
      await this.#files.execute([{ type: 'makeFolder', path: folder }])
      await syncAncestors(this.#files, folder)
      await this.#publish([
        ...this.#complete(checkpointId, lastName, bytes),
        { type: 'rename', from: prepared, to: location },
        { type: 'syncFolder', path: folder },
      ])
    } catch (thrown) {
      if (systemCodeOf(thrown) !== 'EXDEV') throw thrown
      await this.#fenced(() => copyFolder(this.#files, prepared, location, lastName))
      await this.#removeQuietly(prepared)
    }
    return { location }
  }

  async delete(checkpointId: number): Promise<void> {
    const published = `${this.#folder}/chk-${checkpointId}`
    const gone = `${this.#own}/deleted-${checkpointId}-${this.#ids.uniqueName()}`
    try {
      await this.#execute([
        { type: 'rename', from: published, to: gone },
        { type: 'syncFolder', path: this.#folder },
        { type: 'remove', path: gone },
      ])
    } catch (thrown) {
      if (systemCodeOf(thrown) !== 'ENOENT') throw thrown
    }
  }

  deleteShared(names: readonly string[]): Promise<void> {
    return this.#shared.delete(names)
  }

  removeSharedPlace(): Promise<void> {
    return this.#shared.removePlace()
  }

  async putRecord(bytes: Uint8Array): Promise<void> {
    const prepared = `${this.#own}/job.json.${this.#ids.uniqueName()}`
    try {
      await this.#execute([
        { type: 'writeNew', path: prepared, bytes },
        { type: 'rename', from: prepared, to: `${this.#folder}/job.json` },
        { type: 'syncFolder', path: this.#folder },
      ])
      this.#mayVanish = true
    } catch (thrown) {
      await this.#removeQuietly(prepared)
      throw thrown
    }
  }

  async sweep(): Promise<void> {
    const dead = (await this.#files.list(this.#folder)).filter(({ name }) => /^(fenced|new)-/.test(name))
    await this.#files.execute(
      dead.map(({ name }): FileOperation => ({ type: 'remove', path: `${this.#folder}/${name}` })),
    )
  }

  async release(): Promise<void> {
    const away = `${this.#folder}/fenced-${this.epoch}-${this.#ids.uniqueName()}`
    // Where no record tells of this epoch its folder does, until a higher one stands there: a number that came again would
    // open the new folder to whoever had the old one.
    const removal: readonly FileOperation[] = this.#mayVanish
      ? [
          { type: 'syncFolder', path: this.#folder },
          { type: 'remove', path: away },
        ]
      : []
    try {
      await this.#files.execute([{ type: 'rename', from: this.#own, to: away }, ...removal])
    } catch (thrown) {
      // Somebody has taken over: then there is nothing to give back.
      if (systemCodeOf(thrown) !== 'ENOENT') throw thrown
    }
  }

  #prepared(checkpointId: number, name?: string): string {
    return name === undefined ? `${this.#own}/chk-${checkpointId}` : `${this.#own}/chk-${checkpointId}/${name}`
  }

  #preparedFolder(checkpointId: number): FileOperation {
    return { type: 'makeFolder', path: this.#prepared(checkpointId), parents: 'mustExist' }
  }

  /** The last object, and every entry of the folder durable. */
  #complete(checkpointId: number, lastName: string, bytes: Uint8Array): readonly FileOperation[] {
    return [
      this.#preparedFolder(checkpointId),
      { type: 'writeNew', path: this.#prepared(checkpointId, lastName), bytes },
      { type: 'syncFolder', path: this.#prepared(checkpointId) },
    ]
  }

  async #publish(operations: readonly FileOperation[]): Promise<void> {
    try {
      await this.#execute(operations)
    } catch (thrown) {
      throw withVisibility(thrown, operations)
    }
  }

  #execute(operations: readonly FileOperation[]): Promise<void> {
    return this.#fenced(() => this.#files.execute(operations))
  }

  async #fenced<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (thrown) {
      const isFenced =
        systemCodeOf(thrown) === 'ENOENT' && (await this.#files.stat(`${this.#own}/${OWNER_NAME}`)) === undefined
      throw isFenced ? fencedOff(this.#folder, this.epoch, thrown) : thrown
    }
  }

  async #removeQuietly(path: string): Promise<void> {
    try {
      await this.#files.execute([{ type: 'remove', path }])
    } catch {
      // The disk refuses this as well: the rest goes when the checkpoint is discarded, or at the next start.
    }
  }
}
