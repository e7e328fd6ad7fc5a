/** One look at a file that is followed and has been read to its end: has it grown, is it still there, is it still the same? */
import type { FileStatus, FileSystem } from '../../base/file-system.ts'
import { changed, type FileIdentity, replaced } from './file-identity.ts'
import type { FollowedFile } from './followed-file.ts'
import { beginsAs, type MovedFiles } from './input-survey.ts'

export type LookResult =
  | 'same'
  /** There is something to read; it is open. */
  | 'grown'
  /** It was deleted, or moved to where nobody looks; whatever it held was read. */
  | 'gone'

export interface Look {
  readonly files: FileSystem
  readonly inputs: readonly string[]
  /** Of this round. */
  readonly moved: MovedFiles
}

/** SOURCE_CHANGED when it is shorter, another one, or gone with something that was not read. */
export function lookAt<T>(file: FollowedFile<T>, look: Look): Promise<LookResult> {
  return file.handle === undefined ? lookAtClosed(file, look) : lookAtOpen(file, look)
}

async function lookAtOpen<T>(file: FollowedFile<T>, look: Look): Promise<LookResult> {
  const { handle, identity, path } = file
  if (handle === undefined || identity === undefined) return 'same'
  const status = await handle.stat()
  const { size, links, modified } = status
  if (size !== identity.size || modified !== file.modified) await file.verify(handle)
  if ((file.identity?.size ?? size) > identity.size) return 'grown'
  if (links !== 0) return 'same'
  await refuseCopy(path, identity, look.files, await look.files.stat(path))
  return 'gone'
}

async function lookAtClosed<T>(file: FollowedFile<T>, look: Look): Promise<LookResult> {
  const { identity, path } = file
  // Known before it is parked for the first time, and kept in state.
  if (identity === undefined) return 'same'
  const found = await find(path, identity, look)
  if (found.status === undefined) return notFound(file, identity, look, found.atPath)
  file.missing = false
  if (found.path !== path) {
    file.path = found.path
    file.split = { ...file.split, path: found.path }
  }
  const { size, modified } = found.status
  if (file.verified && size === identity.size && modified === file.modified) return 'same'
  await file.open(look.files, look.inputs)
  if ((file.identity?.size ?? 0) > identity.size || !file.caughtUp) return 'grown'
  await file.closeHandle()
  return 'same'
}

interface Found {
  readonly path: string
  readonly status: FileStatus | undefined
  /** What stands at the path in its place. */
  readonly atPath: FileStatus | undefined
}

async function find(path: string, identity: FileIdentity, { files, moved }: Look): Promise<Found> {
  const atPath = await files.stat(path)
  if (atPath?.inode === identity.inode) return { path, status: atPath, atPath }
  const found = await moved.find(identity, path)
  return { path: found?.path ?? path, status: found?.status, atPath }
}

/** Only the second look in a row counts: a file may be renamed while the folder is being read. */
async function notFound<T>(
  file: FollowedFile<T>,
  identity: FileIdentity,
  { files }: Look,
  atPath: FileStatus | undefined,
): Promise<LookResult> {
  if (!file.missing) {
    file.missing = true
    return 'same'
  }
  if (!file.caughtUp)
    throw atPath === undefined ? changed(file.path, 'was deleted') : replaced(file.path, atPath.inode, identity)
  await refuseCopy(file.path, identity, files, atPath)
  return 'gone'
}

/**
 * Another file where one was that has been read: if it begins as that one did, it is that one, rewritten, and would be read
 * again. Otherwise rotation or deletion has made room for it.
 */
async function refuseCopy(
  path: string,
  identity: FileIdentity,
  files: FileSystem,
  atPath: FileStatus | undefined,
): Promise<void> {
  if (atPath === undefined || atPath.inode === identity.inode || atPath.kind !== 'file') return
  if (await beginsAs(files, path, identity)) throw replaced(path, atPath.inode, identity)
}

/** Whether a file that is to be closed will be found again: it may have been moved away while it was open. */
export async function canBeFoundAgain<T>(file: FollowedFile<T>, look: Look): Promise<boolean> {
  const { identity, path } = file
  if (identity === undefined) return true
  const found = await find(path, identity, look)
  if (found.status === undefined) return false
  file.path = found.path
  return true
}
