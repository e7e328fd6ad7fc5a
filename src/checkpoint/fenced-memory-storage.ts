/** The writing side of checkpoints in memory: the same promises, without a disk. */
import { StreamError } from '../base/errors.ts'
import type { WriteHandle } from '../base/file-system.ts'
import type { FencedStorage } from './checkpoint-storage.ts'
import { fencedOff } from './fenced-file-storage.ts'
import { RecentIds } from './recent-ids.ts'

/** One job: its objects by checkpoint and name, and the newest epoch. */
export interface MemoryJob {
  epoch: number
  record: Uint8Array | undefined
  readonly published: Map<number, Map<string, Uint8Array>>
}

export function memoryLocation(jobId: string, checkpointId: number): string {
  return `memory:${jobId}/chk-${checkpointId}`
}

export class FencedMemoryStorage implements FencedStorage {
  readonly epoch: number
  readonly #jobId: string
  readonly #job: MemoryJob
  readonly #prepared = new Map<number, Map<string, Uint8Array>>()
  readonly #discarded = new RecentIds()

  constructor(jobId: string, job: MemoryJob, epoch: number) {
    this.#jobId = jobId
    this.#job = job
    this.epoch = epoch
  }

  async put(checkpointId: number, name: string, bytes: Uint8Array): Promise<void> {
    this.#check(checkpointId)
    const objects = this.#prepared.get(checkpointId) ?? new Map<string, Uint8Array>()
    this.#prepared.set(checkpointId, objects)
    objects.set(name, bytes.slice())
  }

  async create(checkpointId: number, name: string): Promise<WriteHandle> {
    this.#check(checkpointId)
    return collectBytes((bytes) => {
      this.#check(checkpointId)
      const objects = this.#prepared.get(checkpointId) ?? new Map<string, Uint8Array>()
      this.#prepared.set(checkpointId, objects)
      objects.set(name, bytes)
    })
  }

  async removePrepared(checkpointId: number, name: string): Promise<void> {
    this.#prepared.get(checkpointId)?.delete(name)
  }

  async discardPrepared(checkpointId: number): Promise<void> {
    this.#discarded.add(checkpointId)
    this.#prepared.delete(checkpointId)
  }

  async publish(checkpointId: number, lastName: string, bytes: Uint8Array): Promise<{ readonly location: string }> {
    this.#check(checkpointId)
    if (this.#job.published.has(checkpointId)) throw alreadyPublished(memoryLocation(this.#jobId, checkpointId))
    await this.put(checkpointId, lastName, bytes)
    this.#job.published.set(checkpointId, this.#prepared.get(checkpointId) ?? new Map())
    this.#prepared.delete(checkpointId)
    return { location: memoryLocation(this.#jobId, checkpointId) }
  }

  publishAt(): Promise<{ readonly location: string }> {
    return Promise.reject(
      new StreamError('STORAGE_LOCATION', {
        message: 'A savepoint needs a checkpoint directory: the state of this job is in memory.',
        hint: 'Set `execution.checkpointing.dir`, or setCheckpointStorage, to a directory.',
        details: { visible: 'no' },
      }),
    )
  }

  async delete(checkpointId: number): Promise<void> {
    this.#check(undefined)
    this.#job.published.delete(checkpointId)
  }

  async putRecord(bytes: Uint8Array): Promise<void> {
    this.#check(undefined)
    this.#job.record = bytes.slice()
  }

  async sweep(): Promise<void> {}

  async release(): Promise<void> {
    this.#prepared.clear()
  }

  #check(checkpointId: number | undefined): void {
    if (this.#job.epoch !== this.epoch) throw fencedOff(memoryLocation(this.#jobId, checkpointId ?? 0), this.epoch)
    if (checkpointId !== undefined) this.#discarded.refuse(checkpointId)
  }
}

function alreadyPublished(location: string): StreamError {
  return new StreamError('INTERNAL', {
    message: `Millrace broke a rule of its own: ${location} was to be published twice.`,
    hint: 'This is a defect of Millrace. Please report it with the stack trace.',
    details: { location, visible: 'no' },
  })
}

/** Collects a stream; `done` is called with all of it at the close. */
function collectBytes(done: (bytes: Uint8Array) => void): WriteHandle {
  const parts: Uint8Array[] = []
  return {
    append: async (bytes) => void parts.push(bytes.slice()),
    sync: async () => {},
    close: async () => done(Buffer.concat(parts)),
  }
}
