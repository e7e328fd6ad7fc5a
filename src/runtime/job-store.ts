/** What the job's side needs of the checkpoint store: in one epoch, behind its fence. Types only. */
import type { CheckpointMetadata } from '../checkpoint/checkpoint-metadata.ts'
import type { SnapshotReader, SnapshotWriter, StateHandle } from '../state/snapshot.ts'
import type { JobOrderOf } from './control/job.ts'

export interface StoredCheckpoint {
  readonly checkpointId: number
  readonly location: string
}

export interface JobStore {
  /** Whether it outlives the process. */
  readonly durable: boolean
  readonly snapshotWriter: SnapshotWriter
  /** The files of the checkpoint that was loaded from this place. */
  reader(location: string): SnapshotReader
  /** Reads and verifies everything. */
  load(location: string): Promise<CheckpointMetadata>
  /** A checkpoint is being triggered: shared files that are there now stay until it is published or discarded. */
  begin(checkpointId: number): void
  publish(metadata: CheckpointMetadata): Promise<{ readonly location: string; readonly bytes: number }>
  /** Makes the folder for savepoints and tries whether it can be written to; rejects with FILE_ERROR. */
  prepareSavepointFolder(targetDirectory: string): Promise<void>
  /** Under a new name in a folder of the user's; the record of the job names it as its newest savepoint. */
  publishSavepoint(
    targetDirectory: string,
    metadata: CheckpointMetadata,
  ): Promise<{ readonly location: string; readonly bytes: number }>
  /** Rejects with JOB_FENCED when another process has taken the job over. Before a restart: a process that was replaced must not begin anew. */
  stillOurs(): Promise<void>
  listCompleted(): Promise<readonly StoredCheckpoint[]>
  /** One of the job's own, or one that it has claimed, which may lie anywhere. */
  discard(checkpoint: StoredCheckpoint): Promise<void>
  discardPending(checkpointId: number): Promise<void>
  removeHandles(handles: readonly StateHandle[]): Promise<void>
  writeRecord(content: JobOrderOf<'writeRecord'>): Promise<void>
}
