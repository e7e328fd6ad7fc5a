/** Remembers the checkpoints that were given up lately, so that stragglers are refused; old ones are forgotten. */
import { StreamError } from '../base/errors.ts'

const MOST = 10_000

export class RecentIds {
  readonly #ids = new Set<number>()

  add(checkpointId: number): void {
    this.#ids.add(checkpointId)
    if (this.#ids.size <= MOST) return
    const [oldest] = this.#ids
    if (oldest !== undefined) this.#ids.delete(oldest)
  }

  has(checkpointId: number): boolean {
    return this.#ids.has(checkpointId)
  }

  /** Throws CHECKPOINT_DISCARDED when the checkpoint was given up. */
  refuse(checkpointId: number): void {
    if (!this.#ids.has(checkpointId)) return
    throw new StreamError('CHECKPOINT_DISCARDED', {
      message: `Checkpoint ${checkpointId} was given up: its state is not stored any more.`,
      hint: 'This is what happens to a task that writes its state later than the checkpoint timeout. The next checkpoint is not affected.',
      details: { checkpointId },
    })
  }
}
