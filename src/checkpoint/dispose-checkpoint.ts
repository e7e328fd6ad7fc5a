/**
 * Deletes a savepoint or a checkpoint that lies anywhere: nothing but the files that its metadata lists. First it is made
 * useless by a rename of its metadata; from that name a second try goes on after a crash.
 */
import { systemCodeOf } from '../base/file-error.ts'
import type { FileOperation, FileSystem, FolderEntry } from '../base/file-system.ts'
import { lastName, parentPath } from '../base/paths.ts'
import { foreign, missing } from './checkpoint-errors.ts'
import type { CheckpointMetadata } from './checkpoint-metadata.ts'
import { isClaim } from './claim-mark.ts'
import { readMetadata } from './completed-checkpoints.ts'
import { fileObjects } from './file-objects.ts'
import { METADATA_NAME } from './metadata-format.ts'
import { ownFilesIn } from './stored-handles.ts'

/** What `_metadata` is called while the files that it lists are being deleted. */
const DELETING_NAME = '_deleting'

export interface DisposalSteps {
  /**
   * Throws when it must not be deleted. Asked before anything is changed, and once more when nobody can begin with it any
   * more: then it is put back.
   */
  allow(metadata: CheckpointMetadata): void | Promise<void>
  /** It is of no use any more, and its own files are gone: what else goes with it. */
  afterFiles?(metadata: CheckpointMetadata): Promise<void>
}

export interface Disposal {
  readonly location: string
  /** Names of what stays in its folder: its metadata does not list them, or they are no plain files. */
  readonly left: readonly string[]
}

/**
 * Missing files are no obstacle. Throws CHECKPOINT_MISSING when there is none (or none any more), CHECKPOINT_FOREIGN for a
 * symbolic link, CHECKPOINT_DAMAGED, CHECKPOINT_VERSION, FILE_ERROR, and whatever `allow` throws.
 */
export async function disposeCheckpoint(files: FileSystem, location: string, steps: DisposalSteps): Promise<Disposal> {
  await checkFolder(files, location)
  const entries = await files.list(location)
  const name = metadataIn(location, entries)
  const metadata = await readMetadata(fileObjects(files, location), name)
  await steps.allow(metadata)
  const isBegun = entries.some((entry) => entry.name === DELETING_NAME)
  if (name === METADATA_NAME) await withdraw(files, location, isBegun, () => steps.allow(metadata))
  await files.execute(removing(location, listedIn(metadata, entries)))
  await steps.afterFiles?.(metadata)
  await files.execute([
    { type: 'remove', path: `${location}/${DELETING_NAME}` },
    { type: 'syncFolder', path: location },
  ])
  return { location, left: await removeIfEmpty(files, location) }
}

/** The folder itself, not a link to one. */
async function checkFolder(files: FileSystem, location: string): Promise<void> {
  const name = lastName(location)
  if (name === '' || name.endsWith(':')) throw missing(location, 'it is the root of the file system')
  const kind = (await entriesOf(files, parentPath(location))).find((entry) => entry.name === name)?.kind
  if (kind === undefined) throw missing(`${location}/${METADATA_NAME}`, 'there is no such folder')
  if (kind !== 'folder') throw foreign(location, 'it is no folder (symbolic links are not followed)')
}

async function entriesOf(files: FileSystem, folder: string): Promise<readonly FolderEntry[]> {
  try {
    return await files.list(folder)
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT' || systemCodeOf(thrown) === 'ENOTDIR') return []
    throw thrown
  }
}

function metadataIn(location: string, entries: readonly FolderEntry[]): string {
  for (const name of [METADATA_NAME, DELETING_NAME]) {
    const kind = entries.find((entry) => entry.name === name)?.kind
    if (kind === 'file') return name
    if (kind !== undefined)
      throw foreign(`${location}/${name}`, 'it is no plain file (symbolic links are not followed)')
  }
  throw missing(`${location}/${METADATA_NAME}`, 'no checkpoint or savepoint is complete without it')
}

/**
 * Whoever wanted it at the same moment has either left a sign that `allow` sees now, or finds no metadata; so does a second
 * one who deletes it, and leaves alone what the first one goes by. `isBegun`: the name that it gets was there before.
 */
async function withdraw(
  files: FileSystem,
  location: string,
  isBegun: boolean,
  allow: () => void | Promise<void>,
): Promise<void> {
  const [name, away] = [`${location}/${METADATA_NAME}`, `${location}/${DELETING_NAME}`]
  // After a power loss both names may stand there for one file, and a rename between the two does nothing.
  if (isBegun) await files.execute([{ type: 'remove', path: away }])
  try {
    await files.execute([
      { type: 'rename', from: name, to: away },
      { type: 'syncFolder', path: location },
    ])
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') throw missing(name, 'somebody else has deleted it in this moment')
    throw thrown
  }
  try {
    await allow()
  } catch (thrown) {
    await files.execute([
      { type: 'rename', from: away, to: name },
      { type: 'syncFolder', path: location },
    ])
    throw thrown
  }
}

function removing(location: string, names: readonly string[]): readonly FileOperation[] {
  return [
    ...names.map((name): FileOperation => ({ type: 'remove', path: `${location}/${name}` })),
    { type: 'syncFolder', path: location },
  ]
}

/** Of those that are there; the mark of whoever claimed it is of no use without it. */
function listedIn(metadata: CheckpointMetadata, entries: readonly FolderEntry[]): readonly string[] {
  const listed = new Set(ownFilesIn(metadata).map(({ path }) => path))
  const plain = entries.filter(({ kind }) => kind === 'file').map(({ name }) => name)
  return plain.filter((name) => listed.has(name) || isClaim(name))
}

/** The names that are left, if any. */
export async function removeIfEmpty(files: FileSystem, location: string): Promise<readonly string[]> {
  const left = (await files.list(location)).map(({ name }) => name)
  if (left.length === 0)
    await files.execute([
      { type: 'remove', path: location },
      { type: 'syncFolder', path: parentPath(location) },
    ])
  return left
}
