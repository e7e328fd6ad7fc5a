/**
 * One simulated process on a host: its view of clock, turns, disk and locks. Killed, it does nothing any more, whatever
 * its code still waits for; what it left on the disk is what the next one finds.
 */
import type { Clock } from '../base/clock.ts'
import { seededIds } from '../base/ids.ts'
import type { Logger } from '../base/logger.ts'
import type { Ports } from '../base/ports.ts'
import { type Random, seededRandom } from '../base/random.ts'
import type { DurabilityModel, SimulatedDisk } from '../base/simulated-disk.ts'
import { type Interference, SimulatedFileSystem, type SimulatedOperation } from '../base/simulated-file-system.ts'
import type { SimulatedLocks } from '../base/simulated-locks.ts'
import type { Turns } from '../base/turns.ts'

export interface ClusterProcessOptions {
  readonly seed: number
  readonly clock: Clock
  readonly turns: Turns
  readonly disk: SimulatedDisk
  readonly locks: SimulatedLocks
  readonly logger: Logger
  readonly interfere: (operation: SimulatedOperation) => Interference | undefined
}

export class ClusterProcess {
  readonly ports: Ports
  readonly files: SimulatedFileSystem
  /** Resolves when it is dead. */
  readonly died: Promise<void>
  readonly #locks: SimulatedLocks
  readonly #random: Random
  #alive = true
  #jumpedMs = 0

  constructor({ seed, clock, turns, disk, locks, logger, interfere }: ClusterProcessOptions) {
    const alive = (work: () => void) => () => {
      if (this.#alive) work()
    }
    const own: Clock = {
      now: () => clock.now() + this.#jumpedMs,
      monotonic: () => clock.monotonic(),
      setTimer: (delayMs, fired) => clock.setTimer(delayMs, alive(fired)),
    }
    const ownTurns: Turns = { next: (turn) => turns.next(alive(turn)) }
    this.#locks = locks
    this.#random = seededRandom(seed + 2)
    this.files = new SimulatedFileSystem({ disk, clock: own, turns: ownTurns, interfere })
    this.died = this.files.stopped.then(() => this.#die())
    this.ports = {
      clock: own,
      turns: ownTurns,
      random: seededRandom(seed),
      ids: seededIds(seededRandom(seed + 1)),
      files: this.files,
      locks,
      logger,
    }
  }

  get alive(): boolean {
    return this.#alive
  }

  /** The wall clock is set anew; what is measured and the timers go on as before. */
  jumpClock(ms: number): void {
    this.#jumpedMs += ms
  }

  /** Harmless when it is dead already. Returns the disk as the next process finds it. */
  kill(loss: DurabilityModel | 'nothing'): SimulatedDisk {
    this.#die()
    if (loss === 'nothing') return this.files.kill().disk
    return this.files.crash({ random: this.#random, model: loss }).disk
  }

  #die(): void {
    this.#alive = false
    this.#locks.kill()
  }
}
