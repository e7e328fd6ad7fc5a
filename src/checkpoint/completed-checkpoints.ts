/**
 * Finds and reads completed checkpoints. Which is the newest is decided by epoch and id inside verified metadata, never
 * by times or names of files; one that cannot be read is never passed over when it may be the newest.
 */
import { systemCodeOf } from '../base/file-error.ts'
import { lastName, localPath, parentPath } from '../base/paths.ts'
import { foreign, missing } from './checkpoint-errors.ts'
import type { CheckpointMetadata } from './checkpoint-metadata.ts'
import type { CheckpointObjects, CheckpointStorage } from './checkpoint-storage.ts'
import { decodeMetadata, METADATA_HEAD_BYTES, METADATA_NAME, metadataLength } from './metadata-format.ts'

export interface CompletedCheckpoint {
  readonly location: string
  readonly metadata: CheckpointMetadata
}

export interface UnreadableCheckpoint {
  readonly checkpointId: number
  readonly location: string
  readonly error: unknown
}

export interface PublishedCheckpoints {
  /** By epoch, then id; the newest last. */
  readonly completed: readonly CompletedCheckpoint[]
  /** Their metadata could not be read, and why. */
  readonly unreadable: readonly UnreadableCheckpoint[]
  /** Of everything that stands there under the name of a checkpoint; 0 when nothing does. */
  readonly highestId: number
}

/** Reads `_metadata`. Throws CHECKPOINT_MISSING, CHECKPOINT_DAMAGED or CHECKPOINT_VERSION, which name the file. */
export async function readMetadata(
  objects: CheckpointObjects,
  name: string = METADATA_NAME,
): Promise<CheckpointMetadata> {
  const path = `${objects.location}/${name}`
  try {
    const file = await objects.open(name)
    try {
      const { size } = await file.stat()
      const length = metadataLength(await file.read(0, METADATA_HEAD_BYTES), size, path)
      return decodeMetadata(await file.read(0, length), path)
    } finally {
      await file.close()
    }
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT' || systemCodeOf(thrown) === 'ENOTDIR')
      throw missing(path, 'no checkpoint or savepoint is complete without it')
    throw thrown
  }
}

export async function listPublished(storage: CheckpointStorage, jobId: string): Promise<PublishedCheckpoints> {
  const completed: CompletedCheckpoint[] = []
  const unreadable: UnreadableCheckpoint[] = []
  let highestId = 0
  for (const { checkpointId, location } of await storage.listCheckpoints(jobId)) {
    highestId = Math.max(highestId, checkpointId)
    try {
      const metadata = await readMetadata(storage.at(location))
      const path = `${location}/${METADATA_NAME}`
      if (metadata.jobId !== jobId) throw foreign(path, `it is of another job, ${metadata.jobId} instead of ${jobId}`)
      if (metadata.checkpointId !== checkpointId)
        throw foreign(path, `it is of checkpoint ${metadata.checkpointId} instead of ${checkpointId}`)
      completed.push({ location, metadata })
    } catch (error) {
      // Whether that matters is for the caller to say: an older one than the newest readable one is not needed.
      unreadable.push({ checkpointId, location, error })
    }
  }
  completed.sort(
    (one, other) =>
      one.metadata.epoch - other.metadata.epoch || one.metadata.checkpointId - other.metadata.checkpointId,
  )
  return { completed, unreadable, highestId }
}

/** The folder that a path or URI names: of a savepoint or a retained checkpoint, or its `_metadata` file. */
export function savepointFolder(path: string): string {
  const local = localPath(path)
  return lastName(local) === METADATA_NAME ? parentPath(local) : local
}
