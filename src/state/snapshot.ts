/**
 * What a state backend needs from whoever stores checkpoints: streams that become durable and give a handle, and the
 * way back. Implemented in `checkpoint/`. A handle is plain JSON: it crosses the link and stands in the metadata.
 */
import type { PartitionerType } from './channel-redistribution.ts'
import type { KeyGroupRange } from './key-group-range.ts'
import type { StoredSerializer } from './keyed-table.ts'

/** Stands in every state file, so that a file of another job, checkpoint or operator is recognised. */
export interface SnapshotIdentity {
  readonly checkpointId: number
  /** 32 hexadecimal digits. */
  readonly operatorId: string
  readonly subtask: number
  /** `channels`: records that were in flight to the subtask; they belong to the head operator of its chain. */
  readonly kind: 'keyed' | 'operator' | 'coordinator' | 'channels'
  /** Of keyed state. */
  readonly keyGroups?: KeyGroupRange | undefined
}

export interface SnapshotWriter {
  /**
   * Opens a stream at once and cannot fail; what goes wrong is said by `append` or `finish`. `shared`: checkpoints after this
   * one may name the file as well; it is deleted when none names it any more.
   */
  open(identity: SnapshotIdentity, scope?: 'own' | 'shared'): SnapshotStream
}

/** Where one piece of state of one checkpoint is written to: a `SnapshotWriter` that knows whose it is. */
export interface SnapshotTarget {
  open(scope?: 'own' | 'shared'): SnapshotStream
}

export interface SnapshotStream {
  /** Copies what it keeps: the bytes may change when it has returned or, where it gives a promise, when that has settled; only then comes the next call. */
  append(bytes: Uint8Array): void | Promise<void>
  /**
   * Everything appended is durable. Rejects with a StreamError: FILE_ERROR, CHECKPOINT_DISCARDED (the checkpoint was given
   * up meanwhile) or JOB_FENCED (another process owns the job); nothing is left behind then.
   */
  finish(): Promise<StoredHandle>
  /** The snapshot is not wanted any more: what was written is removed. Never rejects. */
  abandon(): Promise<void>
}

/** What a snapshot is to be. */
export type SnapshotFormat =
  /** A checkpoint as the backend is configured: where it can, it writes only what changed. */
  | 'checkpoint'
  /** A checkpoint that names no file of an earlier one. */
  | 'full'
  /** A savepoint that any backend restores. */
  | 'canonical'
  /** A savepoint of the backend's own files, whole in its folder. */
  | 'native'

/** Bytes in one place. */
export type StoredHandle = InlineHandle | FileHandle | SharedHandle

/** Small state: the bytes themselves, in base64. */
export interface InlineHandle {
  readonly type: 'inline'
  readonly identity: SnapshotIdentity
  readonly bytes: string
}

export interface FileHandle {
  readonly type: 'file'
  readonly identity: SnapshotIdentity
  /** Relative to the folder of the checkpoint. */
  readonly path: string
  /** Of the whole file, with its header, in bytes. */
  readonly length: number
  /** Of the whole file: 64 hexadecimal digits. */
  readonly sha256: string
}

/** A file beside the checkpoints of a job, named by several of them. */
export interface SharedHandle {
  readonly type: 'shared'
  /** Of the checkpoint that wrote it. */
  readonly identity: SnapshotIdentity
  /** In which that checkpoint was written. */
  readonly epoch: number
  /** Its name in the shared folder of the job: unique for all attempts and epochs. */
  readonly path: string
  readonly length: number
  readonly sha256: string
}

/** State of several files in a form of its backend's own. */
export interface CompositeHandle {
  readonly type: 'composite'
  readonly identity: SnapshotIdentity
  /** The backend that can read it: `leveldb`. */
  readonly backend: string
  /** What the parts are; the backend's own. Written for this checkpoint. */
  readonly index: InlineHandle | FileHandle
  readonly parts: readonly StoredHandle[]
}

export type StateHandle = StoredHandle | CompositeHandle

/** One operator's part of one subtask's snapshot. */
export interface OperatorSubtaskState {
  readonly operatorId: string
  readonly keyed?: StateHandle | undefined
  readonly operator?: StateHandle | undefined
  /** Of the head operator of a chain, in an unaligned checkpoint. */
  readonly channels?: StoredChannels | undefined
}

/** The records that were in flight to one subtask. */
export interface StoredChannels {
  readonly handle: StoredHandle
  /** What it holds, one entry an edge: whether a program has a place for it is known before anything is read. */
  readonly edges: readonly InFlightEdge[]
}

/** An edge of a job graph, by what stays the same when the program is built again. */
export interface EdgeIdentity {
  /** The operator that emits. */
  readonly from: string
  /** Undefined: its main output. */
  readonly sideOutput?: string | undefined
  /** Of the head operator of the receiving vertex. */
  readonly input: number
  /** Among edges that are equal in all of that, from 0: a stream that is united with itself. */
  readonly ordinal: number
}

export interface InFlightEdge {
  readonly edge: EdgeIdentity
  readonly partitioner: PartitionerType
  readonly serializer: StoredSerializer
  /** Of all its channels; never none. */
  readonly records: number
  /** Serialised, with their timestamps. */
  readonly bytes: number
}

export interface SnapshotReader {
  /** The payload behind a handle (what was appended), after its length, hash and identity were checked. */
  read(handle: StoredHandle): Promise<Uint8Array>
  /**
   * The same piece by piece, for what is larger than memory should hold; waits for a promise of `take`. What was given counts
   * only when this has settled well. The bytes may change when `take` has returned or its promise has settled.
   */
  scan(handle: StoredHandle, take: (bytes: Uint8Array, payloadLength: number) => void | Promise<void>): Promise<void>
}
