/** Finds the input files behind paths, folders and glob patterns. Reads names only, no contents. */
import picomatch from 'picomatch'
import { StreamError } from '../../base/errors.ts'
import type { FileSystem, FolderEntry } from '../../base/file-system.ts'
import { localPath } from '../../base/paths.ts'

/** What becomes of an input that names no file at all: INPUT_MISSING, or it is waited for. */
export type WithoutFiles = 'fail' | 'wait'

/**
 * Absolute paths, without repetition, sorted within each input. A folder stands for all files below it but those whose
 * name, or whose folder's name, begins with a dot or an underscore.
 */
export async function findInputFiles(
  files: FileSystem,
  inputs: readonly string[],
  withoutFiles: WithoutFiles,
): Promise<readonly string[]> {
  const found = new Set<string>()
  for (const input of inputs) {
    const paths = await filesOf(files, input)
    if (paths.length === 0 && withoutFiles === 'fail') throw missing(input)
    for (const path of paths) found.add(path)
  }
  return [...found]
}

async function filesOf(files: FileSystem, input: string): Promise<readonly string[]> {
  const path = localPath(input)
  // A name that exists is meant literally, whatever characters it holds.
  const status = await files.stat(path)
  if (status?.kind === 'file') return [path]
  if (status?.kind === 'folder') return walk(files, path, '', { enter: isVisible, take: isVisible })
  const { base, glob } = picomatch.scan(input)
  if (glob === '') return []
  const root = localPath(base === '' ? '.' : base)
  if ((await files.stat(root))?.kind !== 'folder') return []
  const matches = picomatch(glob)
  const depth = /\*\*|[{(]/.test(glob) ? Number.POSITIVE_INFINITY : glob.split('/').length
  return walk(files, root, '', {
    enter: (_name, relative) => relative.split('/').length < depth,
    take: (_name, relative) => matches(relative),
  })
}

interface Choice {
  enter(name: string, relative: string): boolean
  take(name: string, relative: string): boolean
}

async function walk(files: FileSystem, root: string, under: string, choice: Choice): Promise<readonly string[]> {
  const found: string[] = []
  for (const { name, kind } of await entriesOf(files, under === '' ? root : `${root}/${under}`)) {
    const relative = under === '' ? name : `${under}/${name}`
    const path = `${root}/${relative}`
    if (!(kind === 'folder' ? choice.enter(name, relative) : choice.take(name, relative))) continue
    if (name.includes('\uFFFD')) await refuseNoText(files, path)
    // Not by `push(...)`: a folder may hold more files than a call may have arguments.
    if (kind === 'folder') for (const below of await walk(files, root, relative, choice)) found.push(below)
    else if (await isFile(files, kind, path)) found.push(path)
  }
  return found
}

/** None, when the folder was removed while the files were being looked for. */
export async function entriesOf(files: FileSystem, folder: string): Promise<readonly FolderEntry[]> {
  try {
    return await files.list(folder)
  } catch (thrown) {
    if (isMissing(thrown)) return []
    throw thrown
  }
}

/** Whether the disk said that there is no such file or folder. */
export function isMissing(thrown: unknown): boolean {
  return StreamError.is(thrown) && thrown.details.systemCode === 'ENOENT'
}

/** A symbolic link to a file is one. */
async function isFile(files: FileSystem, kind: 'file' | 'other', path: string): Promise<boolean> {
  return kind === 'file' || (await files.stat(path))?.kind === 'file'
}

/** A name that is not UTF-8 comes with U+FFFD in the place of its bytes, and leads nowhere: it would be left out in silence. */
async function refuseNoText(files: FileSystem, path: string): Promise<void> {
  if ((await files.stat(path)) !== undefined) return
  throw new StreamError('INPUT_MISSING', {
    message: `The name of ${path} is not UTF-8 (U+FFFD stands for what is not), so it cannot be opened.`,
    hint: 'Rename it, or leave it out of the inputs by a pattern.',
    details: { path },
  })
}

function isVisible(name: string): boolean {
  return !name.startsWith('.') && !name.startsWith('_')
}

function missing(input: string): StreamError {
  return new StreamError('INPUT_MISSING', {
    message: `The input ${input} names no file (looked for ${localPath(input)}).`,
    hint: 'Check the path; a relative one counts from the folder in which the job was started.',
    details: { input },
  })
}
