/** Deletes a savepoint, and nothing else: what its verified metadata lists. */
import { StreamError } from '../base/errors.ts'
import type { FileSystem } from '../base/file-system.ts'
import type { CheckpointMetadata } from '../checkpoint/checkpoint-metadata.ts'
import { claimed, claimedBy } from '../checkpoint/claim-mark.ts'
import { savepointFolder } from '../checkpoint/completed-checkpoints.ts'
import { disposeCheckpoint } from '../checkpoint/dispose-checkpoint.ts'
import { processPorts } from './process-ports.ts'

export interface DisposedSavepoint {
  /** The folder that it had. */
  readonly path: string
  /** Names of what stays there because the savepoint does not consist of it; the folder is gone when there are none. */
  readonly left: readonly string[]
}

/**
 * Deletes a savepoint for ever, as Flink's `savepoint -d`: the files that its metadata lists, and its folder when nothing
 * else is in it. Files that are missing already are no obstacle, and after a crash a second call does the rest.
 *
 * Rejects with CHECKPOINT_MISSING when there is no savepoint (or none any more), INVALID_ARGUMENT for a checkpoint of a
 * job, which its job deletes, CHECKPOINT_CLAIMED when a job goes on from it, CHECKPOINT_FOREIGN for a symbolic link,
 * CHECKPOINT_DAMAGED, CHECKPOINT_VERSION, STORAGE_LOCATION and FILE_ERROR. Nothing is deleted then.
 *
 * @param path its folder or its `_metadata` file, as a path or a `file:` URI.
 */
export async function disposeSavepoint(path: string): Promise<DisposedSavepoint> {
  return disposeSavepointOn(processPorts(undefined).files, path)
}

/** The same on a given file system. */
export async function disposeSavepointOn(files: FileSystem, path: string): Promise<DisposedSavepoint> {
  const location = savepointFolder(path)
  const { left } = await disposeCheckpoint(files, location, {
    async allow(metadata) {
      if (metadata.kind === 'checkpoint') throw noSavepoint(location, metadata)
      const owner = await claimedBy(files, location)
      if (owner !== undefined) throw claimed(location, owner)
    },
  })
  return { path: location, left }
}

function noSavepoint(location: string, { checkpointId, jobName, jobId }: CheckpointMetadata): StreamError {
  return new StreamError('INVALID_ARGUMENT', {
    message: `'${location}' is no savepoint: it is checkpoint ${checkpointId} of job "${jobName}" (${jobId}).`,
    hint: `Checkpoints are deleted by their job. When that job is not needed any more, remove its folder as a whole.`,
    details: { location, checkpointId, jobId },
  })
}
