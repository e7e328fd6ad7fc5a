/**
 * What Millrace needs from whoever stores checkpoints, in whole objects: put durably, publish if absent, read, list,
 * delete, fence. How that is made safe (fsync, rename, conditional puts) is the implementation's own business.
 */

import type { ReadHandle, WriteHandle } from '../base/file-system.ts'
import type { ProcessIdentity } from '../base/process-identity.ts'

export interface CheckpointStorage {
  /** Where it is, for messages. */
  readonly location: string
  /** Whether it outlives the process. */
  readonly durable: boolean
  /** Ids of the jobs that have something here, sorted. */
  listJobs(): Promise<readonly string[]>
  /** The bytes of the job's record; undefined when it has none. */
  readRecord(jobId: string): Promise<Uint8Array | undefined>
  /** Published checkpoints of a job, by id. What is listed is durable. */
  listCheckpoints(jobId: string): Promise<readonly PublishedCheckpoint[]>
  /** The objects of one checkpoint or savepoint. */
  at(location: string): CheckpointObjects
  /** What the checkpoints of a job share, sorted; nothing where nothing is shared. */
  listShared(jobId: string): Promise<readonly string[]>
  /** Makes its caller the one writer of the job: from its return on nothing of an older epoch can be published, deleted or recorded. */
  fence(jobId: string, claim: WriterClaim): Promise<FencedStorage>
}

export interface PublishedCheckpoint {
  /** As its place says; whether it is true stands in its metadata. */
  readonly checkpointId: number
  readonly location: string
}

/** Who writes: what a second process needs to name the first and to tell whether it lives. */
export interface Writer extends ProcessIdentity {
  /** The name of the lock that it holds as long as it lives. */
  readonly lock: string
}

export interface WriterClaim {
  readonly writer: Writer
  /** Throws when `current` must not lose its place; undefined: somebody writes, but who cannot be read. */
  mayReplace(current: Writer | undefined): Promise<void>
  /** The highest epoch that the job is known to have had. */
  epochSoFar(): Promise<number>
}

/** Objects in one place, to read. */
export interface ObjectFolder {
  readonly location: string
  /** Sorted by name. ENOENT (FILE_ERROR) when there is no such place. */
  list(): Promise<readonly StoredObject[]>
  /** ENOENT (FILE_ERROR) when it is missing. */
  open(name: string): Promise<ReadHandle>
}

export interface CheckpointObjects extends ObjectFolder {
  /** Beside it: what several checkpoints of its job name. There need not be such a place. */
  readonly shared: ObjectFolder
}

export interface StoredObject {
  readonly name: string
  /** Whether it is something else than plain bytes: a folder, a symbolic link. */
  readonly plain: boolean
}

/** The writing side. Each call rejects with JOB_FENCED once a newer epoch has begun. */
export interface FencedStorage {
  readonly epoch: number
  /** A new object of a checkpoint in preparation; durable, once it is published, when this has settled. Nothing is left after a failure. */
  put(checkpointId: number, name: string, bytes: Uint8Array): Promise<void>
  /** The same as a stream: durable after `sync` and `close`. */
  create(checkpointId: number, name: string): Promise<WriteHandle>
  /** Removes one object of a checkpoint in preparation; harmless when it is missing. */
  removePrepared(checkpointId: number, name: string): Promise<void>
  /** Forgets a checkpoint in preparation with all its objects; what is put there later is refused. */
  discardPrepared(checkpointId: number): Promise<void>
  /**
   * Moves the objects named by `shared` to those that checkpoints share, adds the last object and makes the checkpoint
   * visible as a whole, durably, if none of its id is. `details.visible` of the error: `no`, and then nothing of it is
   * among the shared objects; or `unknown`: then read the store again.
   */
  publish(
    checkpointId: number,
    lastName: string,
    bytes: Uint8Array,
    shared?: readonly string[],
  ): Promise<{ readonly location: string }>
  /** The same under a new name in a folder of the user's. */
  publishAt(
    checkpointId: number,
    folder: string,
    name: string,
    lastName: string,
    bytes: Uint8Array,
  ): Promise<{ readonly location: string }>
  /** Deletes a published checkpoint; when it fails in the middle, the checkpoint is not visible any more. Harmless when it is missing. */
  delete(checkpointId: number): Promise<void>
  /** Deletes shared objects; harmless where one is missing. */
  deleteShared(names: readonly string[]): Promise<void>
  /** Removes the place of the shared objects, which must be empty; harmless when it is missing. */
  removeSharedPlace(): Promise<void>
  /** Replaces the record of the job, durably. */
  putRecord(bytes: Uint8Array): Promise<void>
  /** Removes what dead epochs and deletions have left. */
  sweep(): Promise<void>
  /** This writer is done: the next one finds nobody. */
  release(): Promise<void>
}
