/**
 * How one process becomes the one writer of a job's folder. Everything a writer does goes through its own `epoch-<e>/`
 * by a rename; whoever takes over renames that folder away first, so each later step of the old writer finds no path.
 */
import { StreamError } from '../base/errors.ts'
import { systemCodeOf } from '../base/file-error.ts'
import type { FileSystem } from '../base/file-system.ts'
import type { Ids } from '../base/ids.ts'
import type { Writer, WriterClaim } from './checkpoint-storage.ts'
import { isInteger, isObject, isString } from './shape.ts'

export const OWNER_NAME = 'owner.json'

/** Others may begin at the same moment; each round one of them wins. */
const MAX_ROUNDS = 20

export interface TakenEpoch {
  readonly epoch: number
  /** Others may have had numbers in between of which nothing but the names of folders tells. */
  readonly highestRecorded: number
}

/** Gives the new epoch, whose folder exists and is ours alone. Rejects with whatever `claim.mayReplace` throws. */
export async function takeEpoch(files: FileSystem, folder: string, ids: Ids, claim: WriterClaim): Promise<TakenEpoch> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const seen = await readEpochs(files, folder)
    for (const epoch of seen.living) await claim.mayReplace(await readOwner(files, epochFolder(folder, epoch)))
    for (const epoch of seen.living) await renameAway(files, folder, epoch, ids)
    const highestRecorded = await claim.epochSoFar()
    const epoch = Math.max(seen.highest, highestRecorded) + 1
    if (!(await makeEpoch(files, folder, epoch, ids, claim.writer))) continue
    const again = await readEpochs(files, folder)
    const isNewest =
      again.living.every((one) => one === epoch) && again.highest === epoch && (await claim.epochSoFar()) < epoch
    if (isNewest) return { epoch, highestRecorded }
    await renameAway(files, folder, epoch, ids)
  }
  throw new StreamError('JOB_IN_USE', {
    message: `Other processes keep taking over the job in '${folder}'.`,
    hint: 'Start one process at a time.',
    details: { folder },
  })
}

export function epochFolder(folder: string, epoch: number): string {
  return `${folder}/epoch-${epoch}`
}

/** Who may still write in a job's folder; undefined for one who cannot be read. */
export async function livingOwners(files: FileSystem, folder: string): Promise<readonly (Writer | undefined)[]> {
  const { living } = await readEpochs(files, folder)
  return Promise.all(living.map((epoch) => readOwner(files, epochFolder(folder, epoch))))
}

interface Epochs {
  /** Those in whose folders somebody may still write. */
  readonly living: readonly number[]
  /** Of all of which something is left; 0 when there is none. */
  readonly highest: number
}

async function readEpochs(files: FileSystem, folder: string): Promise<Epochs> {
  const living: number[] = []
  let highest = 0
  for (const { name } of await files.list(folder)) {
    const [, kind, digits] = /^(epoch|fenced)-(\d{1,15})(?:-|$)/.exec(name) ?? []
    if (digits === undefined) continue
    highest = Math.max(highest, Number(digits))
    if (kind === 'epoch') living.push(Number(digits))
  }
  return { living, highest }
}

async function renameAway(files: FileSystem, folder: string, epoch: number, ids: Ids): Promise<void> {
  try {
    await files.execute([
      { type: 'rename', from: epochFolder(folder, epoch), to: `${folder}/fenced-${epoch}-${ids.uniqueName()}` },
      { type: 'syncFolder', path: folder },
    ])
  } catch (thrown) {
    // Its owner has just ended, or another newcomer was faster: the next look says who.
    if (systemCodeOf(thrown) !== 'ENOENT') throw thrown
  }
}

/** False when somebody else has made it. It appears with its owner's name in it, so it is never empty and never replaced. */
async function makeEpoch(files: FileSystem, folder: string, epoch: number, ids: Ids, writer: Writer): Promise<boolean> {
  const prepared = `${folder}/new-${ids.uniqueName()}`
  try {
    await files.execute([
      { type: 'makeFolder', path: prepared },
      { type: 'writeNew', path: `${prepared}/${OWNER_NAME}`, bytes: new TextEncoder().encode(JSON.stringify(writer)) },
      { type: 'syncFolder', path: prepared },
      { type: 'rename', from: prepared, to: epochFolder(folder, epoch) },
      { type: 'syncFolder', path: folder },
    ])
    return true
  } catch (thrown) {
    const code = systemCodeOf(thrown)
    await files.execute([{ type: 'remove', path: prepared }]).catch(() => {
      // What is left of it is swept at the next start; the first error is the one that counts.
    })
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOENT') return false
    throw thrown
  }
}

async function readOwner(files: FileSystem, folder: string): Promise<Writer | undefined> {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(await files.read(`${folder}/${OWNER_NAME}`)))
    return isWriter(json, 'owner') === undefined ? (json as Writer) : undefined
  } catch (thrown) {
    // The folder went away meanwhile, or the file is no JSON: then who writes cannot be said.
    if (thrown instanceof SyntaxError || systemCodeOf(thrown) === 'ENOENT') return undefined
    throw thrown
  }
}

const isWriter = isObject({ pid: isInteger(0), host: isString, namespace: isString, lock: isString })
