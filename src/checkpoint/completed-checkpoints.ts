/**
 * Finds and reads completed checkpoints. Which is the newest is decided by epoch and id inside verified metadata, never
 * by times or names of files; one that cannot be read is never passed over when it may be the newest.
 */
import { systemCodeOf } from '../base/file-error.ts'
import { lastName, localPath, parentPath } from '../base/paths.ts'
import { damaged, foreign, missing } from './checkpoint-errors.ts'
import type { CheckpointMetadata } from './checkpoint-metadata.ts'
import type { CheckpointObjects, CheckpointStorage } from './checkpoint-storage.ts'
import { decodeMetadata, MAX_METADATA_BYTES, METADATA_NAME } from './metadata-format.ts'

export interface CompletedCheckpoint {
  readonly location: string
  readonly metadata: CheckpointMetadata
}

export interface PublishedCheckpoints {
  /** By epoch, then id; the newest last. */
  readonly completed: readonly CompletedCheckpoint[]
  /** Their metadata could not be read, and why. */
  readonly unreadable: readonly { readonly checkpointId: number; readonly error: unknown }[]
  /** Of everything that stands there under the name of a checkpoint; 0 when nothing does. */
  readonly highestId: number
}

/** Reads `_metadata`. Throws CHECKPOINT_MISSING, CHECKPOINT_DAMAGED or CHECKPOINT_VERSION, which name the file. */
export async function readMetadata(objects: CheckpointObjects): Promise<CheckpointMetadata> {
  const path = `${objects.location}/${METADATA_NAME}`
  try {
    const file = await objects.open(METADATA_NAME)
    try {
      const { size } = await file.stat()
      if (size > MAX_METADATA_BYTES)
        throw damaged(path, 'lengthened', `it has ${size} bytes, more than any checkpoint's`)
      return decodeMetadata(await file.read(0, size), path)
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
  const unreadable: { checkpointId: number; error: unknown }[] = []
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
      unreadable.push({ checkpointId, error })
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
