/** What has become of the files that are known, and which ones are new. Files are the same by device, inode and first bytes. */
import type { FileStatus, FileSystem } from '../../base/file-system.ts'
import { atOnce } from './at-once.ts'
import { isCompressed } from './file-chunks.ts'
import { type FileIdentity, HEAD_BYTES, hasHeadOf, identify } from './file-identity.ts'
import { isMissing } from './input-files.ts'
import { beginsAs, MovedFiles, type SeenFile, surveyInputs } from './input-survey.ts'

export interface KnownFile {
  readonly path: string
  /** Its size is that of the last look. */
  readonly identity: FileIdentity
  /** At the last look; of a compressed file only, which nobody follows who would find out that it is another one. */
  readonly modified?: string | undefined
}

export interface Comparison {
  readonly kept: readonly KnownFile[]
  /** Neither among the inputs nor in the folder where it was. */
  readonly missing: readonly KnownFile[]
  readonly fresh: readonly KnownFile[]
  /** Compressed ones that have grown since the last look, with their size before: nobody reads what was added. */
  readonly grownCompressed: readonly GrownFile[]
}

export interface GrownFile {
  readonly file: KnownFile
  readonly sizeBefore: number
}

export async function compareInputs(
  files: FileSystem,
  inputs: readonly string[],
  known: readonly KnownFile[],
): Promise<Comparison> {
  const seen = await surveyInputs(files, inputs, 'wait')
  const unmatched = new Set(known)
  const kept = new Map<KnownFile, KnownFile>()
  const keep = (file: KnownFile, now: KnownFile) => {
    unmatched.delete(file)
    kept.set(file, now)
  }
  const others = await matchByPath(files, seen, known, keep)
  const unknown = await matchMoved(files, others, known, kept, keep)
  await matchMovedOut(files, inputs, unmatched, keep)
  const fresh = await identifyAll(files, unknown)
  return {
    kept: known.flatMap((file) => kept.get(file) ?? []),
    missing: [...unmatched],
    fresh,
    grownCompressed: [...kept].flatMap(([before, file]) => grown(before, file)),
  }
}

function grown(before: KnownFile, file: KnownFile): readonly GrownFile[] {
  const sizeBefore = before.identity.size
  return isCompressed(file.path) && file.identity.size > sizeBefore ? [{ file, sizeBefore }] : []
}

type Keep = (file: KnownFile, now: KnownFile) => void

/** The same inode under the same name is the same file; if it is not, its reader finds out and fails by its name. */
async function matchByPath(
  files: FileSystem,
  seen: readonly SeenFile[],
  known: readonly KnownFile[],
  keep: Keep,
): Promise<readonly SeenFile[]> {
  const byPath = new Map(known.map((file) => [file.path, file]))
  const others: SeenFile[] = []
  const grown: [KnownFile, FileStatus][] = []
  for (const { path, status } of seen) {
    const file = byPath.get(path)
    if (file?.identity.inode !== status.inode) others.push({ path, status })
    else if (isAsKnown(file, status)) keep(file, file)
    else grown.push([file, status])
  }
  await atOnce(grown, async ([file, status]) => {
    const { path } = file
    if (await isStillTheSame(files, file)) keep(file, await brought(files, file, status))
    else others.push({ path, status })
  })
  return others
}

function isAsKnown({ path, identity, modified }: KnownFile, status: FileStatus): boolean {
  const { size, device } = status
  return size === identity.size && device === identity.device && modified === modifiedOf(path, status)
}

/** The number of a deleted file goes to the next one. Of a file that is followed its reader finds that out. */
async function isStillTheSame(files: FileSystem, { path, identity }: KnownFile): Promise<boolean> {
  return !isCompressed(path) || (await beginsAs(files, path, identity))
}

function modifiedOf(path: string, { modified }: FileStatus): string | undefined {
  return isCompressed(path) ? modified : undefined
}

/** As long as fewer bytes than a whole head are known of it, they are brought up to date. */
async function brought(files: FileSystem, file: KnownFile, status: FileStatus): Promise<KnownFile> {
  const { path, identity } = file
  const { size, device } = status
  const modified = modifiedOf(path, status)
  if (isAsKnown(file, status)) return file
  if (identity.headLength < HEAD_BYTES && size > identity.headLength) {
    const longer = await withHandle(files, path, async (handle) =>
      (await hasHeadOf(handle, identity)) ? identify(handle) : undefined,
    )
    if (longer !== undefined && longer.inode === identity.inode) return { path, identity: longer, modified }
  }
  return { path, identity: { ...identity, device, size: Math.max(size, identity.size) }, modified }
}

/** Gives back what is none of the known files under another name. A second name of a known file is none either. */
async function matchMoved(
  files: FileSystem,
  seen: readonly SeenFile[],
  known: readonly KnownFile[],
  kept: ReadonlyMap<KnownFile, KnownFile>,
  keep: Keep,
): Promise<readonly SeenFile[]> {
  if (seen.length === 0) return []
  const byInode = groupByInode(known)
  const unknown: SeenFile[] = []
  await atOnce(seen, async ({ path, status }) => {
    for (const file of byInode.get(status.inode) ?? []) {
      // Of one that this look has found the device is known: on another one the same number is another file.
      const found = kept.get(file)
      if (found !== undefined && found.identity.device !== status.device) continue
      if (status.size < file.identity.size || !(await beginsAs(files, path, file.identity))) continue
      const identity = { ...file.identity, device: status.device }
      if (!kept.has(file)) keep(file, { path, identity, modified: modifiedOf(path, status) })
      return
    }
    if (status.size > 0) unknown.push({ path, status })
  })
  return unknown
}

function groupByInode(known: readonly KnownFile[]): ReadonlyMap<string, readonly KnownFile[]> {
  const groups = new Map<string, KnownFile[]>()
  for (const file of known) groups.set(file.identity.inode, [...(groups.get(file.identity.inode) ?? []), file])
  return groups
}

/** A file whose new name is none of the inputs' any more is still known, as long as it stands where it was found last. */
async function matchMovedOut(
  files: FileSystem,
  inputs: readonly string[],
  unmatched: ReadonlySet<KnownFile>,
  keep: Keep,
): Promise<void> {
  const moved = new MovedFiles(files, inputs)
  await atOnce([...unmatched], async (file) => {
    const status = await files.stat(file.path)
    if (status?.inode === file.identity.inode && (await isStillTheSame(files, file)))
      return keep(file, await brought(files, file, status))
    const found = await moved.find(file.identity, file.path)
    if (found === undefined) return
    const { path } = found
    keep(file, { path, identity: file.identity, modified: modifiedOf(path, found.status) })
  })
}

/** Two names of one file are one file, under the first of them. What is gone by now is left out. */
async function identifyAll(files: FileSystem, seen: readonly SeenFile[]): Promise<readonly KnownFile[]> {
  const first = new Map<string, SeenFile>()
  for (const each of seen) {
    const { device, inode } = each.status
    const key = `${device}:${inode}`
    const known = first.get(key)
    if (known === undefined || each.path < known.path) first.set(key, each)
  }
  const ordered = [...first.values()].sort((one, other) => (one.path < other.path ? -1 : 1))
  const identified: (KnownFile | undefined)[] = new Array(ordered.length)
  await atOnce(ordered.entries(), async ([index, { path, status }]) => {
    const identity = await withHandle(files, path, identify)
    if (identity?.inode === status.inode) identified[index] = { path, identity, modified: modifiedOf(path, status) }
  })
  return identified.filter((each) => each !== undefined)
}

async function withHandle<T>(
  files: FileSystem,
  path: string,
  use: (handle: Awaited<ReturnType<FileSystem['openRead']>>) => Promise<T>,
): Promise<T | undefined> {
  try {
    const handle = await files.openRead(path)
    try {
      return await use(handle)
    } finally {
      await handle.close()
    }
  } catch (thrown) {
    if (isMissing(thrown)) return undefined
    throw thrown
  }
}
