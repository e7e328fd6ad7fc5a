/**
 * Opens a job's place in a checkpoint directory before its first record: finds its record, becomes its one writer, says
 * from which state it starts (checked to the last byte) and cleans up after dead processes.
 */
import { StreamError } from '../base/errors.ts'
import type { Lock } from '../base/locks.ts'
import { localPath } from '../base/paths.ts'
import type { Ports } from '../base/ports.ts'
import { type ProcessIdentity, systemProcess } from '../base/process-identity.ts'
import type { CheckpointMetadata } from './checkpoint-metadata.ts'
import type { CheckpointStorage, FencedStorage } from './checkpoint-storage.ts'
import {
  type CompletedCheckpoint,
  listPublished,
  type PublishedCheckpoints,
  savepointFolder,
} from './completed-checkpoints.ts'
import { FileCheckpointStorage } from './file-checkpoint-storage.ts'
import { findJob, readRecord, unfinishedBeside } from './find-job.ts'
import { mayReplace } from './job-owner.ts'
import { encodeRecord, isUnfinished, type JobRecord, type StartedFrom } from './job-record.ts'
import { type JobStorage, jobStorage, nothingDurable, readVerified } from './job-storage.ts'
import { MemoryCheckpointStorage } from './memory-checkpoint-storage.ts'
import { decideResume } from './resume-decision.ts'

export interface OpenJobOptions {
  readonly ports: Ports
  /** A path or `file:` URI; undefined: checkpoints stay in memory. */
  readonly directory: string | undefined
  readonly name: string
  /** `pipeline.fixed-job-id`: 32 lower-case hexadecimal digits. */
  readonly fixedJobId?: string | undefined
  readonly resume?: 'latest' | undefined
  /** A savepoint or retained checkpoint; with `resume`, only where there is no record. */
  readonly fromSavepoint?: string | undefined
  readonly takeover: boolean
  readonly graphHash: string
  readonly inlineThresholdBytes?: number | undefined
  /** Instead of a new storage for `directory`: tests, and jobs that share the memory of one process. */
  readonly storage?: CheckpointStorage | undefined
  /** Who this process is; tests play several. */
  readonly process?: ProcessIdentity | undefined
}

export interface OpenedJob {
  readonly jobId: string
  readonly epoch: number
  readonly start: JobStart
  /** The id of the first checkpoint that is triggered: above what was restored and above everything on the disk. */
  readonly nextCheckpointId: number
  /** The job's own completed checkpoints, oldest first, up to the one that it starts from; none when it starts from no such one. */
  readonly retained: readonly CompletedCheckpoint[]
  readonly storage: JobStorage
  /** Lines for the log and the terminal. */
  readonly notes: readonly string[]
  /** The same, for what is probably a mistake. */
  readonly warnings: readonly string[]
}

export type JobStart =
  | { readonly kind: 'empty' }
  /** One of the job's own. */
  | { readonly kind: 'checkpoint'; readonly location: string; readonly metadata: CheckpointMetadata }
  /** Whatever `fromSavepoint` named, or the savepoint that ended the run before: the user's. */
  | { readonly kind: 'savepoint'; readonly location: string; readonly metadata: CheckpointMetadata }
  /** Run nothing; the storage is closed already. */
  | { readonly kind: 'alreadyEnded'; readonly message: string }

/**
 * When it has settled, the job's record is durable and nobody else can write for the job. Throws what the functions it
 * calls throw: JOB_IN_USE, JOB_AMBIGUOUS, JOB_NOTHING_KEPT, JOB_RECORD_*, RESUME_NEEDS_DIRECTORY, STORAGE_LOCATION,
 * CHECKPOINT_*, FILE_ERROR; then nothing is held any more.
 */
export async function openJob(options: OpenJobOptions): Promise<OpenedJob> {
  const { ports, name, fixedJobId } = options
  if (fixedJobId !== undefined && !/^[0-9a-f]{32}$/.test(fixedJobId)) throw badJobId(fixedJobId)
  const storage = options.storage ?? storageFor(ports, options.directory)
  if (options.resume !== undefined && !storage.durable) throw nothingDurable()
  const search = options.resume === undefined ? undefined : await findJob(storage, name, fixedJobId)
  const jobId = search?.record?.jobId ?? fixedJobId ?? ports.ids.jobId()
  const beside = await warningOf(options, storage, jobId)
  const lockName = `job-${jobId}-${ports.ids.uniqueName()}`
  const lock = await ports.locks.tryAcquire(lockName)
  if (lock === undefined) throw new StreamError('INTERNAL', { message: `The new lock '${lockName}' is held already.` })
  let fenced: FencedStorage | undefined
  try {
    const writer = { ...(options.process ?? systemProcess()), lock: lockName }
    fenced = await storage.fence(jobId, {
      writer,
      mayReplace: (current) =>
        mayReplace(
          { locks: ports.locks, clock: ports.clock, self: writer, takeover: options.takeover, jobId },
          current,
        ),
      epochSoFar: () => epochSoFar(storage, jobId),
    })
    const notes = search?.said === undefined ? [] : [search.said]
    const opened = await start(options, { storage, fenced, lock, jobId, notes })
    return { ...opened, warnings: beside === undefined ? [] : [beside] }
  } catch (thrown) {
    await fenced?.release().catch(() => {
      // The next process finds a dead owner and takes over.
    })
    await lock.release()
    throw thrown
  }
}

/** Whoever names what to start from has chosen. */
async function warningOf(
  { resume, fromSavepoint, name }: OpenJobOptions,
  storage: CheckpointStorage,
  jobId: string,
): Promise<string | undefined> {
  if (resume !== undefined || fromSavepoint !== undefined || !storage.durable) return undefined
  return unfinishedBeside(storage, name, jobId)
}

/** Also of the checkpoints: a record may have been removed by hand. */
async function epochSoFar(storage: CheckpointStorage, jobId: string): Promise<number> {
  const record = await readRecord(storage, jobId)
  const { completed } = await listPublished(storage, jobId)
  return Math.max(record?.epoch ?? 0, completed.at(-1)?.metadata.epoch ?? 0)
}

interface Place {
  readonly storage: CheckpointStorage
  readonly fenced: FencedStorage
  readonly lock: Lock
  readonly jobId: string
  readonly notes: readonly string[]
}

/** Behind the fence: only now is what stands there the last word. */
async function start(options: OpenJobOptions, place: Place): Promise<Omit<OpenedJob, 'warnings'>> {
  const { ports } = options
  const { storage, fenced, jobId } = place
  const old = await readRecord(storage, jobId)
  const notes = [...place.notes]
  await fenced
    .sweep()
    .catch((thrown: unknown) => void notes.push(`Leftovers of earlier runs could not be removed: ${String(thrown)}`))
  if (old?.checkpoints === 'deleting') await deleteOwned(place, old)
  const published = await listPublished(storage, jobId)
  for (const { checkpointId, error } of published.unreadable)
    notes.push(`Checkpoint ${checkpointId} could not be read, and will not be deleted: ${String(error)}`)
  const startsFrom = await decideStart(options, place, old, published)
  const restoredId = 'metadata' in startsFrom ? startsFrom.metadata.checkpointId : 0
  const nextCheckpointId = Math.max(restoredId, published.highestId) + 1
  const ownsOld = options.resume !== undefined && old !== undefined
  const retained = retainedFor(startsFrom, published)
  const record: JobRecord = {
    name: options.name,
    jobId,
    epoch: fenced.epoch,
    startedFrom: startedFromOf(startsFrom),
    firstCheckpointId: nextCheckpointId,
    hasCheckpoints: false,
    status: 'CREATED',
    checkpoints: 'kept',
    newestSavepoint: old?.newestSavepoint,
    graphHash: options.graphHash,
    writtenAtMs: ports.clock.now(),
  }
  if (ownsOld && old.graphHash !== options.graphHash) notes.push('The graph of the job has changed since its last run.')
  const isEnded = startsFrom.kind === 'alreadyEnded' && old !== undefined
  const job = jobStorage({
    ...place,
    ports,
    record: isEnded ? old : record,
    retained,
    inlineThresholdBytes: options.inlineThresholdBytes,
  })
  if (isEnded) await job.close()
  else await fenced.putRecord(encodeRecord(record))
  return { jobId, epoch: fenced.epoch, start: startsFrom, nextCheckpointId, retained, storage: job, notes }
}

async function decideStart(
  options: OpenJobOptions,
  place: Place,
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
        return { kind: 'savepoint', ...(await readVerified(ports, place.storage, decision.path)) }
      case 'checkpoint':
        return { kind: 'checkpoint', ...(await readVerified(ports, place.storage, decision.checkpoint.location)) }
    }
  }
  if (fromSavepoint !== undefined)
    return { kind: 'savepoint', ...(await readVerified(ports, place.storage, savepointFolder(fromSavepoint))) }
  if (old !== undefined && isUnfinished(old)) throw recordExists(old, where)
  // Without a record there is nothing that says what these belong to; starting beside them would forget their state.
  if (resume !== undefined && published.highestId > 0) throw orphaned(where)
  return { kind: 'empty' }
}

/**
 * Whoever has these restores the last of them, so it must be what the job starts from: others that lie there are of an
 * earlier run under this id, or older than the savepoint that the job goes on from. They are looked at again by the next resume.
 */
function retainedFor(start: JobStart, { completed }: PublishedCheckpoints): readonly CompletedCheckpoint[] {
  if (start.kind !== 'checkpoint') return []
  return completed.slice(0, completed.findIndex(({ location }) => location === start.location) + 1)
}

/** Finishes what the end of an earlier run began. One that did not go on from a checkpoint had none but its own. */
async function deleteOwned({ storage, fenced, jobId }: Place, old: JobRecord): Promise<void> {
  const lowest = old.startedFrom.type === 'checkpoint' ? 1 : old.firstCheckpointId
  for (const { checkpointId } of await storage.listCheckpoints(jobId))
    if (checkpointId >= lowest) await fenced.delete(checkpointId)
}

function storageFor(ports: Ports, directory: string | undefined): CheckpointStorage {
  return directory === undefined
    ? new MemoryCheckpointStorage()
    : new FileCheckpointStorage(ports.files, localPath(directory), ports.ids)
}

function startedFromOf(start: JobStart): StartedFrom {
  switch (start.kind) {
    case 'checkpoint':
      return { type: 'checkpoint', epoch: start.metadata.epoch, checkpointId: start.metadata.checkpointId }
    case 'savepoint':
      return { type: 'savepoint', path: start.location }
    default:
      return { type: 'nothing' }
  }
}

function badJobId(fixedJobId: string): StreamError {
  return new StreamError('STORAGE_LOCATION', {
    message: `The job id '${fixedJobId}' is not one: it must be 32 lower-case hexadecimal digits.`,
    hint: 'Correct `pipeline.fixed-job-id`.',
    details: { fixedJobId },
  })
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
