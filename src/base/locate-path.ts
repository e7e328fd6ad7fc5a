/** Where a path really leads, and whose the folder is: for whoever lets a stranger name one. Reads the disk, changes nothing. */
import { lstat, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileError } from './file-error.ts'
import type { LocatedPath } from './file-system.ts'
import { lastName } from './paths.ts'

/** With it a folder of somebody else's takes files of everybody, and nobody touches those of others: `/tmp`. */
const STICKY_AND_OPEN = 0o1002

/** As `FileSystem.locate`. */
export async function locatePath(path: string): Promise<LocatedPath> {
  let missing = ''
  for (let at = path; ; at = dirname(at)) {
    const existing = await realPathOf(at)
    if (existing !== undefined)
      return { path: `${existing === '/' ? '' : existing}${missing}` || '/', existing, owner: await ownerOf(existing) }
    missing = `/${lastName(at)}${missing}`
  }
}

/** Undefined: nothing is there, not even a link that leads nowhere. `isSecondLook`: something was, a moment ago. */
async function realPathOf(path: string, isSecondLook = false): Promise<string | undefined> {
  try {
    const real = await realpath(path)
    return process.platform === 'win32' ? real.replaceAll('\\', '/') : real
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    const mayBeMissing = (code === 'ENOENT' || code === 'ENOTDIR') && dirname(path) !== path
    if (mayBeMissing && !(await isThere(path))) return undefined
    if (!mayBeMissing || isSecondLook) throw fileError(thrown, { operation: 'follow', path })
    // It is a link that leads nowhere, or somebody has just made it.
    return realPathOf(path, true)
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return false
    throw fileError(thrown, { operation: 'look at', path })
  }
}

async function ownerOf(path: string): Promise<LocatedPath['owner']> {
  const self = process.getuid?.()
  // Windows counts no owners; root may go anywhere already.
  if (self === undefined || self === 0) return 'self'
  try {
    const { uid, mode } = await stat(path)
    if (uid === self) return 'self'
    return (mode & STICKY_AND_OPEN) === STICKY_AND_OPEN ? 'everybody' : 'other'
  } catch (thrown) {
    throw fileError(thrown, { operation: 'look at', path })
  }
}
