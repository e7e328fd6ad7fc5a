/** A file system whose reads are counted, and through which nothing can be written. */
import { StreamError } from '../../base/errors.ts'
import type { FileSystem } from '../../base/file-system.ts'

/** `read` hears of each piece: how many bytes it has. */
export function countedFiles(files: FileSystem, read: (bytes: number) => void): FileSystem {
  const refuse = async (): Promise<never> => {
    throw new StreamError('INTERNAL', { message: 'Something was about to be written while a checkpoint is inspected.' })
  }
  return {
    async openRead(path) {
      const file = await files.openRead(path)
      return {
        async read(offset, length) {
          const bytes = await file.read(offset, length)
          read(bytes.length)
          return bytes
        },
        stat: () => file.stat(),
        close: () => file.close(),
      }
    },
    read: (path) => files.read(path),
    stat: (path) => files.stat(path),
    list: (path) => files.list(path),
    gunzip: (packed, chunkBytes) => files.gunzip(packed, chunkBytes),
    createExclusive: refuse,
    execute: refuse,
  }
}
