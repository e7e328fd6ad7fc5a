/** What stands in the metadata of a checkpoint: every piece of state, and which files it wrote and which it shares. */
import type {
  FileHandle,
  OperatorSubtaskState,
  SharedHandle,
  SnapshotIdentity,
  StateHandle,
  StoredHandle,
} from '../state/snapshot.ts'
import type { CheckpointMetadata } from './checkpoint-metadata.ts'

/** Every handle of a checkpoint, with the identity that its place asks for. */
export function* handlesOf(
  metadata: CheckpointMetadata,
): Iterable<{ readonly handle: StateHandle; readonly expected: SnapshotIdentity }> {
  const { checkpointId } = metadata
  for (const { operatorId, coordinator, subtasks } of metadata.operators) {
    if (coordinator !== undefined)
      yield {
        handle: coordinator,
        expected: { checkpointId, operatorId, subtask: coordinator.identity.subtask, kind: 'coordinator' },
      }
    for (const { index, keyed, operator, channels } of subtasks) {
      if (keyed !== undefined)
        yield { handle: keyed, expected: { checkpointId, operatorId, subtask: index, kind: 'keyed' } }
      if (operator !== undefined)
        yield { handle: operator, expected: { checkpointId, operatorId, subtask: index, kind: 'operator' } }
      if (channels !== undefined)
        yield { handle: channels.handle, expected: { checkpointId, operatorId, subtask: index, kind: 'channels' } }
    }
  }
}

/** All that one subtask stored for one operator. */
export function handlesIn({
  keyed,
  operator,
  channels,
}: Pick<OperatorSubtaskState, 'keyed' | 'operator' | 'channels'>): readonly StateHandle[] {
  return [keyed, operator, channels?.handle].filter((handle) => handle !== undefined)
}

/** The handle itself; of a composite its index and then its parts. */
export function storedIn(handle: StateHandle): readonly StoredHandle[] {
  return handle.type === 'composite' ? [handle.index, ...handle.parts] : [handle]
}

/** The shared files that a checkpoint names, each once. */
export function sharedIn(metadata: CheckpointMetadata): readonly SharedHandle[] {
  const byName = new Map<string, SharedHandle>()
  for (const stored of allStored(metadata)) if (stored.type === 'shared') byName.set(stored.path, stored)
  return [...byName.values()]
}

/** Whether records were in flight, so that it must have been unaligned. */
export function holdsChannels({ operators }: CheckpointMetadata): boolean {
  return operators.some(({ subtasks }) => subtasks.some(({ channels }) => channels !== undefined))
}

/** Those in the folder of the checkpoint itself. */
export function ownFilesIn(metadata: CheckpointMetadata): readonly FileHandle[] {
  return [...allStored(metadata)].filter((stored) => stored.type === 'file')
}

/** Whether the checkpoint wrote the shared file itself; else an earlier one of the job did. */
export function isNewIn(
  { epoch, checkpointId }: Pick<CheckpointMetadata, 'epoch' | 'checkpointId'>,
  shared: SharedHandle,
): boolean {
  return shared.epoch === epoch && shared.identity.checkpointId === checkpointId
}

/** The bytes of the files that the checkpoint wrote; what it shares with earlier ones cost nothing. */
export function bytesWrittenFor(metadata: CheckpointMetadata): number {
  const own = ownFilesIn(metadata).reduce((sum, { length }) => sum + length, 0)
  const shared = sharedIn(metadata).filter((one) => isNewIn(metadata, one))
  return shared.reduce((sum, { length }) => sum + length, own)
}

/** Of state that belongs to no checkpoint: the files that were written for it, never those that it shares with another one. */
export function writtenFor(handle: StateHandle, epoch: number): readonly (FileHandle | SharedHandle)[] {
  const { checkpointId } = handle.identity
  return storedIn(handle).filter(
    (stored): stored is FileHandle | SharedHandle =>
      stored.type !== 'inline' &&
      stored.identity.checkpointId === checkpointId &&
      (stored.type === 'file' || stored.epoch === epoch),
  )
}

function* allStored(metadata: CheckpointMetadata): Iterable<StoredHandle> {
  for (const { handle } of handlesOf(metadata)) yield* storedIn(handle)
}
