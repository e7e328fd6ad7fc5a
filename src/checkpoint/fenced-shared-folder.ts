/**
 * The writing side of `shared/`, the files that several checkpoints of a job name. They come out of the folder of their
 * checkpoint in preparation and go into that of the epoch, so whoever was replaced neither adds nor deletes one.
 */
import { systemCodeOf } from '../base/file-error.ts'
import type { FileOperation } from '../base/file-system.ts'
import type { Ids } from '../base/ids.ts'
import { SHARED_NAME } from './file-objects.ts'
import { withVisibility } from './publish-errors.ts'

export class FencedSharedFolder {
  readonly #job: string
  readonly #epoch: string
  readonly #path: string
  readonly #ids: Ids
  readonly #execute: (operations: readonly FileOperation[]) => Promise<void>
  /** Whether the folder itself outlives a power loss. */
  #isDurable = false

  /** @param execute rejects with JOB_FENCED once the folder of the epoch is gone. */
  constructor(job: string, epoch: string, ids: Ids, execute: (operations: readonly FileOperation[]) => Promise<void>) {
    this.#job = job
    this.#epoch = epoch
    this.#path = `${job}/${SHARED_NAME}`
    this.#ids = ids
    this.#execute = execute
  }

  /** Durable when it has settled; none of them is here after a failure. */
  async take(from: string, names: readonly string[]): Promise<void> {
    const renames = names.map(
      (name): FileOperation => ({ type: 'rename', from: `${from}/${name}`, to: `${this.#path}/${name}` }),
    )
    try {
      await this.#execute([
        { type: 'makeFolder', path: this.#path, parents: 'mustExist' },
        // Where it stands already, the sync that follows its making may have failed.
        ...(this.#isDurable ? [] : [{ type: 'syncFolder', path: this.#job } as const]),
        ...renames,
        { type: 'syncFolder', path: this.#path },
      ])
      this.#isDurable = true
    } catch (thrown) {
      await this.giveUp(names)
      // What would make them visible has not begun.
      throw withVisibility(thrown, [])
    }
  }

  /** Deletes files whose checkpoint was not published. Never rejects. */
  async giveUp(names: readonly string[]): Promise<void> {
    try {
      await this.delete(names)
    } catch {
      // The disk refuses this as well, or another process has taken over: the next start finds them without a reader.
    }
  }

  /** Harmless where one is missing: whoever began the deletion before has come that far. */
  async delete(names: readonly string[]): Promise<void> {
    const gone: string[] = []
    for (const name of names) {
      const away = this.#away()
      if (await this.#renameIfThere(`${this.#path}/${name}`, away)) gone.push(away)
    }
    if (gone.length === 0) return
    await this.#execute([
      { type: 'syncFolder', path: this.#path },
      ...gone.map((path): FileOperation => ({ type: 'remove', path })),
    ])
  }

  /** Harmless when it is missing. */
  async removePlace(): Promise<void> {
    const away = this.#away()
    if (!(await this.#renameIfThere(this.#path, away))) return
    this.#isDurable = false
    await this.#execute([
      { type: 'syncFolder', path: this.#job },
      { type: 'remove', path: away },
    ])
  }

  #away(): string {
    return `${this.#epoch}/deleted-${this.#ids.uniqueName()}`
  }

  async #renameIfThere(from: string, to: string): Promise<boolean> {
    try {
      await this.#execute([{ type: 'rename', from, to }])
      return true
    } catch (thrown) {
      if (systemCodeOf(thrown) === 'ENOENT') return false
      throw thrown
    }
  }
}
