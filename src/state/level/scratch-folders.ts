/**
 * Where stores work: a folder that is nobody's after the process has died, and is then removed by the next one that makes
 * a folder beside it. A lock says who lives.
 */

import { sha256 } from '../../base/digest.ts'
import { StreamError } from '../../base/errors.ts'
import type { FileSystem } from '../../base/file-system.ts'
import type { Ids } from '../../base/ids.ts'
import type { Locks } from '../../base/locks.ts'
import type { Logger } from '../../base/logger.ts'
import type { ProcessIdentity } from '../../base/process-identity.ts'

export interface ScratchPorts {
  readonly files: FileSystem
  readonly locks: Locks
  readonly ids: Ids
  readonly logger: Logger
}

export interface ScratchFolder {
  /** Absolute if the base is. Exists, and is empty at first. */
  readonly path: string
  /** Removes it with everything in it. Harmless when repeated. Every store in it is closed by then. */
  remove(): Promise<void>
}

const PREFIX = 'millrace-scratch-'

/** Removes what dead processes have left in `base`, as `scratchFolder` does. Harmless where there is no base. */
export async function sweepScratchFolders(base: string, owner: ProcessIdentity, ports: ScratchPorts): Promise<void> {
  if ((await ports.files.stat(base)) !== undefined) await sweep(base, beginningFor(owner), ports)
}

/**
 * A new folder in `base`. Those there that dead processes have left are removed first. A lock says nothing about a process
 * in another network namespace or on another host that shares the base, so their folders bear another mark and stay.
 */
export async function scratchFolder(base: string, owner: ProcessIdentity, ports: ScratchPorts): Promise<ScratchFolder> {
  const mark = beginningFor(owner)
  await ports.files.execute([{ type: 'makeFolder', path: base }])
  await sweep(base, mark, ports)
  const name = `${mark}${ports.ids.uniqueName()}`
  const path = `${base}/${name}`
  // First the lock, then the folder: who finds a folder without a lock finds one whose owner is dead.
  const lock = await ports.locks.tryAcquire(name)
  if (lock === undefined)
    throw new StreamError('INTERNAL', {
      message: `The name '${name}' of a new scratch folder is taken.`,
      hint: 'Names are drawn at random. Please report it.',
      details: { path },
    })
  try {
    await ports.files.execute([{ type: 'makeFolder', path, parents: 'mustExist' }])
  } catch (thrown) {
    await lock.release()
    throw thrown
  }
  let removed: Promise<void> | undefined
  const remove = async () => {
    try {
      await ports.files.execute([{ type: 'remove', path }])
    } finally {
      await lock.release()
    }
  }
  return {
    path,
    remove() {
      removed ??= remove()
      return removed
    },
  }
}

async function sweep(base: string, mark: string, ports: ScratchPorts): Promise<void> {
  const found = await ports.files.list(base)
  for (const { name } of found.filter((entry) => entry.kind === 'folder' && entry.name.startsWith(mark))) {
    const lock = await ports.locks.tryAcquire(name)
    if (lock === undefined) continue
    try {
      await ports.files.execute([{ type: 'remove', path: `${base}/${name}` }])
    } catch (thrown) {
      // The folder of another user, say. It is not in our way.
      ports.logger.warn(`A scratch folder that nobody uses stays: ${String(thrown)}`)
    } finally {
      await lock.release()
    }
  }
}

/** Of the names of scratch folders whose locks mean something to this process. */
function beginningFor({ host, namespace }: ProcessIdentity): string {
  const digest = sha256()
  digest.update(Buffer.from(`${host}\0${namespace}`))
  return `${PREFIX}${digest.hex().slice(0, 8)}-`
}
