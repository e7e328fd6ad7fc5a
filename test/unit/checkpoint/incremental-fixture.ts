/** A job whose checkpoints share files: each writes one and names those of the checkpoints before it, as a script says. */
import type { CheckpointMetadata } from '../../../src/checkpoint/checkpoint-metadata.ts'
import type { OpenedJob } from '../../../src/checkpoint/job-directory.ts'
import type { CompositeHandle, SharedHandle, SnapshotIdentity, StoredHandle } from '../../../src/state/snapshot.ts'
import { OPERATOR } from './job-fixture.ts'

const SIZE = 25_000

/** What the shared file of checkpoint n holds; its epoch tells apart two files of one id. */
export function sharedBytes(checkpointId: number, epoch = 1): Uint8Array {
  return new Uint8Array(SIZE).map((_, index) => (index * 3 + checkpointId * 17 + epoch * 101) & 0xff)
}

export function identityOf(checkpointId: number): SnapshotIdentity {
  return { checkpointId, operatorId: OPERATOR, subtask: 0, kind: 'keyed', keyGroups: { first: 0, last: 127 } }
}

/** Writes the new shared file of a checkpoint. */
export async function writeShared({ storage, epoch }: OpenedJob, checkpointId: number): Promise<SharedHandle> {
  const stream = storage.snapshotWriter().open(identityOf(checkpointId), 'shared')
  await stream.append(sharedBytes(checkpointId, epoch))
  return (await stream.finish()) as SharedHandle
}

/** The state of several files: those that are given, and an index that stands in the metadata. */
export async function composite(
  { storage }: OpenedJob,
  checkpointId: number,
  parts: readonly StoredHandle[],
): Promise<CompositeHandle> {
  const stream = storage.snapshotWriter().open(identityOf(checkpointId))
  await stream.append(new TextEncoder().encode(`index of ${checkpointId}`))
  const index = (await stream.finish()) as CompositeHandle['index']
  return { type: 'composite', identity: identityOf(checkpointId), backend: 'leveldb', index, parts }
}

export function metadataOf(
  job: OpenedJob,
  checkpointId: number,
  keyed: CompositeHandle | StoredHandle,
): CheckpointMetadata {
  return {
    jobId: job.jobId,
    jobName: 'wordcount',
    epoch: job.epoch,
    checkpointId,
    kind: 'checkpoint',
    timestamp: 1000 + checkpointId,
    operators: [
      {
        operatorId: OPERATOR,
        name: 'count',
        parallelism: 1,
        maxParallelism: 128,
        subtasks: [{ index: 0, finished: false, keyed }],
      },
    ],
  }
}

/** Begins checkpoint n, writes its file, and gives metadata that also names `older`. */
export async function prepareSharing(
  job: OpenedJob,
  checkpointId: number,
  older: readonly StoredHandle[],
): Promise<{ readonly metadata: CheckpointMetadata; readonly written: SharedHandle }> {
  job.storage.begin(checkpointId)
  const written = await writeShared(job, checkpointId)
  return { metadata: metadataOf(job, checkpointId, await composite(job, checkpointId, [...older, written])), written }
}

/** The same, completed. */
export async function completeSharing(
  job: OpenedJob,
  checkpointId: number,
  older: readonly StoredHandle[] = [],
): Promise<SharedHandle> {
  const { metadata, written } = await prepareSharing(job, checkpointId, older)
  await job.storage.publish(metadata)
  return written
}

/** The parts of what a job starts from. */
export function partsOf(metadata: CheckpointMetadata): readonly StoredHandle[] {
  const keyed = metadata.operators[0]?.subtasks[0]?.keyed
  return keyed?.type === 'composite' ? keyed.parts : []
}

/** Why what the job starts from is not what was written; undefined when it is. */
export async function wrongParts(job: OpenedJob): Promise<string | undefined> {
  if (job.start.kind !== 'checkpoint' && job.start.kind !== 'savepoint') return `it starts ${job.start.kind}`
  const reader = job.storage.snapshotReader(job.start)
  for (const part of partsOf(job.start.metadata)) {
    const epoch = part.type === 'shared' ? part.epoch : job.start.metadata.epoch
    const expected = sharedBytes(part.identity.checkpointId, epoch)
    if (Buffer.compare(await reader.read(part), expected) !== 0)
      return `the part of checkpoint ${part.identity.checkpointId} is another one`
  }
  return undefined
}
