/**
 * What a state backend needs from whoever stores checkpoints: streams that become durable and give a handle, and the
 * way back. Implemented in `checkpoint/`. A handle is plain JSON: it crosses the link and stands in the metadata.
 */
import type { KeyGroupRange } from './key-group-range.ts'

/** Stands in every state file, so that a file of another job, checkpoint or operator is recognised. */
export interface SnapshotIdentity {
  readonly checkpointId: number
  /** 32 hexadecimal digits. */
  readonly operatorId: string
  readonly subtask: number
  readonly kind: 'keyed' | 'operator' | 'coordinator'
  /** Of keyed state. */
  readonly keyGroups?: KeyGroupRange | undefined
}

export interface SnapshotWriter {
  /** Opens a stream at once and cannot fail; what goes wrong is said by `append` or `finish`. */
  open(identity: SnapshotIdentity): SnapshotStream
}

export interface SnapshotStream {
  /** Copies what it keeps: the bytes may change when it has returned or, where it gives a promise, when that has settled; only then comes the next call. */
  append(bytes: Uint8Array): void | Promise<void>
  /**
   * Everything appended is durable. Rejects with a StreamError: FILE_ERROR, CHECKPOINT_DISCARDED (the checkpoint was given
   * up meanwhile) or JOB_FENCED (another process owns the job); nothing is left behind then.
   */
  finish(): Promise<StateHandle>
  /** The snapshot is not wanted any more: what was written is removed. Never rejects. */
  abandon(): Promise<void>
}

export type StateHandle =
  /** Small state: the bytes themselves, in base64. */
  | { readonly type: 'inline'; readonly identity: SnapshotIdentity; readonly bytes: string }
  | {
      readonly type: 'file'
      readonly identity: SnapshotIdentity
      /** Relative to the folder of the checkpoint. */
      readonly path: string
      /** Of the whole file, with its header, in bytes. */
      readonly length: number
      /** Of the whole file: 64 hexadecimal digits. */
      readonly sha256: string
    }

/** One operator's part of one subtask's snapshot. */
export interface OperatorSubtaskState {
  readonly operatorId: string
  readonly keyed?: StateHandle | undefined
  readonly operator?: StateHandle | undefined
}

export interface SnapshotReader {
  /** The payload behind a handle (what was appended), after its length, hash and identity were checked. */
  read(handle: StateHandle): Promise<Uint8Array>
}
