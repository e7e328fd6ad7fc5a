/** What a reader waits for: settled by whoever brings something to read. News between two waits are not lost. */
export class Availability {
  #settle: (() => void) | undefined
  #promise: Promise<void> | undefined
  #woken = false

  /** Settles at the next `wake`; at once when there was one since the last wait. */
  wait(): Promise<void> {
    if (this.#woken) {
      this.#woken = false
      return Promise.resolve()
    }
    this.#promise ??= new Promise((settle) => {
      this.#settle = settle
    })
    return this.#promise
  }

  wake(): void {
    const settle = this.#settle
    if (settle === undefined) this.#woken = true
    this.#settle = undefined
    this.#promise = undefined
    settle?.()
  }
}
