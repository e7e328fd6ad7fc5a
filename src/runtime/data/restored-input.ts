/** Feeds what was in flight at a checkpoint to the chain, before anything new. It obeys the gate and decides nothing. */
import type { Gate, Input } from '../../operators/operator.ts'

/** Of one channel of then. */
export interface RestoredRecords {
  /** Of the head operator. */
  readonly input: number
  readonly values: unknown[]
  readonly timestamps: unknown[]
}

export class RestoredInput {
  readonly #records: RestoredRecords[]
  readonly #inputs: readonly Input<unknown>[]
  readonly #gate: Gate
  /** Of the first of them; and how many records were in those that are gone. */
  #read = 0
  #readBefore = 0

  /** `records` is emptied on the way: what is processed need not stay in memory. */
  constructor(records: RestoredRecords[], inputs: readonly Input<unknown>[], gate: Gate) {
    this.#records = records
    this.#inputs = inputs
    this.#gate = gate
  }

  /** How many were processed so far. */
  get processed(): number {
    return this.#readBefore + this.#read
  }

  get consumed(): boolean {
    return this.#records.length === 0
  }

  /** At most `budget` records. True when any was fed. */
  feed(budget: number): boolean {
    let left = budget
    for (let first = this.#records[0]; first !== undefined && left > 0; first = this.#records[0]) {
      const read = this.#feed(first, left)
      left -= read
      if (this.#read < first.values.length) break
      this.#records.shift()
      this.#readBefore += this.#read
      this.#read = 0
    }
    return left < budget
  }

  #feed({ input: index, values, timestamps }: RestoredRecords, budget: number): number {
    const input = this.#inputs[index] as Input<unknown>
    const start = this.#read
    const stop = Math.min(values.length, start + budget)
    while (this.#read < stop && this.#gate.closed === 0) {
      const place = this.#read++
      input.processElement(values[place], timestamps[place] as number)
    }
    return this.#read - start
  }
}
