/**
 * Opens a job's place in a checkpoint directory before its first record: finds its record, becomes its one writer, says
 * from which state it starts (checked to the last byte) and cleans up after dead processes.
 */
import { messageOf, StreamError } from '../base/errors.ts'
import type { Lock } from '../base/locks.ts'
import { localPath } from '../base/paths.ts'
import type { Ports } from '../base/ports.ts'
import { type ProcessIdentity, systemProcess } from '../base/process-identity.ts'
import type { CheckpointStorage, FencedStorage, Writer } from './checkpoint-storage.ts'
import { type Claimant, unclaim } from './claim.ts'
import { claimedAtStart, leaveClaimed, type Note } from './claim-at-start.ts'
import { type CompletedCheckpoint, listPublished } from './completed-checkpoints.ts'
import { FileCheckpointStorage } from './file-checkpoint-storage.ts'
import { findJob, readRecord, unfinishedBeside } from './find-job.ts'
import { mayReplace } from './job-owner.ts'
import { encodeRecord, type JobRecord } from './job-record.ts'
import { decideStart, type JobStart, retainedFor, startedFromOf } from './job-start.ts'
import { type JobStorage, jobStorage, nothingDurable } from './job-storage.ts'
import { MemoryCheckpointStorage } from './memory-checkpoint-storage.ts'
import { SharedStore } from './shared-store.ts'

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
  /** CLAIM: what `fromSavepoint` names becomes the job's own. */
  readonly claimMode?: 'NO_CLAIM' | 'CLAIM' | undefined
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
  /** The id of the first checkpoint that is triggered: above what was restored or claimed and above everything on the disk. */
  readonly nextCheckpointId: number
  /** The job's own completed checkpoints, oldest first, up to the one that it starts from; none when it starts from no such one. */
  readonly retained: readonly CompletedCheckpoint[]
  /** What it or an earlier run has claimed and not deleted yet; older than all of `retained`. */
  readonly claimed: CompletedCheckpoint | undefined
  readonly storage: JobStorage
  /** Lines for the log and the terminal. */
  readonly notes: readonly string[]
  /** The same, for what is probably a mistake. */
  readonly warnings: readonly string[]
}

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
    const opened = await start(options, { storage, fenced, writer, lock, jobId, notes })
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
  readonly writer: Writer
  readonly lock: Lock
  readonly jobId: string
  readonly notes: readonly string[]
}

/** Behind the fence: only now is what stands there the last word. */
async function start(options: OpenJobOptions, place: Place): Promise<Omit<OpenedJob, 'warnings'>> {
  const { ports, inlineThresholdBytes } = options
  const { storage, fenced, jobId } = place
  const claimant = { ports, ...place }
  const old = await readRecord(storage, jobId)
  const notes = [...place.notes]
  const note: Note = (what) => (thrown) => void notes.push(`${what}: ${messageOf(thrown)}`)
  await fenced.sweep().catch(note('Leftovers of earlier runs could not be removed'))
  if (old?.checkpoints === 'deleting') await deleteOwned(claimant, fenced, old, note)
  const published = await listPublished(storage, jobId)
  for (const { checkpointId, error } of published.unreadable)
    note(
      `Checkpoint ${checkpointId} could not be read. Neither it nor any shared file that is there now will be deleted`,
    )(error)
  const startsFrom = await decideStart(options, place, old, published)
  const shared = new SharedStore(storage, fenced, jobId)
  await shared.open(published).catch(note('Shared files that no checkpoint names could not be removed'))
  const opened = { jobId, epoch: fenced.epoch, start: startsFrom, notes }
  if (startsFrom.kind === 'alreadyEnded' && old !== undefined) {
    const nothing = { retained: [], claimed: undefined }
    const ended = jobStorage({ ...claimant, ...nothing, shared, record: old })
    await ended.close()
    return { ...opened, ...nothing, nextCheckpointId: published.highestId + 1, storage: ended }
  }
  const isChanged = options.resume !== undefined && old !== undefined && old.graphHash !== options.graphHash
  if (isChanged) notes.push('The graph of the job has changed since its last run.')
  const mine = {
    retained: retainedFor(startsFrom, published),
    claimed: await claimedAtStart(options, claimant, old, startsFrom, note),
  }
  const restoredId = 'metadata' in startsFrom ? startsFrom.metadata.checkpointId : 0
  // Ids say what is older: a claimed checkpoint of another job may have a higher one than all that is here.
  const nextCheckpointId = Math.max(restoredId, published.highestId, mine.claimed?.metadata.checkpointId ?? 0) + 1
  const record = newRecord(options, { jobId, epoch: fenced.epoch, startsFrom, nextCheckpointId, old, ...mine })
  await putFirstRecord(claimant, fenced, record, old)
  const running = jobStorage({ ...claimant, ...mine, shared, record, inlineThresholdBytes })
  return { ...opened, ...mine, nextCheckpointId, storage: running }
}

function newRecord(
  { name, graphHash, ports }: OpenJobOptions,
  facts: {
    readonly jobId: string
    readonly epoch: number
    readonly startsFrom: JobStart
    readonly nextCheckpointId: number
    readonly old: JobRecord | undefined
    readonly claimed: CompletedCheckpoint | undefined
  },
): JobRecord {
  const { jobId, epoch, startsFrom, nextCheckpointId, old, claimed } = facts
  return {
    name,
    jobId,
    epoch,
    startedFrom: startedFromOf(startsFrom),
    firstCheckpointId: nextCheckpointId,
    hasCheckpoints: false,
    status: 'CREATED',
    checkpoints: 'kept',
    // Until the end is recorded no checkpoint of this epoch is anything to go on from: it would be read on.
    endingSavepoint: startsFrom.kind === 'savepoint' && startsFrom.drained ? old?.endingSavepoint : undefined,
    newestSavepoint: old?.newestSavepoint,
    claimed: claimed?.location,
    graphHash,
    writtenAtMs: ports.clock.now(),
  }
}

async function putFirstRecord(
  claimant: Claimant,
  fenced: FencedStorage,
  record: JobRecord,
  old: JobRecord | undefined,
): Promise<void> {
  try {
    await fenced.putRecord(encodeRecord(record))
  } catch (thrown) {
    // Nobody could find out any more whose the mark is. Under an id that has a record, the next start claims it again.
    if (record.claimed !== undefined && old === undefined)
      await unclaim(claimant, record.claimed).catch(() => {
        // The disk refuses this as well: whoever claims it next is told which file to remove.
      })
    throw thrown
  }
}

/** Finishes what the end of an earlier run began. One that did not go on from a checkpoint had none but its own. */
async function deleteOwned(claimant: Claimant, fenced: FencedStorage, old: JobRecord, note: Note): Promise<void> {
  const { storage, jobId } = claimant
  const hadOwn = old.startedFrom.type === 'checkpoint'
  for (const { checkpointId } of await storage.listCheckpoints(jobId))
    if (checkpointId >= (hadOwn ? 1 : old.firstCheckpointId)) await fenced.delete(checkpointId)
  await leaveClaimed(claimant, old, note)
}

function storageFor(ports: Ports, directory: string | undefined): CheckpointStorage {
  return directory === undefined
    ? new MemoryCheckpointStorage(ports.files)
    : new FileCheckpointStorage(ports.files, localPath(directory), ports.ids)
}

function badJobId(fixedJobId: string): StreamError {
  return new StreamError('STORAGE_LOCATION', {
    message: `The job id '${fixedJobId}' is not one: it must be 32 lower-case hexadecimal digits.`,
    hint: 'Correct `pipeline.fixed-job-id`.',
    details: { fixedJobId },
  })
}
