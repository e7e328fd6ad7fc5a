/** Reads one stored piece of state, block by block, and checks length, hash and identity meanwhile. */
import { DIGEST_CHUNK_BYTES, sha256 } from '../base/digest.ts'
import { systemCodeOf } from '../base/file-error.ts'
import type { ReadHandle } from '../base/file-system.ts'
import type { FileHandle, SharedHandle, SnapshotReader, StoredHandle } from '../state/snapshot.ts'
import { damaged, foreign, missing, tooNew } from './checkpoint-errors.ts'
import type { CheckpointMetadata } from './checkpoint-metadata.ts'
import type { CheckpointObjects, ObjectFolder } from './checkpoint-storage.ts'
import { decodeHead, differenceOf, MAX_HEAD_BYTES, placeOf } from './state-file.ts'

/** Takes the payload piece by piece; the next piece comes when its promise has settled. */
export type TakeBytes = Parameters<SnapshotReader['scan']>[1]

/**
 * The payload piece by piece, while it is being checked: it may be used only when this has settled well. Throws
 * CHECKPOINT_MISSING, _FOREIGN, _DAMAGED or _VERSION, which name the file.
 */
export async function scanState(
  objects: CheckpointObjects,
  { jobId, epoch }: Pick<CheckpointMetadata, 'jobId' | 'epoch'>,
  handle: StoredHandle,
  take: TakeBytes,
): Promise<void> {
  switch (handle.type) {
    case 'inline': {
      const bytes = new Uint8Array(Buffer.from(handle.bytes, 'base64'))
      return take(bytes, bytes.length)
    }
    case 'file':
      return scanFile(objects, { jobId, epoch }, handle, take)
    case 'shared':
      return scanFile(objects.shared, { jobId, epoch: handle.epoch }, handle, take)
  }
}

/** Who wrote the file, as far as its handle does not say it. */
interface FileOrigin {
  readonly jobId: string
  readonly epoch: number
}

async function scanFile(
  objects: ObjectFolder,
  origin: FileOrigin,
  handle: FileHandle | SharedHandle,
  take: TakeBytes,
): Promise<void> {
  const path = `${objects.location}/${handle.path}`
  const file = await openFile(objects, handle, path)
  try {
    const { size } = await file.stat()
    const first = await file.read(0, Math.min(size, MAX_HEAD_BYTES))
    const headLength = checkHead(first, origin, handle, path)
    if (size < handle.length) throw damaged(path, 'cut', `it has ${size} bytes instead of ${handle.length}`)
    if (size > handle.length) throw damaged(path, 'lengthened', `it has ${size} bytes instead of ${handle.length}`)
    if (headLength.bad !== undefined) throw damaged(path, 'changed', headLength.bad)
    const hash = sha256()
    for (let offset = 0; offset < size; ) {
      const bytes = await file.read(offset, DIGEST_CHUNK_BYTES)
      if (bytes.length === 0) throw damaged(path, 'cut', `it ends at ${offset} of ${size} bytes`)
      hash.update(bytes)
      const skipped = Math.max(0, headLength.length - offset)
      if (skipped < bytes.length) await take(bytes.subarray(skipped), size - headLength.length)
      offset += bytes.length
    }
    if (hash.hex() !== handle.sha256) throw damaged(path, 'changed', 'its SHA-256 is not the one that was written down')
  } finally {
    await file.close()
  }
}

async function openFile(objects: ObjectFolder, handle: FileHandle | SharedHandle, path: string): Promise<ReadHandle> {
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
  origin: FileOrigin,
  handle: FileHandle | SharedHandle,
  path: string,
): { readonly length: number; readonly bad: string | undefined } {
  const head = decodeHead(first)
  if (head.type === 'newer') throw tooNew(path, head.version, head.known)
  if (head.type === 'bad') return { length: 0, bad: `in its head: ${head.what}` }
  const wrong = differenceOf(head.identity, { ...handle.identity, ...origin })
  if (wrong !== undefined) throw foreign(path, wrong)
  return { length: head.length, bad: undefined }
}
