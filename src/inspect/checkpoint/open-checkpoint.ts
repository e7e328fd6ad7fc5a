/** Opens a checkpoint or savepoint for reading, wherever it lies. Nothing is written, locked or run. */
import type { FileSystem } from '../../base/file-system.ts'
import type { CheckpointMetadata, OperatorMetadata } from '../../checkpoint/checkpoint-metadata.ts'
import { readMetadata, savepointFolder } from '../../checkpoint/completed-checkpoints.ts'
import { fileObjects } from '../../checkpoint/file-objects.ts'
import { METADATA_NAME } from '../../checkpoint/metadata-format.ts'
import { snapshotReader, verifyCheckpoint } from '../../checkpoint/state-reading.ts'
import type { SnapshotReader, StoredHandle } from '../../state/snapshot.ts'

export interface OpenCheckpoint {
  /** Its folder. */
  readonly location: string
  readonly metadata: CheckpointMetadata
  readonly reader: SnapshotReader
  /** Every file of these operators is there and is what was written. Throws the errors of `verifyCheckpoint`, which name the file. */
  verify(operators: readonly OperatorMetadata[]): Promise<void>
  /** The file in which the bytes of a handle lie. */
  fileOf(handle: StoredHandle): string
}

/** `path`: its folder or its `_metadata`. Throws CHECKPOINT_MISSING, CHECKPOINT_DAMAGED or CHECKPOINT_VERSION, which name the file. */
export async function openCheckpoint(files: FileSystem, path: string): Promise<OpenCheckpoint> {
  const location = savepointFolder(path)
  const objects = fileObjects(files, location)
  const metadata = await readMetadata(objects)
  return {
    location,
    metadata,
    reader: snapshotReader(objects, metadata),
    verify: (operators) => verifyCheckpoint(objects, { ...metadata, operators }),
    fileOf(handle) {
      if (handle.type === 'inline') return `${location}/${METADATA_NAME}`
      return `${(handle.type === 'shared' ? objects.shared : objects).location}/${handle.path}`
    },
  }
}
