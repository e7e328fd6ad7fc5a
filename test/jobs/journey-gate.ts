/** What moves a journey and what is seen of it: sources read up to a gate, and a test waits until everything before it is done. */
import type { JobClient } from '../../src/index.ts'

export const SPLITS = 6
const KEYS_OF_SPLIT = 4
export const KEYS = SPLITS * KEYS_OF_SPLIT
/** Of timers that no test waits for. */
const NEVER_MS = 9e12

/** A record. Those of a key come one behind the other. */
export interface Tick {
  readonly split: string
  readonly n: number
}

export const keyOf = ({ split, n }: Tick): string => `${split}/${n % KEYS_OF_SPLIT}`

/** Wakes whoever waits for it. */
export class Bell {
  #next: Promise<void>
  #ring!: () => void

  constructor() {
    this.#next = this.#wait()
  }

  ring(): void {
    const ring = this.#ring
    this.#next = this.#wait()
    ring()
  }

  next(): Promise<void> {
    return this.#next
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#ring = resolve
    })
  }
}

/** What a test moves, and what it sees. */
export class Gate {
  limit = 0
  /** The next subtask that reads it fails, once. */
  failAt: Tick | undefined
  /** When the timers of processing time are due, one of each key. */
  readonly wokenAtMs: number
  readonly woken = new Set<string>()
  /** Keys of which a timer of event time has fired. */
  readonly fired = new Set<string>()
  readonly seen = new Set<string>()
  readonly ruled = new Set<number>()
  /** By subtask: records that passed its lists, those of its predecessors included. */
  readonly counts = new Map<number, number>()
  readonly #moved = new Bell()
  readonly #noted = new Bell()

  constructor(wokenAtMs: number = NEVER_MS) {
    this.wokenAtMs = wokenAtMs
  }

  open(limit: number): void {
    this.limit = limit
    this.#moved.ring()
  }

  moved(): Promise<void> {
    return this.#moved.next()
  }

  noted(): void {
    this.#noted.ring()
  }

  /** Rejects when the job ends before. */
  async when(job: JobClient, condition: () => boolean): Promise<void> {
    const ended = job.getJobExecutionResult().then(() => {
      throw new Error('the job has ended')
    })
    ended.catch(() => {})
    while (!condition()) await Promise.race([this.#noted.next(), ended])
  }

  /** Every record up to the gate has changed the keyed state. */
  whenSeen(job: JobClient): Promise<void> {
    return this.when(job, () => this.seen.size === SPLITS * this.limit)
  }
}
