/** Reads state behind a handle and believes nothing before length, hash and identity were checked. */
import { DIGEST_CHUNK_BYTES, sha256 } from '../base/digest.ts'
import { systemCodeOf } from '../base/file-error.ts'
import type { ReadHandle } from '../base/file-system.ts'
import type { SnapshotIdentity, SnapshotReader, StateHandle } from '../state/snapshot.ts'
import { damaged, foreign, missing, tooNew } from './checkpoint-errors.ts'
import type { CheckpointMetadata } from './checkpoint-metadata.ts'
import type { CheckpointObjects } from './checkpoint-storage.ts'
import { METADATA_NAME } from './metadata-format.ts'
import { decodeHead, differenceOf, MAX_HEAD_BYTES } from './state-file.ts'

type FileHandle = Extract<StateHandle, { readonly type: 'file' }>

export function snapshotReader(objects: CheckpointObjects, metadata: CheckpointMetadata): SnapshotReader {
  return { read: (handle) => readState(objects, metadata, handle) }
}

/** The payload. Throws CHECKPOINT_MISSING, _FOREIGN, _DAMAGED or _VERSION, which name the file. */
export async function readState(
  objects: CheckpointObjects,
  metadata: CheckpointMetadata,
  handle: StateHandle,
): Promise<Uint8Array> {
  if (handle.type === 'inline') return new Uint8Array(Buffer.from(handle.bytes, 'base64'))
  let payload: Uint8Array | undefined
  let filled = 0
  await scanFile(objects, metadata, handle, (bytes, payloadLength) => {
    payload ??= new Uint8Array(payloadLength)
    payload.set(bytes, filled)
    filled += bytes.length
  })
  return payload ?? new Uint8Array(0)
}

/**
 * Checks every file of a checkpoint before a record flows: it exists, is plain, has the length and the hash that the
 * metadata says, and says itself that it is the state of that operator. Throws as `readState` does.
 */
export async function verifyCheckpoint(objects: CheckpointObjects, metadata: CheckpointMetadata): Promise<void> {
  const plain = new Map((await objects.list()).map((object) => [object.name, object.plain]))
  for (const { handle, expected } of handlesOf(metadata)) {
    const wrong = differenceOf(
      { ...handle.identity, jobId: '', epoch: 0 },
      { ...expected, jobId: '', epoch: 0, keyGroups: handle.identity.keyGroups },
    )
    if (wrong !== undefined)
      throw damaged(`${objects.location}/${METADATA_NAME}`, 'malformed', `at ${placeOf(expected)} ${wrong}`)
    if (handle.type === 'inline') continue
    const path = `${objects.location}/${handle.path}`
    const isPlain = plain.get(handle.path)
    if (isPlain === undefined) throw missing(path, `it holds ${placeOf(expected)}`)
    if (!isPlain) throw foreign(path, 'it is no plain file (symbolic links are not followed)')
    await scanFile(objects, metadata, handle, () => {})
  }
}

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
    for (const { index, keyed, operator } of subtasks) {
      if (keyed !== undefined)
        yield { handle: keyed, expected: { checkpointId, operatorId, subtask: index, kind: 'keyed' } }
      if (operator !== undefined)
        yield { handle: operator, expected: { checkpointId, operatorId, subtask: index, kind: 'operator' } }
    }
  }
}

function placeOf({ kind, operatorId, subtask }: SnapshotIdentity): string {
  return `the ${kind} state of subtask ${subtask} of operator ${operatorId}`
}

/** Gives the payload piece by piece, while it is being checked: it may be used only when this has settled well. */
async function scanFile(
  objects: CheckpointObjects,
  metadata: CheckpointMetadata,
  handle: FileHandle,
  take: (bytes: Uint8Array, payloadLength: number) => void,
): Promise<void> {
  const path = `${objects.location}/${handle.path}`
  const file = await openFile(objects, handle, path)
  try {
    const { size } = await file.stat()
    const first = await file.read(0, Math.min(size, MAX_HEAD_BYTES))
    const headLength = checkHead(first, metadata, handle, path)
    if (size < handle.length) throw damaged(path, 'cut', `it has ${size} bytes instead of ${handle.length}`)
    if (size > handle.length) throw damaged(path, 'lengthened', `it has ${size} bytes instead of ${handle.length}`)
    if (headLength.bad !== undefined) throw damaged(path, 'changed', headLength.bad)
    const hash = sha256()
    for (let offset = 0; offset < size; ) {
      const bytes = await file.read(offset, DIGEST_CHUNK_BYTES)
      if (bytes.length === 0) throw damaged(path, 'cut', `it ends at ${offset} of ${size} bytes`)
      hash.update(bytes)
      const skipped = Math.max(0, headLength.length - offset)
      if (skipped < bytes.length) take(bytes.subarray(skipped), size - headLength.length)
      offset += bytes.length
    }
    if (hash.hex() !== handle.sha256) throw damaged(path, 'changed', 'its SHA-256 is not the one that was written down')
  } finally {
    await file.close()
  }
}

async function openFile(objects: CheckpointObjects, handle: FileHandle, path: string): Promise<ReadHandle> {
  try {
    return await objects.open(handle.path)
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') throw missing(path, `it holds ${placeOf(handle.identity)}`)
    throw thrown
  }
}

/** A head that is whole and says something else is told first: such a file is not damaged, it is the wrong one. */
function checkHead(
  first: Uint8Array,
  metadata: CheckpointMetadata,
  handle: FileHandle,
  path: string,
): { readonly length: number; readonly bad: string | undefined } {
  const head = decodeHead(first)
  if (head.type === 'newer') throw tooNew(path, head.version, head.known)
  if (head.type === 'bad') return { length: 0, bad: `in its head: ${head.what}` }
  const { jobId, epoch } = metadata
  const wrong = differenceOf(head.identity, { ...handle.identity, jobId, epoch })
  if (wrong !== undefined) throw foreign(path, wrong)
  return { length: head.length, bad: undefined }
}
