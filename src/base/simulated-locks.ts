/** Locks of simulated processes on one host: a process that is killed frees its locks, one that stands still keeps them. */
import type { Lock, Locks } from './locks.ts'

export class SimulatedLocks implements Locks {
  readonly #holders: Map<string, SimulatedLocks>

  constructor(holders: Map<string, SimulatedLocks> = new Map()) {
    this.#holders = holders
  }

  /** Another process of the same host. */
  another(): SimulatedLocks {
    return new SimulatedLocks(this.#holders)
  }

  /** This process is dead. */
  kill(): void {
    for (const [name, holder] of this.#holders) if (holder === this) this.#holders.delete(name)
  }

  async tryAcquire(name: string): Promise<Lock | undefined> {
    if (this.#holders.has(name)) return undefined
    this.#holders.set(name, this)
    return {
      release: async () => {
        if (this.#holders.get(name) === this) this.#holders.delete(name)
      },
    }
  }
}
