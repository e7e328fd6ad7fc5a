/** Reads the state of a checkpoint, its own and what it shares with others, and believes nothing before it was checked. */
import { systemCodeOf } from '../base/file-error.ts'
import type { SnapshotIdentity, SnapshotReader, StateHandle, StoredHandle } from '../state/snapshot.ts'
import { damaged, foreign, missing } from './checkpoint-errors.ts'
import type { CheckpointMetadata } from './checkpoint-metadata.ts'
import type { CheckpointObjects, ObjectFolder } from './checkpoint-storage.ts'
import { METADATA_NAME } from './metadata-format.ts'
import { differenceOf, placeOf, type StateFileIdentity } from './state-file.ts'
import { scanState } from './state-scan.ts'
import { handlesOf, sharedIn, storedIn } from './stored-handles.ts'

export function snapshotReader(objects: CheckpointObjects, metadata: CheckpointMetadata): SnapshotReader {
  return {
    read: (handle) => readState(objects, metadata, handle),
    scan: (handle, take) => scanState(objects, metadata, handle, take),
  }
}

/** The payload. Throws CHECKPOINT_MISSING, _FOREIGN, _DAMAGED or _VERSION, which name the file. */
async function readState(
  objects: CheckpointObjects,
  metadata: CheckpointMetadata,
  handle: StoredHandle,
): Promise<Uint8Array> {
  let payload: Uint8Array | undefined
  let filled = 0
  await scanState(objects, metadata, handle, (bytes, payloadLength) => {
    payload ??= new Uint8Array(payloadLength)
    payload.set(bytes, filled)
    filled += bytes.length
  })
  return payload ?? new Uint8Array(0)
}

/**
 * Checks every file before a record flows: each exists, is plain, has the length and the hash that the metadata says, and says itself that it is the state
 * of that operator. Throws CHECKPOINT_MISSING, _FOREIGN, _DAMAGED or _VERSION, which name the file.
 */
export async function verifyCheckpoint(objects: CheckpointObjects, metadata: CheckpointMetadata): Promise<void> {
  const own = await plainIn(objects)
  const shared = sharedIn(metadata).length === 0 ? new Map<string, boolean>() : await plainInShared(objects.shared)
  /** A base may be named by several subtasks: it is read once. */
  const read = new Set<string>()
  for (const { handle, expected } of handlesOf(metadata)) {
    const wrong = misplaced(handle, expected)
    if (wrong !== undefined)
      throw damaged(`${objects.location}/${METADATA_NAME}`, 'malformed', `at ${placeOf(expected)} ${wrong}`)
    for (const stored of storedIn(handle)) {
      if (stored.type === 'inline') continue
      const [folder, names] = stored.type === 'shared' ? [objects.shared, shared] : [objects, own]
      checkPlain(folder, names.get(stored.path), stored)
      const seen = JSON.stringify(stored)
      if (!read.has(seen)) await scanState(objects, metadata, stored, () => {})
      read.add(seen)
    }
  }
}

async function plainIn(folder: ObjectFolder): Promise<ReadonlyMap<string, boolean>> {
  return new Map((await folder.list()).map(({ name, plain }) => [name, plain]))
}

async function plainInShared(folder: ObjectFolder): Promise<ReadonlyMap<string, boolean>> {
  try {
    return await plainIn(folder)
  } catch (thrown) {
    // Without the folder each of its files is missing, and the first of them is named.
    if (systemCodeOf(thrown) === 'ENOENT' || systemCodeOf(thrown) === 'ENOTDIR') return new Map()
    throw thrown
  }
}

function checkPlain(
  { location }: ObjectFolder,
  isPlain: boolean | undefined,
  stored: Exclude<StoredHandle, { readonly type: 'inline' }>,
): void {
  const path = `${location}/${stored.path}`
  if (isPlain === undefined) throw missing(path, `it holds ${placeOf(stored.identity)}`)
  if (!isPlain) throw foreign(path, 'it is no plain file (symbolic links are not followed)')
}

/** In words, why the handle cannot stand in that place; undefined when it can. */
function misplaced(handle: StateHandle, expected: SnapshotIdentity): string | undefined {
  if (handle.type !== 'composite') return differenceOf(sharedAs(handle, expected), withoutOrigin(expected))
  const { index, parts } = handle
  for (const one of [handle, index]) {
    const wrong = differenceOf(withoutOrigin(one.identity), withoutOrigin(expected))
    if (wrong !== undefined) return wrong
  }
  for (const part of parts) {
    const wrong = differenceOf(partAs(part, expected), withoutOrigin(expected))
    if (wrong !== undefined) return wrong
  }
  return undefined
}

/** Small parts stand in the metadata of each checkpoint that names them. */
function partAs(part: StoredHandle, expected: SnapshotIdentity): StateFileIdentity {
  const isEarlier = part.type === 'inline' && part.identity.checkpointId < expected.checkpointId
  return isEarlier ? asIfWrittenNow(part, expected) : sharedAs(part, expected)
}

/** What was written for an earlier checkpoint may have been written by another subtask; the operator is the same. */
function sharedAs(stored: StoredHandle, expected: SnapshotIdentity): StateFileIdentity {
  return stored.type === 'shared' ? asIfWrittenNow(stored, expected) : withoutOrigin(stored.identity)
}

function asIfWrittenNow({ identity }: StoredHandle, { checkpointId, subtask }: SnapshotIdentity): StateFileIdentity {
  return withoutOrigin({ ...identity, checkpointId, subtask })
}

/** Which job and which key groups is not a question of the place. */
function withoutOrigin(identity: SnapshotIdentity): StateFileIdentity {
  return { ...identity, jobId: '', epoch: 0, keyGroups: undefined }
}
