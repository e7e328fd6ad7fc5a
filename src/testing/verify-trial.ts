/** Runs an operator in one of the ways of a verification, from its first item to the end of its input. */
import { VirtualClock } from '../base/virtual-clock.ts'
import { told } from './driver.ts'
import type { HarnessSnapshot } from './harness-snapshot.ts'
import type { OperatorSubtask, OperatorUnderTest } from './operator-subtask.ts'
import { type Dealing, type Emitted, ParallelOperator } from './parallel-operator.ts'
import { harnessPorts } from './subtask-environment.ts'
import type { Step } from './verify-items.ts'
import type { Variant } from './verify-variants.ts'

export interface TrialOptions {
  readonly underTest: OperatorUnderTest
  readonly dealings: readonly Dealing[]
  /** Between two records the operator looks at its gate. */
  readonly obeysGate: boolean
  readonly maxParallelism: number | undefined
  readonly debugFreeze: boolean | undefined
  readonly steps: readonly Step[]
}

/** What came out behind each item. With all items at once, what came out of a bunch of them stands behind its last one. */
export type TrialResult = readonly (readonly Emitted[])[]

/** What went wrong other than by its result, and at which step. */
export class TrialFailure extends Error {
  readonly step: number
  constructor(step: number, what: string) {
    super(what)
    this.step = step
  }
}

const MAX_PARALLELISM = 128
/** Turns of the event loop without anything happening, after which nothing is expected to. */
const MOST_IDLE_TURNS = 200

export class Trial {
  readonly #options: TrialOptions
  readonly #variant: Variant
  readonly #clock = new VirtualClock()
  readonly #ports = harnessPorts(this.#clock)
  readonly #result: Emitted[][]
  readonly #full = new Set<OperatorSubtask>()
  #operator: ParallelOperator
  #attempts = 0
  #checkpoints = 0
  #records = 0
  #step = 0
  /** By input: told again to whoever was restored, as by an upstream that was restored as well. */
  #watermarks: number[]
  #idle: boolean[]
  #emittedWatermark = Number.NEGATIVE_INFINITY
  #emittedIdle = false

  constructor(options: TrialOptions, variant: Variant) {
    this.#options = options
    this.#variant = variant
    this.#result = options.steps.map(() => [])
    this.#watermarks = options.dealings.map(() => Number.NEGATIVE_INFINITY)
    this.#idle = options.dealings.map(() => false)
    this.#operator = this.#make(0, undefined)
  }

  async run(): Promise<TrialResult> {
    try {
      await this.#open()
      for (const bunch of this.#bunches()) await this.#runBunch(bunch)
      return this.#result
    } catch (thrown) {
      if (thrown instanceof TrialFailure) throw thrown
      throw Object.assign(new TrialFailure(this.#step, `it threw ${String(thrown)}`), { cause: thrown })
    } finally {
      await this.#operator.close()
    }
  }

  async #runBunch(bunch: readonly number[]): Promise<void> {
    const last = bunch.at(-1) as number
    this.#step = last
    const end = this.#options.steps[last]?.type === 'end'
    const time = this.#options.steps[last]?.type === 'advance'
    const before = this.#variant.after === 'replay' && !time && !end ? await this.#snapshot(last % 2 === 0) : undefined
    const upstream = { watermarks: [...this.#watermarks], idle: [...this.#idle] }
    await this.#feed(bunch)
    if (before !== undefined) {
      this.#operator.emitted = []
      this.#watermarks = upstream.watermarks
      this.#idle = upstream.idle
      await this.#replace(before, last)
      await this.#feed(bunch)
    }
    this.#collect(last)
    if (this.#variant.after === 'snapshot') await this.#snapshot(true)
    if (this.#variant.after === 'restore' && !end) await this.#replace(await this.#snapshot(true), last + 1)
    // The final checkpoint: what was written at the end becomes visible with it.
    if (end) await this.#snapshot(true)
  }

  /**
   * Steps that can lie before the operator at the same time. A watermark right behind another would take its place, and
   * between inputs the order of the items would be lost.
   */
  #bunches(): readonly (readonly number[])[] {
    const { steps } = this.#options
    const bunches: number[][] = []
    for (const [index, step] of steps.entries()) {
      const open = this.#variant.feeding === 'allAtOnce' ? bunches.at(-1) : undefined
      const before = steps[index - 1]
      const alone = step.type === 'advance' || step.type === 'end' || inputOf(step) !== inputOf(before)
      if (open === undefined || alone || (step.type !== 'record' && before?.type !== 'record')) bunches.push([index])
      else open.push(index)
    }
    return bunches
  }

  async #feed(bunch: readonly number[]): Promise<void> {
    for (const index of bunch) this.#give(this.#options.steps[index] as Step)
    await this.#drain()
    const step = this.#options.steps[bunch.at(-1) as number]
    if (step?.type === 'advance') await this.#advance(step.ms)
    if (step?.type === 'end') {
      for (const subtask of this.#operator.subtasks) await subtask.finished()
      await this.#drain()
    }
  }

  #give(step: Step): void {
    switch (step.type) {
      case 'record':
        return this.#operator.push(step.input, step.value, step.timestamp)
      case 'watermark':
        this.#watermarks[step.input] = step.timestamp
        return this.#operator.pushControl(step.input, { type: 'watermark', timestamp: step.timestamp })
      case 'status':
        this.#idle[step.input] = step.idle
        return this.#operator.pushControl(step.input, { type: 'watermarkStatus', idle: step.idle })
      case 'end':
        return this.#options.dealings.forEach((_, input) => {
          this.#operator.pushControl(input, { type: 'endOfData', drain: true })
        })
      case 'advance':
        return
    }
  }

  /** Each timer at its own time, and what it emits is taken before the next. */
  async #advance(ms: number): Promise<void> {
    const untilMs = this.#clock.now() + ms
    for (let atMs = this.#nextMs(); atMs <= untilMs; atMs = this.#nextMs()) {
      this.#clock.runNext()
      await this.#drain()
    }
    this.#clock.advance(untilMs - this.#clock.now())
  }

  #nextMs(): number {
    return this.#clock.nextDeadlineMs() ?? Number.POSITIVE_INFINITY
  }

  /** Until all that was given is processed: empties the output where it is full, and waits where the operator waits. */
  async #drain(): Promise<void> {
    for (let idleTurns = 0; ; ) {
      this.#operator.run()
      this.#told()
      const [full] = this.#full
      if (full !== undefined) {
        this.#full.delete(full)
        full.gate.outputFree()
        idleTurns = 0
        continue
      }
      if (this.#operator.subtasks.every(({ idle }) => idle)) return
      if (idleTurns++ > MOST_IDLE_TURNS) throw new TrialFailure(this.#step, 'it stands still, and is not done')
      await told()
    }
  }

  #told(): void {
    const { failure } = this.#operator
    if (failure !== undefined) throw failure.thrown
  }

  /** `completed`: the operator learns of it. If not, only whoever is restored from it does. */
  async #snapshot(completed: boolean): Promise<HarnessSnapshot> {
    const id = ++this.#checkpoints
    const snapshot = await this.#operator.snapshot(id)
    if (completed) await this.#operator.notifyCheckpointComplete(id)
    this.#told()
    return snapshot
  }

  async #replace(restoreFrom: HarnessSnapshot, step: number): Promise<void> {
    await this.#operator.close()
    this.#full.clear()
    this.#operator = this.#make(step, restoreFrom)
    await this.#open()
    for (const [input, timestamp] of this.#watermarks.entries()) {
      if (timestamp > Number.NEGATIVE_INFINITY) this.#operator.pushControl(input, { type: 'watermark', timestamp })
      if (this.#idle[input] === true) this.#operator.pushControl(input, { type: 'watermarkStatus', idle: true })
    }
    await this.#drain()
  }

  async #open(): Promise<void> {
    for (const subtask of this.#operator.subtasks) await subtask.open()
    this.#told()
  }

  #make(step: number, restoreFrom: HarnessSnapshot | undefined): ParallelOperator {
    const { underTest, dealings, maxParallelism = MAX_PARALLELISM, debugFreeze } = this.#options
    return new ParallelOperator({
      underTest,
      dealings,
      parallelism: this.#variant.parallelism(step),
      maxParallelism,
      restoreFrom,
      attempt: this.#attempts++,
      ports: this.#ports,
      debugFreeze,
      emitted: this.#variant.outputFull ? (subtask) => this.#emitted(subtask) : undefined,
    })
  }

  #emitted(subtask: OperatorSubtask): void {
    if (this.#full.has(subtask)) {
      if (this.#options.obeysGate)
        throw new TrialFailure(this.#step, 'it emitted a record although its gate was closed: its output was full')
      return
    }
    if (this.#records++ % 2 === 1) return
    this.#full.add(subtask)
    subtask.gate.outputFull()
  }

  /** Watermarks that do not rise, and idleness that does not change, say nothing: a restored operator may repeat them. */
  #collect(step: number): void {
    for (const element of this.#operator.emitted) {
      if (element.type === 'watermark') {
        if (element.timestamp <= this.#emittedWatermark) continue
        this.#emittedWatermark = element.timestamp
      }
      if (element.type === 'idle') {
        if (element.idle === this.#emittedIdle) continue
        this.#emittedIdle = element.idle
      }
      this.#result[step]?.push(element)
    }
    this.#operator.emitted = []
  }
}

function inputOf(step: Step | undefined): number | undefined {
  return step !== undefined && 'input' in step ? step.input : undefined
}
