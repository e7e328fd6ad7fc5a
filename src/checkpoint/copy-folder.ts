/** Copies a checkpoint to another file system: everything durable there, the last name last. Nothing is left after a failure. */
import { DIGEST_CHUNK_BYTES } from '../base/digest.ts'
import type { FileSystem } from '../base/file-system.ts'
import { parentPath } from '../base/paths.ts'

export async function copyFolder(files: FileSystem, from: string, to: string, lastName: string): Promise<void> {
  try {
    await files.execute([{ type: 'makeFolder', path: to }])
    for (const { name } of await files.list(from))
      if (name !== lastName) await copyFile(files, `${from}/${name}`, `${to}/${name}`)
    await files.execute([
      { type: 'syncFolder', path: to },
      { type: 'writeNew', path: `${to}/${lastName}`, bytes: await files.read(`${from}/${lastName}`) },
      { type: 'syncFolder', path: to },
      { type: 'syncFolder', path: parentPath(to) },
    ])
  } catch (thrown) {
    await files.execute([{ type: 'remove', path: to }]).catch(() => {
      // The disk that refused the copy may refuse this too: a folder without its last file is no savepoint.
    })
    throw thrown
  }
}

async function copyFile(files: FileSystem, from: string, to: string): Promise<void> {
  const source = await files.openRead(from)
  try {
    const target = await files.createExclusive(to)
    try {
      for (let offset = 0; ; ) {
        const bytes = await source.read(offset, DIGEST_CHUNK_BYTES)
        if (bytes.length === 0) break
        await target.append(bytes)
        offset += bytes.length
      }
      await target.sync()
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}
