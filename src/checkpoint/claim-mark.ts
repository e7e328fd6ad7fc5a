/**
 * The mark in the folder of a savepoint or checkpoint that a job has claimed: it will delete it. A second job that claims
 * it is refused, for both would go on from it as theirs.
 */
import { StreamError } from '../base/errors.ts'
import { systemCodeOf } from '../base/file-error.ts'
import type { FileSystem } from '../base/file-system.ts'
import { missing } from './checkpoint-errors.ts'

export const CLAIM_NAME = '_claimed'

/**
 * Durable when it has settled; the same job may claim it again. Throws CHECKPOINT_CLAIMED, which names the other job, and
 * CHECKPOINT_MISSING. The mark appears with its owner in it: who reads half of one could not tell whose it is.
 */
export async function putClaim(files: FileSystem, location: string, jobId: string): Promise<void> {
  const prepared = `${location}/${CLAIM_NAME}-${jobId}`
  for (;;) {
    try {
      return await files.execute([
        // What a crash of this job has left.
        { type: 'remove', path: prepared },
        { type: 'writeNew', path: prepared, bytes: new TextEncoder().encode(jobId) },
        { type: 'link', from: prepared, to: `${location}/${CLAIM_NAME}` },
        { type: 'unlink', path: prepared },
        { type: 'syncFolder', path: location },
      ])
    } catch (thrown) {
      const code = systemCodeOf(thrown)
      if (code === 'ENOENT') throw missing(location, 'it was deleted just now')
      if (code !== 'EEXIST') throw thrown
      await files.execute([{ type: 'remove', path: prepared }])
      const owner = await claimedBy(files, location)
      if (owner === jobId) return files.execute([{ type: 'syncFolder', path: location }])
      if (owner !== undefined) throw claimed(location, owner)
      // Given back just now: it is free.
    }
  }
}

/** The id of the job that has claimed it. */
export async function claimedBy(files: FileSystem, location: string): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await files.read(`${location}/${CLAIM_NAME}`))
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return undefined
    throw thrown
  }
}

/** Whether a file of that name is the mark, or what a crash has left of one. */
export function isClaim(name: string): boolean {
  return name === CLAIM_NAME || name.startsWith(`${CLAIM_NAME}-`)
}

/** It is the user's again. Harmless when the job has not claimed it, or it is gone. */
export async function removeClaim(files: FileSystem, location: string, jobId: string): Promise<void> {
  if ((await claimedBy(files, location)) !== jobId) return
  try {
    await files.execute([
      { type: 'remove', path: `${location}/${CLAIM_NAME}` },
      { type: 'syncFolder', path: location },
    ])
  } catch (thrown) {
    if (systemCodeOf(thrown) !== 'ENOENT') throw thrown
  }
}

/** Of whoever wants what another job has claimed. */
export function claimed(location: string, owner: string): StreamError {
  return new StreamError('CHECKPOINT_CLAIMED', {
    message: `'${location}' belongs to job ${owner}, which was started from it with claim mode CLAIM and will delete it.`,
    hint: `Go on with that job (--resume), or start from it with NO_CLAIM. When that job is not needed any more, remove '${location}/${CLAIM_NAME}'.`,
    details: { location, jobId: owner },
  })
}
