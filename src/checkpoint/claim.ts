/**
 * Taking over what a job starts from: from then on it is the job's, to be deleted when it is subsumed. Not before a
 * checkpoint of the job's own is complete, for until then there is nothing else to go on from.
 */
import { StreamError } from '../base/errors.ts'
import type { FileOperation } from '../base/file-system.ts'
import { lastName, parentPath } from '../base/paths.ts'
import type { Ports } from '../base/ports.ts'
import type { CheckpointMetadata } from './checkpoint-metadata.ts'
import type { CheckpointStorage, Writer } from './checkpoint-storage.ts'
import { putClaim, removeClaim } from './claim-mark.ts'
import { type CompletedCheckpoint, listPublished, readMetadata } from './completed-checkpoints.ts'
import { disposeCheckpoint, removeIfEmpty } from './dispose-checkpoint.ts'
import { FileCheckpointStorage } from './file-checkpoint-storage.ts'
import { livingOwners } from './file-fence.ts'
import { fileObjects, SHARED_NAME } from './file-objects.ts'
import { mayReplace } from './job-owner.ts'
import { sharedIn } from './stored-handles.ts'

export interface Claimant {
  readonly ports: Ports
  readonly storage: CheckpointStorage
  readonly jobId: string
  /** Who this process is. */
  readonly writer: Writer
}

/** Whether a checkpoint at that place is one of the job's own, in its own folder; a savepoint that lies there is not. */
export function isOwnPlace(storage: CheckpointStorage, jobId: string, location: string): boolean {
  const isAmongThem = parentPath(location) === `${storage.location}/${jobId}` && /^chk-\d+$/.test(lastName(location))
  return location.startsWith('memory:') || isAmongThem
}

/** Throws CHECKPOINT_CLAIMED when another job has claimed it, CHECKPOINT_MISSING when that one has just deleted it, JOB_IN_USE when it is of a job that runs. */
export async function claim(claimant: Claimant, { location, metadata }: CompletedCheckpoint): Promise<void> {
  const { ports, storage, jobId } = claimant
  if (isOwnPlace(storage, jobId, location)) return
  await checkUnused(claimant, location, metadata)
  await putClaim(ports.files, location, jobId)
  try {
    // Whoever had claimed it before may be deleting it: the mark goes after the metadata, so what is here now stays.
    await readMetadata(fileObjects(ports.files, location))
  } catch (thrown) {
    await removeClaim(ports.files, location, jobId)
    throw thrown
  }
}

/** The job ends, or has not begun, and has nothing else to go on from: what it claimed stays, and is the user's again. */
export async function unclaim({ ports, storage, jobId }: Claimant, location: string): Promise<void> {
  if (!isOwnPlace(storage, jobId, location)) await removeClaim(ports.files, location, jobId)
}

/**
 * What an earlier run claimed and has not deleted. Undefined when it is gone; a deletion that was interrupted is ended
 * first. Throws what `claim` throws, CHECKPOINT_DAMAGED, CHECKPOINT_VERSION and FILE_ERROR.
 */
export async function claimedBefore(claimant: Claimant, location: string): Promise<CompletedCheckpoint | undefined> {
  const { ports } = claimant
  try {
    const found = { location, metadata: await readMetadata(fileObjects(ports.files, location)) }
    await claim(claimant, found)
    return found
  } catch (thrown) {
    if (!StreamError.is(thrown) || thrown.code !== 'CHECKPOINT_MISSING') throw thrown
    await disposeClaimed(claimant, location)
    return undefined
  }
}

/** Deletes what the job claimed. Harmless when it is gone. Throws JOB_IN_USE when its own job runs again, and needs it. */
export async function disposeClaimed(claimant: Claimant, location: string): Promise<void> {
  const { files } = claimant.ports
  try {
    await disposeCheckpoint(files, location, {
      allow: (metadata) => checkUnused(claimant, location, metadata),
      afterFiles: (disposed) => removeShared(claimant, location, disposed),
    })
  } catch (thrown) {
    if (!StreamError.is(thrown) || thrown.code !== 'CHECKPOINT_MISSING') throw thrown
    // A crash before the last step leaves the folder.
    if ((await files.stat(location))?.kind === 'folder') await removeIfEmpty(files, location)
  }
}

/** A checkpoint in the folder of its job, where that job may run. */
async function checkUnused({ ports, writer }: Claimant, location: string, metadata: CheckpointMetadata): Promise<void> {
  const folder = jobFolderOf(location, metadata)
  if (folder === undefined) return
  const { locks, clock, files } = ports
  for (const owner of await livingOwners(files, folder))
    await mayReplace({ locks, clock, self: writer, takeover: false, jobId: metadata.jobId }, owner)
}

/** Those that no other checkpoint of that job names. Where one of them cannot be read, all stay. */
async function removeShared({ ports }: Claimant, location: string, metadata: CheckpointMetadata): Promise<void> {
  const folder = jobFolderOf(location, metadata)
  const shared = sharedIn(metadata)
  if (folder === undefined || shared.length === 0) return
  const storage = new FileCheckpointStorage(ports.files, parentPath(folder), ports.ids)
  const { completed, unreadable } = await listPublished(storage, metadata.jobId)
  if (unreadable.some((one) => one.location !== location)) return
  const needed = new Set(completed.flatMap((one) => sharedIn(one.metadata).map(({ path }) => path)))
  const there = new Set(await storage.listShared(metadata.jobId))
  const names = shared.map(({ path }) => path).filter((name) => there.has(name) && !needed.has(name))
  if (names.length === 0) return
  await ports.files.execute([
    ...names.map((name): FileOperation => ({ type: 'remove', path: `${folder}/${SHARED_NAME}/${name}` })),
    { type: 'syncFolder', path: `${folder}/${SHARED_NAME}` },
  ])
}

/** Undefined: it lies elsewhere, as savepoints and copies do. */
function jobFolderOf(location: string, { jobId, checkpointId }: CheckpointMetadata): string | undefined {
  const folder = parentPath(location)
  return lastName(location) === `chk-${checkpointId}` && lastName(folder) === jobId ? folder : undefined
}
