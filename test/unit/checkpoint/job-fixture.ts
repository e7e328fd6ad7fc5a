/** Jobs of three checkpoints for the tests of the durable side: on a real folder, or on a simulated disk. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { StreamError } from '../../../src/base/errors.ts'
import type { FileSystem } from '../../../src/base/file-system.ts'
import { type NodeFileSystem, nodeFileSystem } from '../../../src/base/node-file-system.ts'
import type { Ports } from '../../../src/base/ports.ts'
import { SimulatedLocks } from '../../../src/base/simulated-locks.ts'
import { systemPorts } from '../../../src/base/system-ports.ts'
import type { CheckpointMetadata } from '../../../src/checkpoint/checkpoint-metadata.ts'
import { type OpenedJob, type OpenJobOptions, openJob } from '../../../src/checkpoint/job-directory.ts'
import type { JobStorage } from '../../../src/checkpoint/job-storage.ts'
import type { SnapshotIdentity, StoredHandle } from '../../../src/state/snapshot.ts'

export const JOB_ID = '0123456789abcdef0123456789abcdef'
export const OPERATOR = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
export const OTHER_OPERATOR = 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'
export const HERE = { pid: 41, host: 'here', namespace: 'net:[1]' }

/** A real file system and a new folder, both gone after the test. */
export function realFolder(): { readonly files: NodeFileSystem; readonly directory: string } {
  const files = nodeFileSystem()
  const directory = mkdtempSync(join(tmpdir(), 'millrace-'))
  leftovers.push({ files, directory })
  return { files, directory }
}

const leftovers: { files: NodeFileSystem; directory: string }[] = []
afterEach(async () => {
  for (const { files, directory } of leftovers.splice(0)) {
    await files.stop()
    rmSync(directory, { recursive: true, force: true })
  }
})

export function portsOn(files: FileSystem, overrides: Partial<Ports> = {}): Ports {
  return systemPorts({
    files,
    locks: new SimulatedLocks(),
    turns: { next: (turn) => queueMicrotask(turn) },
    ...overrides,
  })
}

export function open(ports: Ports, directory: string, options: Partial<OpenJobOptions> = {}): Promise<OpenedJob> {
  return openJob({ ports, directory, name: 'wordcount', takeover: false, graphHash: 'g', process: HERE, ...options })
}

/** What the operators of checkpoint n hold. Key state is a file, operator state stands in the metadata. */
export function stateOf(
  checkpointId: number,
  subtask = 0,
): { readonly keyed: Uint8Array; readonly operator: Uint8Array } {
  const keyed = new Uint8Array(30_000).map((_, index) => (index * 7 + checkpointId * 31 + subtask) & 0xff)
  return { keyed, operator: new TextEncoder().encode(`positions of checkpoint ${checkpointId}, subtask ${subtask}`) }
}

export async function store(storage: JobStorage, identity: SnapshotIdentity, bytes: Uint8Array): Promise<StoredHandle> {
  const stream = storage.snapshotWriter().open(identity)
  await stream.append(bytes)
  return stream.finish()
}

/** Writes the state of one checkpoint of one operator with one subtask. */
export async function prepare(job: OpenedJob, checkpointId: number): Promise<CheckpointMetadata> {
  const { keyed, operator } = stateOf(checkpointId)
  const at = { checkpointId, operatorId: OPERATOR, subtask: 0 }
  const keyedHandle = await store(job.storage, { ...at, kind: 'keyed', keyGroups: { first: 0, last: 127 } }, keyed)
  const operatorHandle = await store(job.storage, { ...at, kind: 'operator' }, operator)
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
        subtasks: [{ index: 0, finished: false, keyed: keyedHandle, operator: operatorHandle }],
      },
    ],
  }
}

export async function complete(job: OpenedJob, checkpointId: number): Promise<string> {
  return (await job.storage.publish(await prepare(job, checkpointId))).path
}

/** Deletes a checkpoint of the job's own. */
export function discard(job: OpenedJob, checkpointId: number): Promise<void> {
  return job.storage.discard({ checkpointId, location: `${job.storage.location}/${job.jobId}/chk-${checkpointId}` })
}

/** Both states of the checkpoint that a job starts from, read back. */
export async function restored(
  job: OpenedJob,
): Promise<{ readonly checkpointId: number; readonly keyed: Uint8Array; readonly operator: Uint8Array }> {
  if (job.start.kind !== 'checkpoint' && job.start.kind !== 'savepoint')
    throw new StreamError('INTERNAL', { message: `It starts ${job.start.kind}.` })
  const { metadata } = job.start
  const { keyed, operator } = metadata.operators[0]?.subtasks[0] ?? {}
  if (keyed === undefined || operator === undefined) throw new StreamError('INTERNAL', { message: 'It has no state.' })
  const reader = job.storage.snapshotReader(job.start)
  return {
    checkpointId: metadata.checkpointId,
    keyed: await reader.read(keyed as StoredHandle),
    operator: await reader.read(operator as StoredHandle),
  }
}

/** The code of the error with which it rejects; 'none' when it does not. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    (thrown: unknown) => (StreamError.is(thrown) ? thrown.code : String(thrown)),
  )
}
