/** What `_metadata` says of a completed checkpoint or savepoint. Plain JSON inside a frame with magic, version and CRC. */
import type { CheckpointKind } from '../elements/stream-element.ts'
import type { OperatorSubtaskState, StateHandle } from '../state/snapshot.ts'

export interface CheckpointMetadata {
  readonly jobId: string
  readonly jobName: string
  readonly epoch: number
  readonly checkpointId: number
  readonly kind: CheckpointKind
  /** When it was triggered, ms since the epoch. */
  readonly timestamp: number
  readonly operators: readonly OperatorMetadata[]
}

export interface OperatorMetadata {
  readonly operatorId: string
  readonly uid?: string | undefined
  readonly name: string
  readonly parallelism: number
  readonly maxParallelism: number
  /** The state of the operator's coordinator: a source's split enumerator. */
  readonly coordinator?: StateHandle | undefined
  /** One entry a subtask that reported; `finished` ones hold no state. */
  readonly subtasks: readonly SubtaskMetadata[]
}

export interface SubtaskMetadata extends Omit<OperatorSubtaskState, 'operatorId'> {
  readonly index: number
  readonly finished: boolean
}
