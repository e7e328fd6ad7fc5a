/** The shared files of a running job: lets a checkpoint name only what is there, and deletes what none names any more. */
import { StreamError } from '../base/errors.ts'
import type { SharedHandle } from '../state/snapshot.ts'
import type { CheckpointMetadata } from './checkpoint-metadata.ts'
import type { CheckpointStorage, FencedStorage } from './checkpoint-storage.ts'
import type { CompletedCheckpoint, PublishedCheckpoints } from './completed-checkpoints.ts'
import { SharedFiles } from './shared-files.ts'
import { isNewIn, sharedIn } from './stored-handles.ts'

export class SharedStore {
  readonly #files = new SharedFiles()
  readonly #storage: CheckpointStorage
  readonly #fenced: FencedStorage
  readonly #jobId: string
  /** Checkpoints of which nobody knows whether they became visible, and the files that they wrote. */
  readonly #uncertain = new Map<number, readonly string[]>()
  /** One deletion at a time. */
  #deleting: Promise<void> = Promise.resolve()

  constructor(storage: CheckpointStorage, fenced: FencedStorage, jobId: string) {
    this.#storage = storage
    this.#fenced = fenced
    this.#jobId = jobId
  }

  /**
   * Begins the books from what is published, behind the fence, and deletes what no published checkpoint names: a dead
   * process has left it. Where one checkpoint cannot be read nothing is deleted, for it may name anything.
   */
  async open({ completed, unreadable }: PublishedCheckpoints): Promise<void> {
    for (const checkpoint of completed) this.#publish(checkpoint)
    const there = await this.#storage.listShared(this.#jobId)
    for (const { location } of unreadable) this.#files.publish(location, there)
    this.#files.condemn(there.filter((name) => !this.#files.knows(name)))
    await this.#deleteUnread()
  }

  /** A checkpoint is triggered: shared files that are there now stay until it has ended. */
  begin(checkpointId: number): void {
    this.#files.begin(checkpointId)
  }

  /** A checkpoint was given up. What nobody names is deleted; rejects when the disk refuses. */
  async end(checkpointId: number): Promise<void> {
    this.#files.end(checkpointId)
    await this.#deleteUnread()
  }

  /**
   * Publishes a checkpoint by `publish`, which is given the names of the shared files that it wrote. Rejects with
   * CHECKPOINT_MISSING (visible: no) when it names a file that is not there or about to be deleted.
   */
  async publish(
    metadata: CheckpointMetadata,
    publish: (newNames: readonly string[]) => Promise<{ readonly location: string }>,
  ): Promise<{ readonly location: string }> {
    const { checkpointId } = metadata
    const shared = sharedIn(metadata)
    const newNames = namesOf(shared.filter((one) => isNewIn(metadata, one)))
    this.#files.begin(checkpointId)
    this.#checkThere(metadata, shared, newNames)
    try {
      const published = await publish(newNames)
      this.#publish({ location: published.location, metadata })
      this.#files.end(checkpointId)
      return published
    } catch (thrown) {
      if (StreamError.is(thrown) && thrown.details.visible === 'unknown') this.#uncertain.set(checkpointId, newNames)
      // The storage has removed them, unless the disk refused that as well: then the next deletion tries again.
      else this.#files.condemn(newNames)
      throw thrown
    }
  }

  /** A published checkpoint is out of reach for ever: what only it named is deleted. */
  async retire(location: string): Promise<void> {
    this.#files.retire(location)
    await this.#deleteUnread()
  }

  /** The store was read again: now it is known which of the uncertain ones became visible. */
  async settle(completed: readonly CompletedCheckpoint[]): Promise<void> {
    for (const checkpoint of completed) this.#publish(checkpoint)
    const visible = new Set(completed.map(({ metadata }) => metadata.checkpointId))
    for (const [checkpointId, names] of this.#uncertain) {
      if (!visible.has(checkpointId)) this.#files.condemn(names)
      this.#files.end(checkpointId)
      this.#uncertain.delete(checkpointId)
    }
    await this.#deleteUnread()
  }

  /** The job has ended: an empty place goes too. */
  async close(): Promise<void> {
    await this.#deleting
    if ((await this.#storage.listShared(this.#jobId)).length === 0) await this.#fenced.removeSharedPlace()
  }

  #publish({ location, metadata }: CompletedCheckpoint): void {
    this.#files.publish(location, namesOf(sharedIn(metadata)))
  }

  #checkThere(metadata: CheckpointMetadata, shared: readonly SharedHandle[], newNames: readonly string[]): void {
    const { checkpointId } = metadata
    const taken = newNames.find((name) => this.#files.knows(name))
    if (taken !== undefined) throw refused(checkpointId, taken, 'was written anew under a name that is taken')
    const isNew = new Set(newNames)
    const gone = this.#files.missing(namesOf(shared).filter((name) => !isNew.has(name)))
    if (gone !== undefined) throw refused(checkpointId, gone, 'is of no completed checkpoint that is kept')
  }

  #deleteUnread(): Promise<void> {
    const deleted = this.#deleting.then(async () => {
      const names = this.#files.take()
      if (names.length === 0) return
      await this.#fenced.deleteShared(names)
      this.#files.deleted(names)
    })
    // Whoever asked for it is told; the next one tries these again.
    this.#deleting = deleted.catch(() => {})
    return deleted
  }
}

function namesOf(shared: readonly SharedHandle[]): readonly string[] {
  return shared.map(({ path }) => path)
}

function refused(checkpointId: number, name: string, what: string): StreamError {
  return new StreamError('CHECKPOINT_MISSING', {
    message: `Checkpoint ${checkpointId} is not completed: its shared file '${name}' ${what}.`,
    hint: 'Nothing was lost: the job goes on from the checkpoint before it. When this comes again, report it as a defect of Millrace.',
    details: { checkpointId, name, visible: 'no' },
  })
}
