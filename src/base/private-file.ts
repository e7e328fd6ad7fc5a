/** Reads a small file that holds a secret, and says whether anybody but its owner has rights on it. */
import { open } from 'node:fs/promises'
import { fileError } from './file-error.ts'

export interface PrivateFile {
  readonly text: string
  /** Others may read, write or execute it. Always false where files have no such rights (Windows). */
  readonly openToOthers: boolean
}

const LONGEST_BYTES = 65_536
const RIGHTS_OF_OTHERS = 0o077

/** Rights and contents are those of one and the same file. Rejects with FILE_ERROR; what is longer than 64 KiB is cut. */
export async function readPrivateFile(path: string): Promise<PrivateFile> {
  try {
    const file = await open(path)
    try {
      const { mode } = await file.stat()
      const bytes = new Uint8Array(LONGEST_BYTES)
      const { bytesRead } = await file.read(bytes, 0, LONGEST_BYTES, 0)
      return {
        text: new TextDecoder().decode(bytes.subarray(0, bytesRead)),
        openToOthers: process.platform !== 'win32' && (mode & RIGHTS_OF_OTHERS) !== 0,
      }
    } finally {
      await file.close()
    }
  } catch (thrown) {
    throw fileError(thrown, { operation: 'read', path })
  }
}
