/** What a running job does with its checkpoint directory. Every step fails with JOB_FENCED once another process has taken over. */
import { assert } from '../base/assert.ts'
import { messageOf, StreamError } from '../base/errors.ts'
import type { Lock } from '../base/locks.ts'
import { localPath } from '../base/paths.ts'
import type { Ports } from '../base/ports.ts'
import type { SnapshotReader, SnapshotWriter, StateHandle } from '../state/snapshot.ts'
import type { CheckpointMetadata } from './checkpoint-metadata.ts'
import type { CheckpointObjects, CheckpointStorage, FencedStorage, Writer } from './checkpoint-storage.ts'
import { disposeClaimed, isOwnPlace, unclaim } from './claim.ts'
import { type CompletedCheckpoint, listPublished, readMetadata } from './completed-checkpoints.ts'
import { fileObjects } from './file-objects.ts'
import { encodeRecord, isIdle, type JobRecord } from './job-record.ts'
import { encodeMetadata, METADATA_NAME } from './metadata-format.ts'
import { prepareSavepointFolder } from './savepoint-folder.ts'
import type { SharedStore } from './shared-store.ts'
import { snapshotWriter } from './snapshot-writer.ts'
import { snapshotReader, verifyCheckpoint } from './state-reading.ts'
import { bytesWrittenFor, sharedIn, writtenFor } from './stored-handles.ts'

/** What of the record may change while the job runs. */
export type RecordChange = Partial<
  Pick<JobRecord, 'status' | 'checkpoints' | 'endingSavepoint' | 'newestSavepoint' | 'claimed' | 'graphHash'>
>

export interface PublishedLocation {
  readonly path: string
  /** What was written for it, state and metadata, in bytes; what it shares with earlier checkpoints does not count. */
  readonly size: number
}

export interface JobStorage {
  /** Where it is, for messages. */
  readonly location: string
  readonly durable: boolean
  readonly epoch: number
  record(): JobRecord
  snapshotWriter(): SnapshotWriter
  /** Reads the state of a checkpoint or savepoint of this or another job. */
  snapshotReader(from: CompletedCheckpoint): SnapshotReader
  /** Makes the folder for savepoints and tries whether it can be written to. Rejects with FILE_ERROR; STORAGE_LOCATION where it is no local folder. */
  prepareSavepointFolder(targetDirectory: string): Promise<void>
  /** A checkpoint is being triggered: shared files that are there now stay until it is published or given up. */
  begin(checkpointId: number): void
  /**
   * Makes a checkpoint complete: when it has settled, it survives a power loss. When `details.visible` of the
   * error is `unknown`, it may be visible: ask `readCompleted`, and delete nothing of it before. Otherwise it is not. CHECKPOINT_MISSING when it
   * names a shared file that no completed checkpoint keeps.
   */
  publish(metadata: CheckpointMetadata): Promise<PublishedLocation>
  /** The same under a new name `savepoint-...` in a folder of the user's, self-contained; the record names it. Never deleted by the job. */
  publishSavepoint(targetDirectory: string, metadata: CheckpointMetadata): Promise<PublishedLocation>
  /** A checkpoint or savepoint, checked to the last byte. Throws CHECKPOINT_*. */
  readVerified(location: string): Promise<CompletedCheckpoint>
  /** The job's completed checkpoints, oldest first, as the store has them now; the first may be what it has claimed. */
  readCompleted(): Promise<readonly CompletedCheckpoint[]>
  /**
   * Deletes a completed checkpoint: first it becomes unreachable, then its data goes, then the shared files that only it
   * named. What the job has claimed stays, and is the user's again, when no checkpoint of the job's own was ever complete.
   */
  discard(checkpoint: { readonly checkpointId: number; readonly location: string }): Promise<void>
  /** A checkpoint will not be completed: all its state goes, and what comes later is refused with CHECKPOINT_DISCARDED. Never touches a published one. */
  discardPending(checkpointId: number): Promise<void>
  /** Removes state that was acknowledged too late. Never touches a completed checkpoint. */
  removeHandles(handles: readonly StateHandle[]): Promise<void>
  /** Changes the job's record, durably. Calls take effect in their order. */
  writeRecord(change: RecordChange): Promise<void>
  /** The job has ended here: the next process finds nobody. */
  close(): Promise<void>
}

export interface JobStorageParts {
  readonly ports: Ports
  readonly storage: CheckpointStorage
  readonly fenced: FencedStorage
  readonly shared: SharedStore
  readonly jobId: string
  readonly writer: Writer
  readonly lock: Lock
  readonly record: JobRecord
  /** Checkpoints of earlier epochs that are the job's to use and to delete. */
  readonly retained: readonly CompletedCheckpoint[]
  readonly claimed: CompletedCheckpoint | undefined
  readonly inlineThresholdBytes?: number | undefined
}

export function jobStorage(parts: JobStorageParts): JobStorage {
  const { ports, storage, fenced, shared, lock, retained, jobId } = parts
  const retainedIds = new Set(retained.map(({ metadata }) => metadata.checkpointId))
  let record = parts.record
  let claimed = parts.claimed
  /** A checkpoint of the job's own was complete: it can go on without what it has claimed. */
  let hasOwn = retained.length > 0
  let writing: Promise<void> = Promise.resolve()

  const write = (change: Partial<JobRecord>): Promise<void> => {
    const written = writing.then(async () => {
      const next = { ...record, ...change, writtenAtMs: ports.clock.now() }
      await fenced.putRecord(encodeRecord(next))
      record = next
    })
    // The next change waits for this one, however it ends; whoever asked for this one is told.
    writing = written.catch(() => {})
    return written
  }

  /** What is complete is complete without it; the next checkpoint, or the end, writes the record again. */
  const note = async (change: Partial<JobRecord>) => {
    try {
      await write(change)
    } catch (thrown) {
      ports.logger.warn(`The record of job ${jobId} could not be written: ${messageOf(thrown)}`)
    }
  }

  /** A file that nobody names: the next deletion tries it again, or the next start. */
  const leftForLater = (thrown: unknown) =>
    ports.logger.warn(`Shared files of job ${jobId} could not be deleted: ${messageOf(thrown)}`)

  const forgetClaimed = () => {
    claimed = undefined
    return write({ claimed: undefined })
  }

  return {
    location: storage.location,
    durable: storage.durable,
    epoch: fenced.epoch,
    record: () => record,
    snapshotWriter: () =>
      snapshotWriter({
        storage: fenced,
        jobId,
        ids: ports.ids,
        turns: ports.turns,
        inlineThresholdBytes: parts.inlineThresholdBytes,
      }),
    snapshotReader: ({ location, metadata }) => snapshotReader(objectsAt(ports, storage, location), metadata),
    begin: (checkpointId) => shared.begin(checkpointId),
    async publish(metadata) {
      checkOwn(metadata, jobId, fenced.epoch)
      const bytes = encodeMetadata(metadata)
      const { location } = await shared.publish(metadata, (newNames) =>
        fenced.publish(metadata.checkpointId, METADATA_NAME, bytes, newNames),
      )
      hasOwn = true
      if (!record.hasCheckpoints) await note({ hasCheckpoints: true })
      return { path: location, size: bytesWrittenFor(metadata) + bytes.length }
    },
    async prepareSavepointFolder(targetDirectory) {
      await prepareSavepointFolder(ports.files, ports.ids, localPath(targetDirectory))
    },
    async publishSavepoint(targetDirectory, metadata) {
      const { checkpointId } = metadata
      checkOwn(metadata, jobId, fenced.epoch)
      checkSelfContained(metadata)
      const folder = localPath(targetDirectory)
      const name = `savepoint-${jobId.slice(0, 6)}-${ports.ids.uniqueName()}`
      const bytes = encodeMetadata(metadata)
      try {
        const { location } = await fenced.publishAt(checkpointId, folder, name, METADATA_NAME, bytes)
        await note({ newestSavepoint: location })
        return { path: location, size: bytesWrittenFor(metadata) + bytes.length }
      } finally {
        // It names no shared file, whatever came of it.
        await shared.end(checkpointId).catch(leftForLater)
      }
    },
    readVerified: (location) => readVerified(ports, storage, location),
    async readCompleted() {
      const { completed, unreadable } = await listPublished(storage, jobId)
      const own = completed.filter(
        ({ metadata }) => metadata.epoch === fenced.epoch || retainedIds.has(metadata.checkpointId),
      )
      for (const { checkpointId, error } of unreadable)
        if (checkpointId >= record.firstCheckpointId || retainedIds.has(checkpointId)) throw error
      hasOwn ||= own.length > 0
      await shared.settle(completed).catch(leftForLater)
      return claimed === undefined ? own : [claimed, ...own]
    },
    async discard({ checkpointId, location }) {
      const isClaimed = location === claimed?.location
      const isOwn = isOwnPlace(storage, jobId, location)
      assert(isOwn || isClaimed, `${location}, which is not the job's, was to be deleted`)
      if (isClaimed && !hasOwn) {
        await unclaim(parts, location)
        return forgetClaimed()
      }
      if (isOwn) {
        await fenced.delete(checkpointId)
        await shared.retire(location)
      } else await disposeClaimed(parts, location)
      if (isClaimed) await forgetClaimed()
    },
    async discardPending(checkpointId) {
      try {
        await fenced.discardPrepared(checkpointId)
      } finally {
        // Whatever of it the disk does not let go of: nobody will publish it.
        await shared.end(checkpointId)
      }
    },
    async removeHandles(handles) {
      for (const { identity, path } of handles.flatMap((handle) => writtenFor(handle, fenced.epoch)))
        await fenced.removePrepared(identity.checkpointId, path)
    },
    writeRecord: write,
    async close() {
      await writing
      try {
        await shared.close().catch(leftForLater)
        if (claimed !== undefined && !hasOwn && isIdle(record)) await unclaim(parts, claimed.location)
        await fenced.release()
      } finally {
        await lock.release()
      }
    },
  }
}

/** Reads a checkpoint or savepoint and checks every byte of it. Throws CHECKPOINT_*. */
export async function readVerified(
  ports: Ports,
  storage: CheckpointStorage,
  location: string,
): Promise<CompletedCheckpoint> {
  const objects = objectsAt(ports, storage, location)
  const metadata = await readMetadata(objects)
  await verifyCheckpoint(objects, metadata)
  return { location, metadata }
}

/** A place in this storage, or a folder of files elsewhere (a savepoint). */
export function objectsAt(ports: Ports, storage: CheckpointStorage, location: string): CheckpointObjects {
  return location.startsWith('memory:') ? storage.at(location) : fileObjects(ports.files, location)
}

function checkOwn(metadata: CheckpointMetadata, jobId: string, epoch: number): void {
  assert(
    metadata.jobId === jobId && metadata.epoch === epoch,
    `checkpoint ${metadata.checkpointId} was to be published for another job or epoch`,
  )
}

/** A savepoint can be moved, and outlives the job: it has all of its files in its own folder. */
function checkSelfContained(metadata: CheckpointMetadata): void {
  const [shared] = sharedIn(metadata)
  assert(
    shared === undefined && metadata.kind !== 'checkpoint',
    `savepoint ${metadata.checkpointId} was to be published as a checkpoint, or with the shared file ${shared?.path}`,
  )
}

export function nothingDurable(): StreamError {
  return new StreamError('RESUME_NEEDS_DIRECTORY', {
    message:
      'The job cannot be resumed: it has no checkpoint directory, and checkpoints in memory end with their process.',
    hint: "Set `execution.checkpointing.dir`, or setCheckpointStorage('file:///...'), to the directory that the job used before.",
  })
}
