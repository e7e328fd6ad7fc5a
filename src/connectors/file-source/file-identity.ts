/** What proves that a file is the one that was read before: inode, size, and a hash of its first bytes. */
import { sha256 } from '../../base/digest.ts'
import { StreamError } from '../../base/errors.ts'
import type { FileStatus, ReadHandle } from '../../base/file-system.ts'

export interface FileIdentity {
  readonly device: string
  readonly inode: string
  /** So many bytes are read, also when the file has grown since. */
  readonly size: number
  /** The first bytes, at most 256. */
  readonly headLength: number
  /** Their SHA-256. */
  readonly headHash: string
}

export const HEAD_BYTES = 256

/** What identifies the file behind the handle now. `status`: what is known of it already. */
export async function identify(handle: ReadHandle, status?: FileStatus): Promise<FileIdentity> {
  const { device, inode, size } = status ?? (await handle.stat())
  return { device, inode, size, ...(await hashHead(handle, Math.min(size, HEAD_BYTES))) }
}

/**
 * SOURCE_CHANGED unless the file behind the handle is the one that was read before, and not shorter. The device alone may
 * differ: its number is given anew when a disk is mounted.
 */
export async function checkIdentity(
  handle: ReadHandle,
  path: string,
  known: FileIdentity,
  status?: FileStatus,
): Promise<void> {
  const { inode, size } = status ?? (await handle.stat())
  if (size < known.size) throw changed(path, `is shorter than before: ${size} bytes instead of ${known.size}`)
  if (inode !== known.inode) throw replaced(path, inode, known)
  if (!(await hasHeadOf(handle, known))) throw changed(path, 'begins with other bytes than before')
}

export async function hasHeadOf(handle: ReadHandle, known: FileIdentity): Promise<boolean> {
  return (await hashHead(handle, known.headLength)).headHash === known.headHash
}

export function changed(path: string, how: string): StreamError {
  return new StreamError('SOURCE_CHANGED', {
    message: `Input file ${path} ${how}, so its remaining records cannot be read exactly once.`,
    hint: 'Restore the file as it was, or start the job without its state.',
    details: { path },
  })
}

export function replaced(path: string, inode: string, known: FileIdentity): StreamError {
  return changed(path, `was replaced by another file (inode ${inode} instead of ${known.inode})`)
}

async function hashHead(handle: ReadHandle, length: number): Promise<{ headLength: number; headHash: string }> {
  const bytes = await handle.read(0, length)
  const digest = sha256()
  digest.update(bytes)
  return { headLength: bytes.length, headHash: digest.hex() }
}
