/** What one subtask tells of its part in a checkpoint: times, sizes, what was in flight. Plain JSON: it crosses the link. */
import { handlesIn, storedIn, writtenFor } from '../checkpoint/stored-handles.ts'
import type { OperatorSubtaskState, StateHandle, StoredHandle } from '../state/snapshot.ts'

/** How the barriers of a checkpoint came to a subtask. */
export interface SnapshotAlignment {
  /** From the trigger at the coordinator to the first barrier. */
  readonly startDelayMs: number
  /** From the first barrier to the last. */
  readonly alignmentMs: number
  /** The barrier overtook records, which are stored with the checkpoint. */
  readonly unaligned: boolean
}

export interface SubtaskCheckpointMetrics extends SnapshotAlignment {
  /** The subtask stood still for so long while its state was frozen. */
  readonly syncMs: number
  /** From the freezing to the last byte, beside the records; of an unaligned one with the wait for its last barrier. */
  readonly asyncMs: number
  /** Of records that were processed between the first barrier and the last: their exact number times the mean size of a few. */
  readonly processedBytes: number
  /** Of records in flight that were stored with the checkpoint. */
  readonly persistedBytes: number
  /** Written for this checkpoint. */
  readonly checkpointedBytes: number
  /** The whole state, with what earlier checkpoints wrote of it. */
  readonly stateBytes: number
}

export function snapshotSizes(
  states: readonly OperatorSubtaskState[],
  epoch: number,
): Pick<SubtaskCheckpointMetrics, 'persistedBytes' | 'checkpointedBytes' | 'stateBytes'> {
  const all = states.flatMap(handlesIn)
  const inFlight = states.map(({ channels }) => channels?.handle).filter((handle) => handle !== undefined)
  return {
    persistedBytes: sum(inFlight, sizeOf),
    checkpointedBytes: sum(all, (handle) => sum(writtenFor(handle, epoch), sizeOf) + sum(inlineIn(handle), sizeOf)),
    stateBytes: sum(all, (handle) => sum(storedIn(handle), sizeOf)),
  }
}

/** Written with the metadata, each time anew. */
function inlineIn(handle: StateHandle): readonly StoredHandle[] {
  return storedIn(handle).filter(({ type }) => type === 'inline')
}

function sizeOf(handle: StoredHandle): number {
  return handle.type === 'inline' ? Buffer.byteLength(handle.bytes, 'base64') : handle.length
}

function sum<T>(all: readonly T[], size: (one: T) => number): number {
  return all.reduce((total, one) => total + size(one), 0)
}
