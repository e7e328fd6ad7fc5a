/** Input files on a simulated disk, and file systems that read them in small pieces. */
import type { FileSystem } from '../../../src/base/file-system.ts'
import { SimulatedFileSystem } from '../../../src/base/simulated-file-system.ts'

export async function diskWith(contents: Readonly<Record<string, string | Uint8Array>>): Promise<SimulatedFileSystem> {
  const files = new SimulatedFileSystem()
  for (const [path, content] of Object.entries(contents)) await writeFile(files, path, content)
  return files
}

export async function writeFile(files: FileSystem, path: string, content: string | Uint8Array): Promise<void> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  await files.execute([
    { type: 'makeFolder', path: path.slice(0, path.lastIndexOf('/')) },
    { type: 'writeNew', path, bytes },
  ])
}

/** The same files, at most so many bytes a read. */
export function inPiecesOf(files: FileSystem, bytes: number): FileSystem {
  return {
    read: (path) => files.read(path),
    stat: (path) => files.stat(path),
    list: (path) => files.list(path),
    createExclusive: (path) => files.createExclusive(path),
    execute: (operations) => files.execute(operations),
    gunzip: (packed, chunkBytes) => files.gunzip(packed, chunkBytes),
    async openRead(path) {
      const handle = await files.openRead(path)
      return {
        read: (offset, length) => handle.read(offset, Math.min(length, bytes)),
        stat: () => handle.stat(),
        close: () => handle.close(),
      }
    },
  }
}
