/** Tells the operators of one subtask of checkpoints, one notification after the other: no function is called while it waits in the last call. */
import { whenDone } from './control/when-done.ts'

type Work = void | Promise<void>

export class Notifications {
  readonly #failed: (thrown: unknown) => void
  /** The one that is under way, however it ends. */
  #underWay: Promise<void> | undefined

  constructor(failed: (thrown: unknown) => void) {
    this.#failed = failed
  }

  /** Calls `notify` in its turn, at once where nothing is under way, and `done` when that has gone well. */
  tell(notify: () => Work, done: () => void): void {
    whenDone(() => this.#inTurn(notify), done, this.#failed)
  }

  /** Resolves when the last one is through; never rejects. */
  async settled(): Promise<void> {
    await this.#underWay
  }

  #inTurn(notify: () => Work): Work {
    const waiting = this.#underWay === undefined ? notify() : this.#underWay.then(notify)
    if (!(waiting instanceof Promise)) return
    const over = () => {
      if (this.#underWay === mine) this.#underWay = undefined
    }
    const mine: Promise<void> = waiting.then(over, over)
    this.#underWay = mine
    return waiting
  }
}
