/** Reads the operator states of one operator, subtask by subtask. */
import type { OperatorMetadata } from '../../checkpoint/checkpoint-metadata.ts'
import { decodeOperatorState, type StoredOperatorState } from '../../state/operator-state-format.ts'
import type { SnapshotIdentity, StateHandle } from '../../state/snapshot.ts'
import { contradiction, readingFile } from './bad-state.ts'
import type { OpenCheckpoint } from './open-checkpoint.ts'

export interface SubtaskStates {
  /** Whose they are, and in which file they lie. */
  readonly identity: SnapshotIdentity
  readonly file: string
  readonly states: readonly StoredOperatorState[]
}

/** Operator state is read whole, as a restore does; more than this no job could have kept beside its records. */
const MOST_BYTES = 1 << 30

/** Throws STATE_CORRUPT, STATE_INCOMPATIBLE or NOT_DESERIALIZABLE, which name the file. */
export async function readOperatorStates(
  checkpoint: OpenCheckpoint,
  { subtasks }: OperatorMetadata,
): Promise<readonly SubtaskStates[]> {
  const read: SubtaskStates[] = []
  for (const { operator } of subtasks) if (operator !== undefined) read.push(await statesIn(checkpoint, operator))
  return read
}

async function statesIn(checkpoint: OpenCheckpoint, handle: StateHandle): Promise<SubtaskStates> {
  const file = checkpoint.fileOf(handle.type === 'composite' ? handle.index : handle)
  const states = await readingFile(file, handle.identity, async () => {
    if (handle.type === 'composite') throw contradiction('Operator state is never of several files')
    if (handle.type !== 'inline' && handle.length > MOST_BYTES)
      throw contradiction(`Its ${handle.length} bytes are more than the operator state of any subtask has`)
    return decodeOperatorState(await checkpoint.reader.read(handle))
  })
  return { identity: handle.identity, file, states }
}
