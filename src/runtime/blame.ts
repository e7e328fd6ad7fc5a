/** Which operator of a subtask threw what. Of many that were thrown the newest are known. */

const KEPT = 16

export class Blame {
  readonly #operators = new Map<unknown, string>()

  /** The same thrown object. Whoever is blamed first is the one in whose code it was thrown: the others only passed it on. */
  put(operator: string, thrown: unknown): unknown {
    if (this.#operators.has(thrown)) return thrown
    const oldest = this.#operators.size < KEPT ? undefined : this.#operators.keys().next()
    if (oldest !== undefined) this.#operators.delete(oldest.value)
    this.#operators.set(thrown, operator)
    return thrown
  }

  /** Undefined when it was nobody's. */
  of(thrown: unknown): string | undefined {
    return this.#operators.get(thrown)
  }
}
