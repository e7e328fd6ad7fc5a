/** One input file with the position behind its last emitted record, and what proves that it is still the same file. */
import { sha256 } from '../../base/digest.ts'
import { StreamError } from '../../base/errors.ts'
import type { ReadHandle } from '../../base/file-system.ts'
import type { SourceSplit } from '../../operators/source.ts'

export interface FileSplit extends SourceSplit {
  readonly path: string
  /** Of the first byte that is not read yet; of a compressed file counted uncompressed. */
  readonly offset: number
  /** Before the offset. */
  readonly lines: number
  /** From the first time that the file was opened. */
  readonly identity?: FileIdentity | undefined
  /** CSV: names by position, once they are known. */
  readonly columns?: readonly string[] | undefined
}

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

const HEAD_BYTES = 256

export function freshSplit(path: string): FileSplit {
  return { id: path, path, offset: 0, lines: 0 }
}

/** What identifies the file behind the handle now. */
export async function identify(handle: ReadHandle): Promise<FileIdentity> {
  const { device, inode, size } = await handle.stat()
  return { device, inode, size, ...(await hashHead(handle, HEAD_BYTES)) }
}

/**
 * SOURCE_CHANGED unless the file behind the handle is the one that was read before, and not shorter. The device alone may
 * differ: its number is given anew when a disk is mounted.
 */
export async function checkIdentity(handle: ReadHandle, path: string, known: FileIdentity): Promise<void> {
  const { inode, size } = await handle.stat()
  if (size < known.size) throw changed(path, `is shorter than before: ${size} bytes instead of ${known.size}`)
  if (inode !== known.inode)
    throw changed(path, `was replaced by another file (inode ${inode} instead of ${known.inode})`)
  const head = await hashHead(handle, known.headLength)
  if (head.headHash !== known.headHash) throw changed(path, `begins with other bytes than before`)
}

export function changed(path: string, how: string): StreamError {
  return new StreamError('SOURCE_CHANGED', {
    message: `Input file ${path} ${how}, so its remaining records cannot be read exactly once.`,
    hint: 'Restore the file as it was, or start the job without its state.',
    details: { path },
  })
}

async function hashHead(handle: ReadHandle, length: number): Promise<{ headLength: number; headHash: string }> {
  const bytes = await handle.read(0, length)
  const digest = sha256()
  digest.update(bytes)
  return { headLength: bytes.length, headHash: digest.hex() }
}
