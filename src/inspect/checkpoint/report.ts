/** What `millrace inspect` knows of a checkpoint or savepoint: plain JSON, in this shape under `--json`. */

import type { PartitionerType } from '../../state/channel-redistribution.ts'
import type { StoredSerializer } from '../../state/keyed-table.ts'
import type { RedistributionMode } from '../../state/redistribution.ts'

export interface CheckpointReport {
  /** Every byte of it was read, and matched what was written down of it. */
  readonly verified: true
  readonly path: string
  readonly jobId: string
  readonly jobName: string
  readonly epoch: number
  readonly checkpointId: number
  readonly kind: 'checkpoint' | 'savepoint' | 'synchronousSavepoint'
  readonly format: CheckpointFormat
  /** ISO 8601; null where the number is no time. */
  readonly triggeredAt: string | null
  readonly triggeredAtMs: number
  readonly size: CheckpointSize
  readonly properties: CheckpointProperties
  readonly operators: readonly OperatorReport[]
}

/** `canonical`: any backend reads it. `native`: the backend's own files. `incremental`: some of them belong to earlier checkpoints too. */
export type CheckpointFormat = 'canonical' | 'native' | 'incremental'

export interface CheckpointSize {
  /** Files in the folder, and what stands in the metadata. */
  readonly ownBytes: number
  /** Files beside it that other checkpoints may name as well, each once. */
  readonly sharedBytes: number
}

/** As Flink's REST interface names them. */
export interface CheckpointProperties {
  readonly id: number
  readonly checkpoint_type: 'CHECKPOINT' | 'SAVEPOINT' | 'SYNC_SAVEPOINT'
  readonly is_savepoint: boolean
  readonly savepointFormat: 'CANONICAL' | 'NATIVE' | null
  /** It holds records that were in flight; one that was unaligned while none were is like an aligned one. */
  readonly is_unaligned: boolean
  readonly trigger_timestamp: number
  readonly external_path: string
  readonly state_size: number
}

export interface OperatorReport {
  readonly name: string
  readonly uid: string | null
  readonly operatorId: string
  readonly parallelism: number
  readonly maxParallelism: number
  readonly subtasks: number
  /** Of these: had ended, and hold nothing. */
  readonly finishedSubtasks: number
  readonly keyedStates: readonly KeyedStateReport[]
  readonly operatorStates: readonly OperatorStateReport[]
  /** Records that were in flight to it. */
  readonly inFlight: readonly InFlightReport[]
  /** Of a source's split enumerator; null where there is none. */
  readonly coordinatorBytes: number | null
}

export interface KeyedStateReport {
  /** `value`, `list`, `map`, `reducing`, `aggregating` or `timers`. */
  readonly kind: string
  readonly name: string
  readonly serializers: readonly StoredSerializer[]
  /** Null with the two below where only its backend can read it. */
  readonly entries: number | null
  /** Of keys and values. */
  readonly bytes: number | null
  /** That have an entry. */
  readonly keyGroups: number | null
}

export interface OperatorStateReport {
  readonly name: string
  /** `broadcast`: each subtask has a copy, and all copies count. */
  readonly mode: RedistributionMode
  readonly serializer: StoredSerializer
  readonly elements: number
  readonly bytes: number
  /** That have it. */
  readonly subtasks: number
}

/** Of one edge. */
export interface InFlightReport {
  /** Id of the operator that emitted them. */
  readonly from: string
  /** Null: its main output. */
  readonly sideOutput: string | null
  /** Of the operator that was to process them. */
  readonly input: number
  readonly partitioner: PartitionerType
  readonly serializer: StoredSerializer
  readonly records: number
  /** With their timestamps. */
  readonly bytes: number
  /** To which they were in flight. */
  readonly subtasks: number
}
