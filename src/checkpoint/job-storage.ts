/** What a running job does with its checkpoint directory. Every step fails with JOB_FENCED once another process has taken over. */
import { assert } from '../base/assert.ts'
import { StreamError } from '../base/errors.ts'
import type { Lock } from '../base/locks.ts'
import { localPath } from '../base/paths.ts'
import type { Ports } from '../base/ports.ts'
import type { SnapshotReader, SnapshotWriter, StateHandle } from '../state/snapshot.ts'
import type { CheckpointMetadata } from './checkpoint-metadata.ts'
import type { CheckpointObjects, CheckpointStorage, FencedStorage } from './checkpoint-storage.ts'
import { type CompletedCheckpoint, listPublished, readMetadata } from './completed-checkpoints.ts'
import { fileObjects } from './file-objects.ts'
import { encodeRecord, type JobRecord } from './job-record.ts'
import { encodeMetadata, METADATA_NAME } from './metadata-format.ts'
import { snapshotWriter } from './snapshot-writer.ts'
import { handlesOf, snapshotReader, verifyCheckpoint } from './state-reading.ts'

/** What of the record may change while the job runs. */
export type RecordChange = Partial<
  Pick<JobRecord, 'status' | 'checkpoints' | 'endingSavepoint' | 'newestSavepoint' | 'graphHash'>
>

export interface PublishedLocation {
  readonly path: string
  /** Of all its state and metadata, in bytes. */
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
  /**
   * Makes a checkpoint complete: when it has settled, it survives a power loss. When `details.visible` of the
   * error is `unknown`, it may be visible: ask `readCompleted`, and delete nothing of it before. Otherwise it is not.
   */
  publish(metadata: CheckpointMetadata): Promise<PublishedLocation>
  /** The same under a new name `savepoint-...` in a folder of the user's; never deleted by Millrace. */
  publishSavepoint(targetDirectory: string, metadata: CheckpointMetadata): Promise<PublishedLocation>
  /** A checkpoint or savepoint, checked to the last byte. Throws CHECKPOINT_*. */
  readVerified(location: string): Promise<CompletedCheckpoint>
  /** The job's own completed checkpoints, oldest first, as the store has them now. */
  readCompleted(): Promise<readonly CompletedCheckpoint[]>
  /** Deletes a completed checkpoint: first it becomes unreachable, then its data goes. */
  discard(checkpointId: number): Promise<void>
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
  readonly lock: Lock
  readonly record: JobRecord
  /** Checkpoints of earlier epochs that are the job's to use and to delete. */
  readonly retained: readonly CompletedCheckpoint[]
  readonly inlineThresholdBytes?: number | undefined
}

export function jobStorage(parts: JobStorageParts): JobStorage {
  const { ports, storage, fenced, lock, retained } = parts
  const { jobId } = parts.record
  const retainedIds = new Set(retained.map(({ metadata }) => metadata.checkpointId))
  let record = parts.record
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

  const noteFirstCheckpoint = async () => {
    try {
      if (!record.hasCheckpoints) await write({ hasCheckpoints: true })
    } catch (thrown) {
      // The checkpoint is complete without it; the next one tries again.
      ports.logger.warn(`The record of job ${jobId} could not be written: ${String(thrown)}`)
    }
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
    async publish(metadata) {
      checkOwn(metadata, jobId, fenced.epoch)
      const bytes = encodeMetadata(metadata)
      const { location } = await fenced.publish(metadata.checkpointId, METADATA_NAME, bytes)
      await noteFirstCheckpoint()
      return { path: location, size: sizeOf(metadata, bytes.length) }
    },
    async publishSavepoint(targetDirectory, metadata) {
      checkOwn(metadata, jobId, fenced.epoch)
      const bytes = encodeMetadata(metadata)
      const name = `savepoint-${jobId.slice(0, 6)}-${ports.ids.uniqueName()}`
      const { location } = await fenced.publishAt(
        metadata.checkpointId,
        localPath(targetDirectory),
        name,
        METADATA_NAME,
        bytes,
      )
      return { path: location, size: sizeOf(metadata, bytes.length) }
    },
    readVerified: (location) => readVerified(ports, storage, location),
    async readCompleted() {
      const { completed, unreadable } = await listPublished(storage, jobId)
      const own = completed.filter(
        ({ metadata }) => metadata.epoch === fenced.epoch || retainedIds.has(metadata.checkpointId),
      )
      for (const { checkpointId, error } of unreadable)
        if (checkpointId >= record.firstCheckpointId || retainedIds.has(checkpointId)) throw error
      return own
    },
    discard: (checkpointId) => fenced.delete(checkpointId),
    discardPending: (checkpointId) => fenced.discardPrepared(checkpointId),
    async removeHandles(handles) {
      for (const handle of handles)
        if (handle.type === 'file') await fenced.removePrepared(handle.identity.checkpointId, handle.path)
    },
    writeRecord: write,
    async close() {
      await writing
      try {
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

function sizeOf(metadata: CheckpointMetadata, metadataBytes: number): number {
  let size = metadataBytes
  for (const { handle } of handlesOf(metadata)) if (handle.type === 'file') size += handle.length
  return size
}

export function nothingDurable(): StreamError {
  return new StreamError('RESUME_NEEDS_DIRECTORY', {
    message:
      'The job cannot be resumed: it has no checkpoint directory, and checkpoints in memory end with their process.',
    hint: "Set `execution.checkpointing.dir`, or setCheckpointStorage('file:///...'), to the directory that the job used before.",
  })
}
