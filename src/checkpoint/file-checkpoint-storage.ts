/**
 * Checkpoints in a directory: `<directory>/<job id>/chk-<n>/`, what they share in `shared/` beside them, the record
 * `job.json`, and what is being prepared under `epoch-<e>/`. A checkpoint appears by one rename, whole, with `_metadata` in it, and vanishes by one.
 */
import { systemCodeOf } from '../base/file-error.ts'
import type { FileSystem, FolderEntry } from '../base/file-system.ts'
import type { Ids } from '../base/ids.ts'
import { syncAncestors } from '../base/sync-ancestors.ts'
import { missing } from './checkpoint-errors.ts'
import type {
  CheckpointObjects,
  CheckpointStorage,
  FencedStorage,
  PublishedCheckpoint,
  WriterClaim,
} from './checkpoint-storage.ts'
import { FencedFileStorage } from './fenced-file-storage.ts'
import { takeEpoch } from './file-fence.ts'
import { fileObjects, SHARED_NAME } from './file-objects.ts'

export class FileCheckpointStorage implements CheckpointStorage {
  readonly location: string
  readonly durable = true
  readonly #files: FileSystem
  readonly #ids: Ids

  /** @param directory an absolute path; it is made when the first job begins. */
  constructor(files: FileSystem, directory: string, ids: Ids) {
    this.location = directory
    this.#files = files
    this.#ids = ids
  }

  async listJobs(): Promise<readonly string[]> {
    const entries = await listOrNothing(this.#files, this.location)
    return entries.filter(({ name, kind }) => kind === 'folder' && /^[0-9a-f]{32}$/.test(name)).map(({ name }) => name)
  }

  async readRecord(jobId: string): Promise<Uint8Array | undefined> {
    try {
      return await this.#files.read(`${this.location}/${jobId}/job.json`)
    } catch (thrown) {
      if (systemCodeOf(thrown) === 'ENOENT') return undefined
      throw thrown
    }
  }

  async listCheckpoints(jobId: string): Promise<readonly PublishedCheckpoint[]> {
    const folder = `${this.location}/${jobId}`
    const entries = await listOrNothing(this.#files, folder)
    // A publish of which only the last sync failed is visible here: it counts once it is durable.
    if (entries.length > 0) await this.#files.execute([{ type: 'syncFolder', path: folder }])
    const published: PublishedCheckpoint[] = []
    for (const { name, kind } of entries) {
      const id = /^chk-(\d{1,15})$/.exec(name)?.[1]
      if (id === undefined) continue
      if (kind !== 'folder')
        throw missing(
          `${folder}/${name}`,
          'what stands in its place is not the folder of a checkpoint (symbolic links are not followed)',
        )
      published.push({ checkpointId: Number(id), location: `${folder}/${name}` })
    }
    return published.sort((one, other) => one.checkpointId - other.checkpointId)
  }

  at(location: string): CheckpointObjects {
    return fileObjects(this.#files, location)
  }

  async listShared(jobId: string): Promise<readonly string[]> {
    return (await listOrNothing(this.#files, `${this.location}/${jobId}/${SHARED_NAME}`)).map(({ name }) => name)
  }

  async fence(jobId: string, claim: WriterClaim): Promise<FencedStorage> {
    const folder = `${this.location}/${jobId}`
    await this.#files.execute([{ type: 'makeFolder', path: folder }])
    await syncAncestors(this.#files, folder)
    const taken = await takeEpoch(this.#files, folder, this.#ids, claim)
    return new FencedFileStorage(this.#files, folder, taken, this.#ids)
  }
}

async function listOrNothing(files: FileSystem, folder: string): Promise<readonly FolderEntry[]> {
  try {
    return await files.list(folder)
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return []
    throw thrown
  }
}
