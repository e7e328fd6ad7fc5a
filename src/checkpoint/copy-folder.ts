/** Puts a checkpoint elsewhere, from a folder or from memory: everything durable there, the last name last. Nothing is left after a failure. */
import { DIGEST_CHUNK_BYTES } from '../base/digest.ts'
import type { FileSystem } from '../base/file-system.ts'
import { parentPath } from '../base/paths.ts'
import { syncAncestors } from '../base/sync-ancestors.ts'

export function copyFolder(files: FileSystem, from: string, to: string, lastName: string): Promise<void> {
  return allOrNothing(files, to, async () => {
    await files.execute([{ type: 'makeFolder', path: to, parents: 'mustExist' }])
    for (const { name } of await files.list(from))
      if (name !== lastName) await copyFile(files, `${from}/${name}`, `${to}/${name}`)
    await writeLast(files, to, { name: lastName, bytes: await files.read(`${from}/${lastName}`) })
  })
}

/** The folder above `to` is made if it is missing; `to` is new. */
export async function writeFolder(
  files: FileSystem,
  objects: ReadonlyMap<string, Uint8Array>,
  to: string,
  last: { readonly name: string; readonly bytes: Uint8Array },
): Promise<void> {
  await files.execute([{ type: 'makeFolder', path: parentPath(to) }])
  await syncAncestors(files, parentPath(to))
  return allOrNothing(files, to, async () => {
    await files.execute([{ type: 'makeFolder', path: to, parents: 'mustExist' }])
    for (const [name, bytes] of objects) await files.execute([{ type: 'writeNew', path: `${to}/${name}`, bytes }])
    await writeLast(files, to, last)
  })
}

function writeLast(
  files: FileSystem,
  to: string,
  last: { readonly name: string; readonly bytes: Uint8Array },
): Promise<void> {
  return files.execute([
    { type: 'syncFolder', path: to },
    { type: 'writeNew', path: `${to}/${last.name}`, bytes: last.bytes },
    { type: 'syncFolder', path: to },
    { type: 'syncFolder', path: parentPath(to) },
  ])
}

async function allOrNothing(files: FileSystem, to: string, write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (thrown) {
    await files.execute([{ type: 'remove', path: to }]).catch(() => {
      // The disk that refused it may refuse this too: a folder without its last file is no savepoint.
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
