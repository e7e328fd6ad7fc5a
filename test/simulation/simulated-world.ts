/**
 * One simulated process: all ports seeded, all time virtual, every event of the run in a trace. It drives whatever runs
 * on the ports until that has ended or the process has died; it knows nothing of jobs.
 */
import { sha256 } from '../../src/base/digest.ts'
import type { FileSystem } from '../../src/base/file-system.ts'
import { seededIds } from '../../src/base/ids.ts'
import type { Logger } from '../../src/base/logger.ts'
import type { Ports } from '../../src/base/ports.ts'
import { type Random, seededRandom } from '../../src/base/random.ts'
import type { SimulatedDisk } from '../../src/base/simulated-disk.ts'
import {
  type Interference,
  SimulatedFileSystem,
  type SimulatedOperation,
} from '../../src/base/simulated-file-system.ts'
import { SimulatedLocks } from '../../src/base/simulated-locks.ts'
import { eventLoopTurns, type Turns } from '../../src/base/turns.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'

export interface WorldOptions {
  readonly seed: number
  readonly disk: SimulatedDisk
  /** When the process starts, ms since the epoch. */
  readonly startMs?: number | undefined
  /** Asked before each file operation. */
  readonly interfere?: ((operation: SimulatedOperation) => Interference | undefined) | undefined
  /** What the process gets instead of the file system itself. */
  readonly wrapFiles?: ((files: FileSystem) => FileSystem) | undefined
}

export type Outcome<T> =
  | { readonly type: 'returned'; readonly value: T }
  | { readonly type: 'threw'; readonly error: unknown }
  /** The process died in the middle. */
  | { readonly type: 'died' }
  /** Nothing was due any more, or it went on for ever: what should have ended has not. */
  | { readonly type: 'hung'; readonly why: string }

/** A turn, and an operation of the disk, take a little of the virtual time; how long is drawn. */
const TURN_MS = { least: 0.4, most: 1.2 }
const DISK_MS = { least: 0.05, most: 0.4 }

const MOST_EVENTS = 100_000
const MOST_VIRTUAL_MS = 60 * 60 * 1000

const realTurns = eventLoopTurns()

export class SimulatedWorld {
  readonly clock: VirtualClock
  readonly ports: Ports
  readonly files: SimulatedFileSystem
  /** For what the test itself draws. */
  readonly random: Random
  /** What happened, in order: equal seeds and disks give equal traces. */
  readonly trace: string[] = []
  readonly #locks = new SimulatedLocks()
  #dead = false

  constructor({ seed, disk, startMs = 1_700_000_000_000, interfere, wrapFiles = (files) => files }: WorldOptions) {
    const seeds = seededRandom(seed)
    const stream = () => seededRandom(Math.floor(seeds.next() * 2 ** 32))
    const clock = new VirtualClock({ startMs, random: stream() })
    this.clock = clock
    this.random = stream()
    this.files = new SimulatedFileSystem({
      disk,
      clock,
      turns: unorderedTurns(clock, stream()),
      interfere: (operation) => {
        const interference = interfere?.(operation)
        this.note(`${operation.index} ${operation.type} ${operation.path} ${interference?.type ?? ''}`)
        return interference
      },
    })
    this.files.stopped.then(() => {
      this.#dead = true
    })
    this.ports = {
      clock,
      turns: orderedTurns(clock, stream(), () => this.note('turn')),
      random: stream(),
      ids: seededIds(stream()),
      files: wrapFiles(this.files),
      locks: this.#locks,
      logger: this.#logger(),
    }
  }

  note(what: string): void {
    this.trace.push(`${this.clock.now().toFixed(3)} ${what}`)
  }

  /** Two runs are the same when their hashes are. */
  traceHash(): string {
    const digest = sha256()
    digest.update(Buffer.from(this.trace.join('\n')))
    return digest.hex()
  }

  /** Starts the work and runs one event after the other, with everything that follows from it, until the work has ended. */
  async run<T>(work: () => Promise<T>): Promise<Outcome<T>> {
    let outcome: Outcome<T> | undefined
    work().then(
      (value) => {
        outcome = { type: 'returned', value }
      },
      (error: unknown) => {
        outcome = { type: 'threw', error }
      },
    )
    const endMs = this.clock.now() + MOST_VIRTUAL_MS
    await settled()
    for (let events = 0; outcome === undefined && !this.#dead; events++) {
      if (events > MOST_EVENTS) return { type: 'hung', why: `it went on for ${MOST_EVENTS} events` }
      if (this.clock.now() > endMs) return { type: 'hung', why: `it went on for ${MOST_VIRTUAL_MS} virtual ms` }
      if (!this.clock.runNext()) return { type: 'hung', why: 'no event was due any more' }
      await settled()
    }
    return this.#dead ? { type: 'died' } : (outcome as Outcome<T>)
  }

  #logger(): Logger {
    const note = (level: string) => (line: string) => this.note(`${level} ${line}`)
    return { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') }
  }
}

/** When every promise that could be settled without another event is settled. */
function settled(): Promise<void> {
  return new Promise((resolve) => realTurns.next(resolve))
}

/** As the event loop's: first come, first served. */
function orderedTurns(clock: VirtualClock, random: Random, ran: () => void): Turns {
  const waiting: (() => void)[] = []
  return {
    next(turn) {
      waiting.push(turn)
      clock.setTimer(between(TURN_MS, random), () => {
        ran()
        waiting.shift()?.()
      })
    },
  }
}

/** As a disk's answers: each when it is ready. */
function unorderedTurns(clock: VirtualClock, random: Random): Turns {
  return { next: (turn) => void clock.setTimer(between(DISK_MS, random), turn) }
}

function between({ least, most }: { readonly least: number; readonly most: number }, random: Random): number {
  return least + random.next() * (most - least)
}
