/**
 * Turns what state backends append into handles. Little state stands in the handle itself, a small file is written
 * whole in one hop, a large one as a stream; no piece of work between two turns is longer than 256 kB of hashing.
 */
import { DIGEST_CHUNK_BYTES, type Sha256, sha256 } from '../base/digest.ts'
import type { WriteHandle } from '../base/file-system.ts'
import type { Ids } from '../base/ids.ts'
import type { Turns } from '../base/turns.ts'
import type { SnapshotIdentity, SnapshotStream, SnapshotWriter, StoredHandle } from '../state/snapshot.ts'
import type { FencedStorage } from './checkpoint-storage.ts'
import { encodeHead } from './state-file.ts'

export interface SnapshotWriterOptions {
  readonly storage: FencedStorage
  readonly jobId: string
  readonly ids: Ids
  readonly turns: Turns
  /** State of at most so many bytes stands in the metadata (Flink's memory threshold). Default 20,480. */
  readonly inlineThresholdBytes?: number | undefined
  /** A longer file is written as a stream. Default 1 MiB. */
  readonly smallFileBytes?: number | undefined
}

export function snapshotWriter(options: SnapshotWriterOptions): SnapshotWriter {
  return { open: (identity, scope = 'own') => new StoredSnapshotStream(identity, scope, options) }
}

class StoredSnapshotStream implements SnapshotStream {
  readonly #identity: SnapshotIdentity
  readonly #scope: 'own' | 'shared'
  readonly #options: SnapshotWriterOptions
  readonly #name: string
  readonly #hash: Sha256 = sha256()
  readonly #smallFileBytes: number
  /** Of a state that may still be small: copies of what was appended. */
  #parts: Uint8Array[] = []
  /** Of a large one: what is not written yet. Filled, written, and used again. */
  #block: Uint8Array | undefined
  #blockBytes = 0
  #payloadBytes = 0
  #fileBytes = 0
  #file: WriteHandle | undefined
  /** Something of the name may be on the disk. */
  #begun = false
  /** Everything that touches the disk goes one after the other through here. */
  #work: Promise<void> = Promise.resolve()
  #abandoned = false

  constructor(
    { checkpointId, operatorId, subtask, kind, keyGroups }: SnapshotIdentity,
    scope: 'own' | 'shared',
    options: SnapshotWriterOptions,
  ) {
    this.#identity = { checkpointId, operatorId, subtask, kind, ...(keyGroups === undefined ? {} : { keyGroups }) }
    this.#scope = scope
    this.#options = options
    this.#smallFileBytes = options.smallFileBytes ?? 1024 * 1024
    // Checkpoints of other attempts and epochs look for a shared file by nothing but its name.
    this.#name = `${operatorId}-${subtask}-${scope === 'own' ? kind : checkpointId}-${options.ids.uniqueName()}`
  }

  append(bytes: Uint8Array): void | Promise<void> {
    this.#payloadBytes += bytes.length
    if (this.#payloadBytes <= this.#smallFileBytes) {
      this.#parts.push(bytes.slice())
      return
    }
    if (this.#block === undefined || this.#blockBytes + bytes.length >= this.#block.length)
      return this.#then(() => this.#write(bytes))
    this.#block.set(bytes, this.#blockBytes)
    this.#blockBytes += bytes.length
  }

  async finish(): Promise<StoredHandle> {
    try {
      if (this.#payloadBytes <= (this.#options.inlineThresholdBytes ?? 20_480)) return this.#inline()
      if (this.#payloadBytes <= this.#smallFileBytes) await this.#then(() => this.#writeWhole())
      else
        await this.#then(async () => {
          await this.#writeBlock()
          await this.#file?.sync()
          await this.#close()
        })
    } catch (thrown) {
      await this.abandon()
      throw thrown
    }
    const written = {
      identity: this.#identity,
      path: this.#name,
      length: this.#fileBytes,
      sha256: this.#hash.hex(),
    }
    return this.#scope === 'own'
      ? { type: 'file', ...written }
      : { type: 'shared', ...written, epoch: this.#options.storage.epoch }
  }

  async abandon(): Promise<void> {
    this.#abandoned = true
    this.#parts = []
    const { storage } = this.#options
    await this.#work.catch(() => {
      // Whoever appended has been told.
    })
    try {
      await this.#close()
    } catch {
      // The file goes anyway.
    }
    try {
      if (this.#begun) await storage.removePrepared(this.#identity.checkpointId, this.#name)
    } catch {
      // What the disk does not let go of now goes with the folder of its checkpoint, or at the next start.
    }
  }

  #then(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work)
    this.#work.catch(() => {
      // Whoever called is told through the promise below; this one is only the queue.
    })
    return this.#work
  }

  #inline(): StoredHandle {
    const bytes = Buffer.concat(this.#parts).toString('base64')
    return { type: 'inline', identity: this.#identity, bytes }
  }

  async #writeWhole(): Promise<void> {
    const { storage } = this.#options
    const bytes = Buffer.concat([this.#head(), ...this.#parts])
    this.#parts = []
    this.#fileBytes = bytes.length
    this.#begun = true
    for (let offset = 0; offset < bytes.length; offset += DIGEST_CHUNK_BYTES) {
      if (offset > 0) await this.#turn()
      this.#hash.update(bytes.subarray(offset, offset + DIGEST_CHUNK_BYTES))
    }
    await storage.put(this.#identity.checkpointId, this.#name, bytes)
  }

  /** Into the block, which goes to the disk whenever it is full. */
  async #write(bytes: Uint8Array): Promise<void> {
    if (this.#block === undefined) await this.#beginLarge()
    for (let done = 0; done < bytes.length && !this.#abandoned; ) {
      const block = this.#block as Uint8Array
      const piece = bytes.subarray(done, done + block.length - this.#blockBytes)
      block.set(piece, this.#blockBytes)
      this.#blockBytes += piece.length
      done += piece.length
      if (this.#blockBytes === block.length) await this.#writeBlock()
    }
  }

  /** It will not be small. */
  async #beginLarge(): Promise<void> {
    if (this.#abandoned) return
    const parts = [this.#head(), ...this.#parts]
    this.#parts = []
    this.#block = new Uint8Array(DIGEST_CHUNK_BYTES)
    this.#begun = true
    this.#file = await this.#options.storage.create(this.#identity.checkpointId, this.#name)
    for (const part of parts) await this.#write(part)
  }

  async #writeBlock(): Promise<void> {
    if (this.#abandoned) return
    const bytes = (this.#block as Uint8Array).subarray(0, this.#blockBytes)
    this.#blockBytes = 0
    this.#hash.update(bytes)
    this.#fileBytes += bytes.length
    await this.#file?.append(bytes)
  }

  #head(): Uint8Array {
    const { jobId, storage } = this.#options
    return encodeHead({ ...this.#identity, jobId, epoch: storage.epoch })
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#options.turns.next(resolve))
  }
}
