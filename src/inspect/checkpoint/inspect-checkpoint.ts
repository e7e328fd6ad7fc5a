/** Reads a whole checkpoint or savepoint, and reports what it holds once every byte has been checked. */
import type { OperatorMetadata } from '../../checkpoint/checkpoint-metadata.ts'
import { handlesOf, holdsChannels, ownFilesIn, sharedIn, storedIn } from '../../checkpoint/stored-handles.ts'
import type { StateHandle } from '../../state/snapshot.ts'
import { inFlightOf, readInFlight } from './in-flight.ts'
import { keyedStateReader } from './keyed-scan.ts'
import { KeyedTally } from './keyed-tally.ts'
import type { OpenCheckpoint } from './open-checkpoint.ts'
import { readOperatorStates, type SubtaskStates } from './operator-states.ts'
import type {
  CheckpointFormat,
  CheckpointProperties,
  CheckpointReport,
  CheckpointSize,
  KeyedStateReport,
  OperatorReport,
  OperatorStateReport,
} from './report.ts'

/** Throws CHECKPOINT_*, STATE_CORRUPT, STATE_INCOMPATIBLE or NOT_DESERIALIZABLE, which name the file. */
export async function inspectCheckpoint(checkpoint: OpenCheckpoint): Promise<CheckpointReport> {
  const { metadata, location } = checkpoint
  await checkpoint.verify(metadata.operators)
  const operators: OperatorReport[] = []
  for (const operator of metadata.operators) operators.push(await inspectOperator(checkpoint, operator))
  const { jobId, jobName, epoch, checkpointId, kind, timestamp } = metadata
  return {
    verified: true,
    path: location,
    jobId,
    jobName,
    epoch,
    checkpointId,
    kind,
    format: formatOf(checkpoint),
    triggeredAt: isoOf(timestamp),
    triggeredAtMs: timestamp,
    size: sizeOf(checkpoint),
    properties: propertiesOf(checkpoint),
    operators,
  }
}

async function inspectOperator(checkpoint: OpenCheckpoint, operator: OperatorMetadata): Promise<OperatorReport> {
  const { name, uid, operatorId, parallelism, maxParallelism, subtasks, coordinator } = operator
  return {
    name,
    uid: uid ?? null,
    operatorId,
    parallelism,
    maxParallelism,
    subtasks: subtasks.length,
    finishedSubtasks: subtasks.filter(({ finished }) => finished).length,
    keyedStates: await keyedStatesOf(checkpoint, operator),
    operatorStates: operatorStatesOf(await readOperatorStates(checkpoint, operator)),
    inFlight: inFlightOf(await readInFlight(checkpoint, operator)),
    coordinatorBytes: coordinator === undefined ? null : bytesOf(coordinator),
  }
}

async function keyedStatesOf(
  checkpoint: OpenCheckpoint,
  { maxParallelism, subtasks }: OperatorMetadata,
): Promise<readonly KeyedStateReport[]> {
  const tally = new KeyedTally(maxParallelism)
  for (const { keyed } of subtasks) {
    if (keyed === undefined) continue
    const reader = await keyedStateReader(checkpoint, keyed)
    if (reader.isReadable) await reader.scan(tally.visitor())
    else tally.addUnread(reader.header)
  }
  return tally.reports()
}

function operatorStatesOf(bySubtask: readonly SubtaskStates[]): readonly OperatorStateReport[] {
  const reports = new Map<string, OperatorStateReport>()
  for (const { states } of bySubtask)
    for (const { name, mode, serializer, elements } of states) {
      const { id, version } = serializer
      const slot = JSON.stringify([name, mode, id, version])
      const before = reports.get(slot)
      reports.set(slot, {
        name,
        mode,
        serializer: { id, version },
        elements: (before?.elements ?? 0) + elements.length,
        bytes: elements.reduce((sum, { length }) => sum + length, before?.bytes ?? 0),
        subtasks: (before?.subtasks ?? 0) + 1,
      })
    }
  return [...reports.values()]
}

function formatOf({ metadata }: OpenCheckpoint): CheckpointFormat {
  if (sharedIn(metadata).length > 0) return 'incremental'
  return [...handlesOf(metadata)].some(({ handle }) => handle.type === 'composite') ? 'native' : 'canonical'
}

function sizeOf({ metadata }: OpenCheckpoint): CheckpointSize {
  const inline = [...handlesOf(metadata)].flatMap(({ handle }) =>
    storedIn(handle).filter(({ type }) => type === 'inline'),
  )
  const own = [...ownFilesIn(metadata), ...inline]
  return {
    ownBytes: own.reduce((sum, handle) => sum + bytesOf(handle), 0),
    sharedBytes: sharedIn(metadata).reduce((sum, handle) => sum + bytesOf(handle), 0),
  }
}

function bytesOf(handle: StateHandle): number {
  if (handle.type === 'composite') return storedIn(handle).reduce((sum, part) => sum + bytesOf(part), 0)
  return handle.type === 'inline' ? Buffer.byteLength(handle.bytes, 'base64') : handle.length
}

const TYPES = { checkpoint: 'CHECKPOINT', savepoint: 'SAVEPOINT', synchronousSavepoint: 'SYNC_SAVEPOINT' } as const

function propertiesOf(checkpoint: OpenCheckpoint): CheckpointProperties {
  const { checkpointId, kind, timestamp } = checkpoint.metadata
  const { ownBytes, sharedBytes } = sizeOf(checkpoint)
  const isSavepoint = kind !== 'checkpoint'
  return {
    id: checkpointId,
    checkpoint_type: TYPES[kind],
    is_savepoint: isSavepoint,
    savepointFormat: !isSavepoint ? null : formatOf(checkpoint) === 'canonical' ? 'CANONICAL' : 'NATIVE',
    is_unaligned: holdsChannels(checkpoint.metadata),
    trigger_timestamp: timestamp,
    external_path: checkpoint.location,
    state_size: ownBytes + sharedBytes,
  }
}

/** The metadata promises a number, which may lie beyond all dates. */
function isoOf(timestampMs: number): string | null {
  const date = new Date(timestampMs)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}
