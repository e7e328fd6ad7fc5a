/** Reads what a checkpoint or savepoint consists of, every byte verified, and keeps none of its entries. Writes nothing. */
import type { FileSystem } from '../base/file-system.ts'
import type { CheckpointMetadata, OperatorMetadata } from '../checkpoint/checkpoint-metadata.ts'
import { readMetadata, savepointFolder } from '../checkpoint/completed-checkpoints.ts'
import { fileObjects } from '../checkpoint/file-objects.ts'
import { snapshotReader, verifyCheckpoint } from '../checkpoint/state-reading.ts'
import { decodeOperatorState, type StoredOperatorState } from '../state/operator-state-format.ts'
import type { SnapshotReader, StateHandle, StoredHandle } from '../state/snapshot.ts'
import { type DescribedKeyedState, describeKeyedState } from './describe-keyed-state.ts'

export interface StoredStates {
  /** Its folder. */
  readonly location: string
  readonly metadata: CheckpointMetadata
  /** By operator id: of every operator of the metadata. */
  readonly operators: ReadonlyMap<string, StoredOperator>
}

export interface StoredOperator {
  readonly metadata: OperatorMetadata
  /** Of the subtasks that have keyed state. */
  readonly keyed: readonly DescribedKeyedState[]
  /** By old subtask, its states without their elements; undefined where it reported none. */
  readonly operator: readonly (readonly StoredOperatorState[] | undefined)[]
  /** What a source's enumerator stored, as it stands there. */
  readonly coordinator: Uint8Array | undefined
}

/** `path`: a folder or its `_metadata`. Throws STORAGE_LOCATION, CHECKPOINT_*, STATE_CORRUPT, STATE_INCOMPATIBLE or FILE_ERROR. */
export async function readStoredStates(files: FileSystem, path: string): Promise<StoredStates> {
  const location = savepointFolder(path)
  const objects = fileObjects(files, location)
  const metadata = await readMetadata(objects)
  await verifyCheckpoint(objects, metadata)
  const reader = snapshotReader(objects, metadata)
  const operators = new Map<string, StoredOperator>()
  for (const operator of metadata.operators) operators.set(operator.operatorId, await readOperator(operator, reader))
  return { location, metadata, operators }
}

async function readOperator(metadata: OperatorMetadata, reader: SnapshotReader): Promise<StoredOperator> {
  const keyed: DescribedKeyedState[] = []
  const operator: (readonly StoredOperatorState[] | undefined)[] = Array.from(
    { length: metadata.parallelism },
    () => undefined,
  )
  for (const subtask of metadata.subtasks) {
    if (subtask.keyed !== undefined) keyed.push(await describeKeyedState(subtask.keyed, reader))
    if (subtask.operator !== undefined)
      operator[subtask.index] = withoutElements(decodeOperatorState(await read(reader, subtask.operator)))
  }
  const { coordinator } = metadata
  return {
    metadata,
    keyed,
    operator,
    coordinator: coordinator === undefined ? undefined : await read(reader, coordinator),
  }
}

/** Operator and coordinator state are never composite. */
function read(reader: SnapshotReader, handle: StateHandle): Promise<Uint8Array> {
  return reader.read(handle as StoredHandle)
}

/** They may be many, and nothing is restored. */
function withoutElements(states: readonly StoredOperatorState[]): readonly StoredOperatorState[] {
  return states.map((state) => ({ ...state, elements: [] }))
}
