/**
 * Finds the operator that takes long: for a while every call from operator to operator of one chain is timed. Before and
 * after that the chain is as it was, and pays nothing.
 */
import type { Input, Operator } from '../../operators/operator.ts'

const TIMED = ['processElement', 'processWatermark', 'processWatermarkStatus'] as const

export class ChainTiming {
  readonly #monotonicMs: () => number
  readonly #undo: (() => void)[] = []
  /** By operator, in this step, without what it called. */
  readonly #ownMs: number[]
  /** Of calls inside the call that runs now. */
  #innerMs = 0

  constructor(operators: readonly Operator[], monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs
    this.#ownMs = operators.map(() => 0)
    operators.forEach(({ inputs }, index) => {
      for (const input of inputs) this.#time(input as Input<unknown>, index)
    })
  }

  /** Behind a step: which operator it spent most of its time in. What was in none of their inputs is the head's: it reads, and its timers fire. */
  slowest(stepMs: number): number {
    const own = this.#ownMs.map((ms, index) => (index === 0 ? ms + stepMs - this.#innerMs : ms))
    this.#ownMs.fill(0)
    this.#innerMs = 0
    return own.indexOf(Math.max(...own))
  }

  /** Nothing is timed any more. */
  stop(): void {
    for (const undo of this.#undo.reverse()) undo()
    this.#undo.length = 0
  }

  /** The object gets methods of its own and loses them again, last first, which the engine takes back without a trace. */
  #time(input: Input<unknown>, index: number): void {
    for (const method of TIMED) {
      const original = input[method] as (first: never, second: never) => void
      const hadOwn = Object.hasOwn(input, method)
      const timed = (first: never, second: never) => this.#call(index, () => original.call(input, first, second))
      this.#undo.push(() => {
        if (hadOwn) Object.assign(input, { [method]: original })
        else Reflect.deleteProperty(input, method)
      })
      Object.assign(input, { [method]: timed })
    }
  }

  #call(index: number, call: () => void): void {
    const outerMs = this.#innerMs
    this.#innerMs = 0
    const startMs = this.#monotonicMs()
    try {
      call()
    } finally {
      const tookMs = this.#monotonicMs() - startMs
      this.#ownMs[index] = (this.#ownMs[index] ?? 0) + tookMs - this.#innerMs
      this.#innerMs = outerMs + tookMs
    }
  }
}
