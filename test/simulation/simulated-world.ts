/**
 * One simulated process: all ports seeded, all time virtual, every event of the run in a trace. It drives whatever runs
 * on the ports until that has ended or the process has died; it knows nothing of jobs.
 */
import type { Clock } from '../../src/base/clock.ts'
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
import { type SimulatedStoreFaults, simulatedStores } from '../../src/base/simulated-ordered-stores.ts'
import { eventLoopTurns, type Turns } from '../../src/base/turns.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
// A job with state on disk loads them when it needs them, which must not take time of a clock that stands still.
import '../../src/state/level/level-state-backend.ts'
import '../../src/state/level/scratch-folders.ts'
import '../../src/state/level/table-self-check.ts'

export interface WorldOptions {
  readonly seed: number
  readonly disk: SimulatedDisk
  /** When the process starts, ms since the epoch. */
  readonly startMs?: number | undefined
  /** Of the host; a new host when left out. */
  readonly locks?: SimulatedLocks | undefined
  /** How long a turn and an operation of the disk take, in virtual ms; drawn anew for each. */
  readonly speed?: Speed | undefined
  /** Asked before each file operation. */
  readonly interfere?: ((operation: SimulatedOperation) => Interference | undefined) | undefined
  /** What the process gets instead of the file system itself. */
  readonly wrapFiles?: ((files: FileSystem) => FileSystem) | undefined
  /** Of the stores in which the state of a job with state on disk lies. */
  readonly storeFaults?: ((clock: Clock) => SimulatedStoreFaults) | undefined
}

export type Outcome<T> =
  | { readonly type: 'returned'; readonly value: T }
  | { readonly type: 'threw'; readonly error: unknown }
  /** The process died in the middle. */
  | { readonly type: 'died' }
  /** Nothing was due any more, or it went on for ever: what should have ended has not. */
  | { readonly type: 'hung'; readonly why: string }

export interface Speed {
  readonly turn: Span
  readonly disk: Span
}

interface Span {
  readonly least: number
  readonly most: number
}

const SPEED: Speed = { turn: { least: 0.4, most: 1.2 }, disk: { least: 0.05, most: 0.4 } }

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
  readonly #locks: SimulatedLocks
  #dead = false
  #outcome: Outcome<unknown> | undefined

  constructor(options: WorldOptions) {
    const { seed, disk, startMs = 1_700_000_000_000, speed = SPEED, interfere, wrapFiles = (files) => files } = options
    this.#locks = options.locks ?? new SimulatedLocks()
    const seeds = seededRandom(seed)
    const stream = () => seededRandom(Math.floor(seeds.next() * 2 ** 32))
    const clock = new VirtualClock({ startMs, random: stream() })
    this.clock = clock
    this.random = stream()
    this.files = new SimulatedFileSystem({
      disk,
      clock,
      turns: unorderedTurns(clock, stream(), speed.disk),
      interfere: (operation) => {
        const interference = interfere?.(operation)
        this.note(`${operation.index} ${operation.type} ${operation.path} ${interference?.type ?? ''}`)
        return interference
      },
    })
    this.files.stopped.then(() => {
      this.#dead = true
    })
    const ports = {
      clock,
      turns: orderedTurns(clock, stream(), speed.turn, () => this.note('turn')),
      random: stream(),
      ids: seededIds(stream()),
      files: wrapFiles(this.files),
      locks: this.#locks,
      logger: this.#logger(),
    }
    const storeTurns = unorderedTurns(clock, stream(), speed.disk)
    const stores = simulatedStores({ files: ports.files, turns: storeTurns, faults: options.storeFaults?.(clock) })
    this.ports = { ...ports, stores }
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
    this.start(work)
    return (await this.drive()) as Outcome<T>
  }

  start(work: () => Promise<unknown>): void {
    work().then(
      (value) => {
        this.#outcome = { type: 'returned', value }
      },
      (error: unknown) => {
        this.#outcome = { type: 'threw', error }
      },
    )
  }

  /** Goes on until the work has ended, or until the process stands still by `pause`: then undefined. */
  async drive(pause: () => boolean = () => false): Promise<Outcome<unknown> | undefined> {
    const endMs = this.clock.now() + MOST_VIRTUAL_MS
    await settled()
    for (let events = 0; this.#outcome === undefined && !this.#dead; events++) {
      if (pause()) return undefined
      if (events > MOST_EVENTS) return { type: 'hung', why: `it went on for ${MOST_EVENTS} events` }
      if (this.clock.now() > endMs) return { type: 'hung', why: `it went on for ${MOST_VIRTUAL_MS} virtual ms` }
      if (!this.clock.runNext()) return { type: 'hung', why: 'no event was due any more' }
      await settled()
    }
    return this.#dead ? { type: 'died' } : this.#outcome
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
function orderedTurns(clock: VirtualClock, random: Random, span: Span, ran: () => void): Turns {
  const waiting: (() => void)[] = []
  return {
    next(turn) {
      waiting.push(turn)
      clock.setTimer(between(span, random), () => {
        ran()
        waiting.shift()?.()
      })
    },
  }
}

/** As a disk's answers: each when it is ready. */
function unorderedTurns(clock: VirtualClock, random: Random, span: Span): Turns {
  return { next: (turn) => void clock.setTimer(between(span, random), turn) }
}

function between({ least, most }: Span, random: Random): number {
  return least + random.next() * (most - least)
}
