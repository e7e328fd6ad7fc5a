/** What a job has claimed, when it starts: what it names now, or what its record says of an earlier run. */
import { type Claimant, claim, claimedBefore, disposeClaimed, isOwnPlace, unclaim } from './claim.ts'
import { type CompletedCheckpoint, savepointFolder } from './completed-checkpoints.ts'
import { isIdle, type JobRecord } from './job-record.ts'
import type { JobStart } from './job-start.ts'

export interface ClaimOptions {
  readonly fromSavepoint?: string | undefined
  readonly claimMode?: 'NO_CLAIM' | 'CLAIM' | undefined
}

/** Keeps a line for the log about what went wrong. */
export type Note = (what: string) => (thrown: unknown) => void

/** What this start claims, or an earlier run claimed and has not deleted. Throws what `claim` throws. */
export async function claimedAtStart(
  { claimMode, fromSavepoint }: ClaimOptions,
  claimant: Claimant,
  old: JobRecord | undefined,
  startsFrom: JobStart,
  note: Note,
): Promise<CompletedCheckpoint | undefined> {
  const isNamed =
    startsFrom.kind === 'savepoint' &&
    fromSavepoint !== undefined &&
    startsFrom.location === savepointFolder(fromSavepoint)
  if (isNamed && claimMode === 'CLAIM') {
    await claim(claimant, startsFrom)
    // The record names one: the other is the user's again, for nobody would delete it.
    if (old?.claimed !== startsFrom.location) await giveBack(claimant, old, note)
    return startsFrom
  }
  // Whoever names it now says whose it is, whatever an earlier run said.
  if (isNamed && startsFrom.location === old?.claimed) {
    await giveBack(claimant, old, note)
    return undefined
  }
  // One of its own folder is among its checkpoints, once it has others.
  const isRetained =
    startsFrom.kind === 'checkpoint' &&
    old?.claimed !== undefined &&
    isOwnPlace(claimant.storage, claimant.jobId, old.claimed)
  if (old?.claimed === undefined || isRetained) return undefined
  // The end of that run has given it back: it is claimed again by whoever goes on from it, not by a job that begins otherwise.
  if (isIdle(old) && !hadOwn(old) && !('location' in startsFrom && startsFrom.location === old.claimed))
    return undefined
  try {
    return await claimedBefore(claimant, old.claimed)
  } catch (thrown) {
    // Damaged, or its job runs again: it is of no use to this one, which has gone on from something else.
    note(`What the job had claimed, '${old.claimed}', will not be deleted`)(thrown)
    return undefined
  }
}

/** What an earlier run claimed stays, and is the user's. Never rejects. */
async function giveBack(claimant: Claimant, old: JobRecord | undefined, note: Note): Promise<void> {
  if (old?.claimed === undefined) return
  await unclaim(claimant, old.claimed).catch(note(`The mark of this job in '${old.claimed}' was not removed`))
}

/** The end of an earlier run was deleting what it had: that is ended here. Never rejects. */
export async function leaveClaimed(claimant: Claimant, old: JobRecord, note: Note): Promise<void> {
  if (old.claimed === undefined || isOwnPlace(claimant.storage, claimant.jobId, old.claimed)) return
  const leave = hadOwn(old) ? disposeClaimed : unclaim
  await leave(claimant, old.claimed).catch(note(`What the job had claimed, '${old.claimed}', was not deleted`))
}

/** A checkpoint of the job's own was complete. */
function hadOwn({ startedFrom, hasCheckpoints }: JobRecord): boolean {
  return startedFrom.type === 'checkpoint' || hasCheckpoints
}
