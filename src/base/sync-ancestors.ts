/**
 * A folder that exists need not be durable: a process that was killed between making it and syncing its parent leaves
 * one. So whoever is going to rely on a folder syncs everything above it, once.
 */
import { systemCodeOf } from './file-error.ts'
import type { FileSystem } from './file-system.ts'
import { parentPath } from './paths.ts'

/** Ours are 0700 and our own: a folder that refuses is not one that we made. */
const NOT_OURS = new Set(['EACCES', 'EPERM', 'EROFS', 'EINVAL'])

/** @param path absolute. Every entry on the way to it is durable afterwards. */
export async function syncAncestors(files: FileSystem, path: string): Promise<void> {
  for (let folder = path; folder !== '/'; ) {
    folder = parentPath(folder)
    try {
      await files.execute([{ type: 'syncFolder', path: folder }])
    } catch (thrown) {
      if (!NOT_OURS.has(systemCodeOf(thrown) ?? '')) throw thrown
    }
    // On Windows the way up ends at a drive, which has no slash to cut.
    if (!folder.includes('/')) return
  }
}
