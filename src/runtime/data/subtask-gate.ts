/**
 * Why a subtask may not read its next input: an output without credit, a promise that is waited for, interrupted work.
 * The loop compares `closed` with 0; the reasons are counted here and nowhere else.
 */
import type { Gate, Resumable } from '../../operators/operator.ts'
import type { CreditHolder } from './channel.ts'
import { SubtaskTimes } from './subtask-times.ts'
import { WorkUnderWay } from './work-under-way.ts'

export class SubtaskGate implements Gate, CreditHolder {
  closed = 0
  /** What the subtask waits for, or has given up waiting for. */
  readonly underWay = new WorkUnderWay()
  readonly times: SubtaskTimes
  #pauses = 0
  #outputsFull = 0
  #interrupted: Resumable[] = []
  readonly #wake: () => void
  readonly #failed: (cause: unknown) => void
  readonly #monotonicMs: () => number
  readonly #dataConsumed: (() => void) | undefined

  /** `dataConsumed`: of one output channel; left out where nobody waits for that. */
  constructor(hooks: {
    wake: () => void
    failed: (cause: unknown) => void
    monotonicMs: () => number
    dataConsumed?: (() => void) | undefined
  }) {
    this.#wake = hooks.wake
    this.#failed = hooks.failed
    this.#monotonicMs = hooks.monotonicMs
    this.times = new SubtaskTimes(hooks.monotonicMs)
    this.#dataConsumed = hooks.dataConsumed
  }

  outputFull(): void {
    this.closed++
    if (this.#outputsFull++ === 0) this.#waitingChanged()
  }

  outputFree(): void {
    this.closed--
    if (--this.#outputsFull === 0) this.#waitingChanged()
    this.#wake()
  }

  dataConsumed(): void {
    this.#dataConsumed?.()
  }

  /** How long it could do nothing because an output had no credit, since the start. */
  get backPressuredMs(): number {
    return this.times.outputFullMs(this.#monotonicMs())
  }

  get isBackPressured(): boolean {
    return this.#outputsFull > 0
  }

  pause(settled: Promise<void>): void {
    this.closed++
    if (this.#pauses++ === 0) this.#waitingChanged()
    const over = () => {
      this.closed--
      if (--this.#pauses === 0) this.#waitingChanged()
      this.#wake()
    }
    this.underWay.watch(settled).then(over, (cause) => {
      over()
      this.#failed(cause)
    })
  }

  resumeLater(work: Resumable): void {
    if (this.#interrupted.length === 0) this.closed++
    this.#interrupted.push(work)
  }

  /** An element is half processed: neither control elements nor mails may be handled. */
  get insideAnElement(): boolean {
    return this.#pauses > 0 || this.#interrupted.length > 0
  }

  /** A promise is waited for. */
  get waiting(): boolean {
    return this.#pauses > 0
  }

  /**
   * Goes on with interrupted work as far as the gate allows, and until some of it says that it is enough for one step.
   * What was interrupted first lies furthest downstream and goes first; what it interrupts anew comes before the rest.
   * True when something ran.
   */
  resume(): boolean {
    let ran = false
    let stepIsOver = false
    while (this.#interrupted.length > 0 && this.closed === 1 && !stepIsOver) {
      const [first, ...rest] = this.#interrupted as [Resumable, ...Resumable[]]
      this.#interrupted = []
      this.closed--
      ran = true
      first.resume()
      stepIsOver = this.#interrupted.some((work) => work.inALaterStep === true)
      if (rest.length === 0) continue
      if (this.#interrupted.length === 0) this.closed++
      this.#interrupted.push(...rest)
    }
    return ran
  }

  #waitingChanged(): void {
    this.times.waitsFor(this.#outputsFull > 0, this.#pauses > 0)
  }
}
