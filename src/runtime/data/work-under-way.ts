/** Promises of the user's code that have not settled: nothing may begin anew beside them. */
export class WorkUnderWay {
  readonly #promises = new Set<Promise<unknown>>()

  /** The same promise; watched until it settles, however it does. */
  watch<T>(promise: Promise<T>): Promise<T> {
    const over = () => void this.#promises.delete(promise)
    this.#promises.add(promise)
    promise.then(over, over)
    return promise
  }

  /** Resolves when nothing is under way any more, also of what began meanwhile. */
  async settled(): Promise<void> {
    while (this.#promises.size > 0) await Promise.allSettled(this.#promises)
  }
}
