/** The folder of the user's that savepoints are put into: made, and tried, before anything stops for one. */
import type { FileSystem } from '../base/file-system.ts'
import type { Ids } from '../base/ids.ts'
import { syncAncestors } from '../base/sync-ancestors.ts'

/** One byte: a full disk takes an empty file. */
const PROBE = Uint8Array.of(0)

/**
 * Makes the folder if it is missing, and leaves nothing in it. Rejects with the FILE_ERROR of the disk where a savepoint
 * could not be written there now.
 *
 * @param folder absolute.
 */
export async function prepareSavepointFolder(files: FileSystem, ids: Ids, folder: string): Promise<void> {
  const path = `${folder}/.probe-${ids.uniqueName()}`
  await files.execute([{ type: 'makeFolder', path: folder }])
  await syncAncestors(files, folder)
  try {
    await files.execute([{ type: 'writeNew', path, bytes: PROBE }])
  } catch (thrown) {
    await files.execute([{ type: 'remove', path }]).catch(() => {
      // The disk that refused it may refuse this too: what it refused first is what is told.
    })
    throw thrown
  }
  await files.execute([{ type: 'remove', path }])
}
