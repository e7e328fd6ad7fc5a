/** The writing side of checkpoints in memory: the same promises, without a disk. Savepoints are files all the same. */
import { StreamError } from '../base/errors.ts'
import type { FileSystem, WriteHandle } from '../base/file-system.ts'
import type { FencedStorage } from './checkpoint-storage.ts'
import { writeFolder } from './copy-folder.ts'
import { fencedOff } from './publish-errors.ts'
import { RecentIds } from './recent-ids.ts'

/** One job: its objects by checkpoint and name, and the newest epoch. */
export interface MemoryJob {
  epoch: number
  record: Uint8Array | undefined
  readonly published: Map<number, Map<string, Uint8Array>>
  /** What its checkpoints share, by name. */
  readonly shared: Map<string, Uint8Array>
}

export function memoryLocation(jobId: string, checkpointId: number): string {
  return `memory:${jobId}/chk-${checkpointId}`
}

export class FencedMemoryStorage implements FencedStorage {
  readonly epoch: number
  readonly #jobId: string
  readonly #job: MemoryJob
  readonly #files: FileSystem
  readonly #prepared = new Map<number, Map<string, Uint8Array>>()
  readonly #discarded = new RecentIds()

  /** @param files where savepoints go. */
  constructor(jobId: string, job: MemoryJob, epoch: number, files: FileSystem) {
    this.#jobId = jobId
    this.#job = job
    this.#files = files
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

  async publish(
    checkpointId: number,
    lastName: string,
    bytes: Uint8Array,
    shared: readonly string[] = [],
  ): Promise<{ readonly location: string }> {
    this.#check(checkpointId)
    const location = memoryLocation(this.#jobId, checkpointId)
    if (this.#job.published.has(checkpointId)) throw alreadyPublished(location)
    const objects = new Map(this.#prepared.get(checkpointId))
    const given = shared.map((name) => [name, objects.get(name) ?? notPrepared(`${location}/${name}`)] as const)
    for (const [name, content] of given) {
      objects.delete(name)
      this.#job.shared.set(name, content)
    }
    this.#job.published.set(checkpointId, objects.set(lastName, bytes.slice()))
    this.#prepared.delete(checkpointId)
    return { location }
  }

  async publishAt(
    checkpointId: number,
    folder: string,
    name: string,
    lastName: string,
    bytes: Uint8Array,
  ): Promise<{ readonly location: string }> {
    this.#check(checkpointId)
    const location = `${folder}/${name}`
    const last = { name: lastName, bytes }
    await writeFolder(this.#files, this.#prepared.get(checkpointId) ?? new Map(), location, last)
    this.#prepared.delete(checkpointId)
    return { location }
  }

  async delete(checkpointId: number): Promise<void> {
    this.#check(undefined)
    this.#job.published.delete(checkpointId)
  }

  async deleteShared(names: readonly string[]): Promise<void> {
    this.#check(undefined)
    for (const name of names) this.#job.shared.delete(name)
  }

  async removeSharedPlace(): Promise<void> {}

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

function notPrepared(location: string): never {
  throw new StreamError('CHECKPOINT_MISSING', {
    message: `${location} was to be shared by checkpoints and is not there.`,
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
