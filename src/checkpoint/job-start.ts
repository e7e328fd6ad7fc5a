/** From which state a job starts, once it is the one writer: what its record, its checkpoints and its user say. */
import { StreamError } from '../base/errors.ts'
import type { Ports } from '../base/ports.ts'
import type { CheckpointMetadata } from './checkpoint-metadata.ts'
import type { CheckpointStorage } from './checkpoint-storage.ts'
import { type CompletedCheckpoint, type PublishedCheckpoints, savepointFolder } from './completed-checkpoints.ts'
import { isUnfinished, type JobRecord, type StartedFrom } from './job-record.ts'
import { readVerified } from './job-storage.ts'
import { decideResume } from './resume-decision.ts'

export type JobStart =
  | { readonly kind: 'empty' }
  /** One of the job's own. */
  | { readonly kind: 'checkpoint'; readonly location: string; readonly metadata: CheckpointMetadata }
  /** Whatever `fromSavepoint` named, or the savepoint that ended the run before: the user's, unless the job has claimed it. */
  | {
      readonly kind: 'savepoint'
      readonly location: string
      readonly metadata: CheckpointMetadata
      /** The job was drained with it and did not come to its end: nothing more is read. */
      readonly drained: boolean
    }
  /** Run nothing; the storage is closed already. */
  | { readonly kind: 'alreadyEnded'; readonly message: string }

export interface StartOptions {
  readonly ports: Ports
  readonly resume?: 'latest' | undefined
  /** A savepoint or retained checkpoint; with `resume`, only where there is no record. */
  readonly fromSavepoint?: string | undefined
}

/** Checked to the last byte. Throws what `decideResume` and `readVerified` throw, JOB_RECORD_EXISTS and JOB_RECORD_DAMAGED. */
export async function decideStart(
  options: StartOptions,
  place: { readonly storage: CheckpointStorage; readonly jobId: string },
  old: JobRecord | undefined,
  published: PublishedCheckpoints,
): Promise<JobStart> {
  const { resume, fromSavepoint, ports } = options
  const where = `${place.storage.location}/${place.jobId}`
  if (resume !== undefined && old !== undefined) {
    const decision = decideResume(old, published, where)
    switch (decision.type) {
      case 'ended':
        return { kind: 'alreadyEnded', message: decision.message }
      case 'empty':
        return { kind: 'empty' }
      case 'savepoint':
        return {
          kind: 'savepoint',
          drained: decision.drained,
          ...(await readVerified(ports, place.storage, decision.path)),
        }
      case 'checkpoint':
        return { kind: 'checkpoint', ...(await readVerified(ports, place.storage, decision.checkpoint.location)) }
    }
  }
  if (fromSavepoint !== undefined)
    return {
      kind: 'savepoint',
      drained: false,
      ...(await readVerified(ports, place.storage, savepointFolder(fromSavepoint))),
    }
  if (old !== undefined && isUnfinished(old)) throw recordExists(old, where)
  // Without a record there is nothing that says what these belong to; starting beside them would forget their state.
  if (resume !== undefined && published.highestId > 0) throw orphaned(where)
  return { kind: 'empty' }
}

/**
 * Whoever has these restores the last of them, so it must be what the job starts from: others that lie there are of an
 * earlier run under this id, or older than the savepoint that the job goes on from. They are looked at again by the next resume.
 */
export function retainedFor(start: JobStart, { completed }: PublishedCheckpoints): readonly CompletedCheckpoint[] {
  if (start.kind !== 'checkpoint') return []
  return completed.slice(0, completed.findIndex(({ location }) => location === start.location) + 1)
}

/** As the record says it. */
export function startedFromOf(start: JobStart): StartedFrom {
  switch (start.kind) {
    case 'checkpoint':
      return { type: 'checkpoint', epoch: start.metadata.epoch, checkpointId: start.metadata.checkpointId }
    case 'savepoint':
      return { type: 'savepoint', path: start.location }
    default:
      return { type: 'nothing' }
  }
}

function recordExists(old: JobRecord, where: string): StreamError {
  return new StreamError('JOB_RECORD_EXISTS', {
    message: `Job '${old.name}' (${old.jobId}) in '${where}' is unfinished (${old.status}): starting it with empty state would leave what it had done behind.`,
    hint: 'Go on with it (--resume), start from a savepoint (-s PATH), or remove its folder to begin anew.',
    details: { jobId: old.jobId, status: old.status },
  })
}

function orphaned(where: string): StreamError {
  return new StreamError('JOB_RECORD_DAMAGED', {
    message: `There are checkpoints in '${where}', but the record of the job, job.json, is missing.`,
    hint: 'Start from one of them by its path (-s PATH), or restore job.json.',
    details: { path: `${where}/job.json` },
  })
}
