/** Input files with what stands in their folders about them, and where a file is found again that has another name now. */

import type { FileStatus, FileSystem } from '../../base/file-system.ts'
import { parentPath } from '../../base/paths.ts'
import { atOnce } from './at-once.ts'
import { type FileIdentity, hasHeadOf } from './file-identity.ts'
import { entriesOf, findInputFiles, isMissing, type WithoutFiles } from './input-files.ts'

export interface SeenFile {
  readonly path: string
  readonly status: FileStatus
}

/** In the order in which the inputs name them. Those that are gone before they are looked at are left out. */
export async function surveyInputs(
  files: FileSystem,
  inputs: readonly string[],
  withoutFiles: WithoutFiles,
): Promise<readonly SeenFile[]> {
  return lookAt(files, await findInputFiles(files, inputs, withoutFiles))
}

async function lookAt(files: FileSystem, paths: readonly string[]): Promise<readonly SeenFile[]> {
  const seen: (SeenFile | undefined)[] = new Array(paths.length)
  await atOnce(paths.entries(), async ([index, path]) => {
    const status = await files.stat(path)
    if (status?.kind === 'file') seen[index] = { path, status }
  })
  return seen.filter((each) => each !== undefined)
}

/** Where a file was. */
interface Folder {
  /** Undefined when it is gone. */
  readonly device: string | undefined
  readonly byInode: ReadonlyMap<string, readonly SeenFile[]>
}

/**
 * Looks for files that do not stand at their paths any more: among the inputs, and in the folder where each was. What is
 * surveyed is surveyed once, when it is first needed: make a new one for each round.
 */
export class MovedFiles {
  readonly #files: FileSystem
  readonly #inputs: readonly string[]
  #found: Promise<ReadonlyMap<string, readonly SeenFile[]>> | undefined
  readonly #folders = new Map<string, Promise<Folder>>()

  constructor(files: FileSystem, inputs: readonly string[]) {
    this.#files = files
    this.#inputs = inputs
  }

  /** By device, inode and first bytes, and not shorter; undefined when it is nowhere. */
  async find(identity: FileIdentity, path: string): Promise<SeenFile | undefined> {
    const folder = parentPath(path)
    let inFolder = this.#folders.get(folder)
    if (inFolder === undefined) {
      inFolder = this.#surveyFolder(folder)
      this.#folders.set(folder, inFolder)
    }
    const { device, byInode: there } = await inFolder
    const near = await this.#among(there, identity, device)
    if (near !== undefined) return near
    this.#found ??= surveyInputs(this.#files, this.#inputs, 'wait').then(byInode)
    return this.#among(await this.#found, identity, device)
  }

  /** `device`: that of the folder in which the file was. */
  async #among(
    index: ReadonlyMap<string, readonly SeenFile[]>,
    identity: FileIdentity,
    device: string | undefined,
  ): Promise<SeenFile | undefined> {
    for (const seen of index.get(identity.inode) ?? []) {
      // On another disk the same number is another file. A disk that was mounted anew has the number of the folder now.
      const { size, device: its } = seen.status
      if (device !== undefined && its !== device && its !== identity.device) continue
      if (size >= identity.size && (await beginsAs(this.#files, seen.path, identity))) return seen
    }
    return undefined
  }

  async #surveyFolder(folder: string): Promise<Folder> {
    const status = await this.#files.stat(folder)
    const entries = await entriesOf(this.#files, folder)
    const paths = entries.filter(({ kind }) => kind === 'file').map(({ name }) => `${folder}/${name}`)
    return { device: status?.device, byInode: byInode(await lookAt(this.#files, paths)) }
  }
}

/** Whether the file at this path has the first bytes of that one; not, when it is gone. */
export async function beginsAs(files: FileSystem, path: string, identity: FileIdentity): Promise<boolean> {
  try {
    const handle = await files.openRead(path)
    try {
      return await hasHeadOf(handle, identity)
    } finally {
      await handle.close()
    }
  } catch (thrown) {
    if (isMissing(thrown)) return false
    throw thrown
  }
}

function byInode(seen: readonly SeenFile[]): ReadonlyMap<string, readonly SeenFile[]> {
  const index = new Map<string, SeenFile[]>()
  for (const each of seen) {
    const { inode } = each.status
    const same = index.get(inode)
    if (same === undefined) index.set(inode, [each])
    else same.push(each)
  }
  return index
}
