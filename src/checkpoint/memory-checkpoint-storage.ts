/** Checkpoints in the memory of this process (Flink's jobmanager storage): they outlive a task, not the process. */

import { fileError } from '../base/file-error.ts'
import type { FileSystem, ReadHandle } from '../base/file-system.ts'
import type {
  CheckpointObjects,
  CheckpointStorage,
  FencedStorage,
  ObjectFolder,
  PublishedCheckpoint,
  WriterClaim,
} from './checkpoint-storage.ts'
import { FencedMemoryStorage, type MemoryJob, memoryLocation } from './fenced-memory-storage.ts'

export class MemoryCheckpointStorage implements CheckpointStorage {
  readonly location = 'the memory of this process'
  readonly durable = false
  readonly #jobs = new Map<string, MemoryJob>()
  readonly #files: FileSystem

  /** @param files where savepoints go. */
  constructor(files: FileSystem) {
    this.#files = files
  }

  async listJobs(): Promise<readonly string[]> {
    return [...this.#jobs.keys()].sort()
  }

  async readRecord(jobId: string): Promise<Uint8Array | undefined> {
    return this.#jobs.get(jobId)?.record
  }

  async listCheckpoints(jobId: string): Promise<readonly PublishedCheckpoint[]> {
    const ids = [...(this.#jobs.get(jobId)?.published.keys() ?? [])].sort((one, other) => one - other)
    return ids.map((checkpointId) => ({ checkpointId, location: memoryLocation(jobId, checkpointId) }))
  }

  at(location: string): CheckpointObjects {
    const [, jobId, id] = /^memory:([0-9a-f]+)\/chk-(\d+)$/.exec(location) ?? []
    const job = () => this.#jobs.get(jobId ?? '')
    return {
      ...objectsOf(location, () => job()?.published.get(Number(id))),
      shared: objectsOf(`memory:${jobId}/shared`, () => job()?.shared),
    }
  }

  async listShared(jobId: string): Promise<readonly string[]> {
    return [...(this.#jobs.get(jobId)?.shared.keys() ?? [])].sort()
  }

  /** Within one process nobody else can write: the newest claim wins. */
  async fence(jobId: string, claim: WriterClaim): Promise<FencedStorage> {
    const job = this.#jobs.get(jobId) ?? { epoch: 0, record: undefined, published: new Map(), shared: new Map() }
    this.#jobs.set(jobId, job)
    job.epoch = Math.max(job.epoch, await claim.epochSoFar()) + 1
    return new FencedMemoryStorage(jobId, job, job.epoch, this.#files)
  }
}

function objectsOf(location: string, find: () => ReadonlyMap<string, Uint8Array> | undefined): ObjectFolder {
  const objects = () => find() ?? notThere(location)
  return {
    location,
    list: async () => [...objects().keys()].sort().map((name) => ({ name, plain: true })),
    open: async (name) => readBytes(objects().get(name) ?? notThere(`${location}/${name}`)),
  }
}

function notThere(path: string): never {
  throw fileError(Object.assign(new Error('ENOENT: nothing there'), { code: 'ENOENT' }), { operation: 'open', path })
}

function readBytes(bytes: Uint8Array): ReadHandle {
  return {
    read: async (offset, length) => bytes.slice(offset, offset + length),
    stat: async () => ({ kind: 'file', size: bytes.length, device: 'memory', inode: '0' }),
    close: async () => {},
  }
}
