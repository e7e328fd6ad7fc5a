/**
 * What all harnesses share: a user's function inside the operator that runs it in jobs, with its states, timers and
 * record loop, driven by hand on a clock that stands still. Everything that happens has happened when a call returns.
 */
import { StreamError } from '../base/errors.ts'
import { VirtualClock } from '../base/virtual-clock.ts'
import { NO_TIMESTAMP } from '../elements/stream-element.ts'
import type { OutputTag } from '../operators/functions.ts'
import type { OperatorFactory } from '../operators/operator.ts'
import { inOrder } from '../runtime/data/operator-chain.ts'
import type { HarnessSnapshot } from './harness-snapshot.ts'
import { type Dealing, type EmittedRecord, ParallelOperator } from './parallel-operator.ts'
import { harnessPorts } from './subtask-environment.ts'

export interface HarnessOptions {
  /** Subtasks of the operator; 1 when left out. */
  readonly parallelism?: number | undefined
  /** The number of key groups. Left out: that of the snapshot, else Flink's default. */
  readonly maxParallelism?: number | undefined
  /** Of processing time; several harnesses may share one. Left out: a clock of its own that begins at 0. */
  readonly clock?: VirtualClock | undefined
  /** What `snapshot` gave, of a harness of any parallelism. */
  readonly restoreFrom?: HarnessSnapshot | undefined
  /**
   * As `execution.debug-freeze` (`--check`) in a job: the records that go in and come out, and the values that a state is
   * given or gives, are frozen with all that they hold; code that changes one throws a TypeError where it does. The very
   * objects of the test are frozen. Off when left out.
   */
  readonly debugFreeze?: boolean | undefined
}

/** The operator around a function, and which subtask gets what. */
export interface OperatorSpec {
  readonly operator: OperatorFactory
  /** One entry an input. */
  readonly dealings: readonly Dealing[]
}

export interface HarnessSpec extends OperatorSpec {
  /** Of the class, for messages. */
  readonly harness: string
  readonly options: HarnessOptions
}

/** How the constructor meets a function whose `open` waits; only `open` of a harness says `awaited`. */
export type Opening = 'at once' | 'awaited'

export abstract class Harness<R> implements AsyncDisposable {
  readonly clock: VirtualClock
  readonly #name: string
  readonly #operator: ParallelOperator
  /** Settles when the functions are open. */
  readonly #opened: Promise<void>
  readonly #watermarks: number[]
  #state: 'opening' | 'open' | 'failed' | 'disposed' = 'opening'

  protected constructor({ harness, operator, dealings, options }: HarnessSpec, opening: Opening) {
    this.#name = harness
    this.clock = options.clock ?? new VirtualClock()
    this.#watermarks = dealings.map(() => Number.NEGATIVE_INFINITY)
    const keyed = dealings.some(({ type }) => type === 'byKey')
    const underTest = { name: harness, operator, keyed, inputs: dealings.length }
    this.#operator = new ParallelOperator({ ...options, underTest, dealings, ports: harnessPorts(this.clock) })
    let waiting: void | Promise<void>
    try {
      waiting = inOrder(this.#operator.subtasks.map((subtask) => () => subtask.open()))
    } catch (thrown) {
      this.#giveUp()
      throw thrown
    }
    if (waiting instanceof Promise && opening === 'at once') {
      waiting.catch(() => {
        // Told below, whatever it comes to.
      })
      this.#giveUp()
      throw misuse(
        harness,
        'open() of the function returned a promise, and a constructor cannot wait.',
        `Write: await ${harness}.open({ … })`,
      )
    }
    this.#opened = Promise.resolve(waiting)
    this.#opened.catch(() => {})
    if (!(waiting instanceof Promise)) this.#state = 'open'
  }

  /** Takes out what the function has emitted since the last call, in order; watermarks between are left out. */
  output(): readonly R[] {
    return this.outputRecords().map(({ value }) => value)
  }

  /** As `output`, with timestamps. */
  outputRecords(): readonly EmittedRecord<R>[] {
    return this.#take((element) => element.type === 'record') as readonly EmittedRecord<R>[]
  }

  /** Takes out what was emitted into the side output since the last call. */
  sideOutput<S>(tag: OutputTag<S>): readonly S[] {
    return this.#take((element) => element.type === 'side' && element.tag === tag.id).map(({ value }) => value as S)
  }

  /** Takes out the watermarks that have left, as the next operator sees them: the lowest of all subtasks. */
  outputWatermarks(): readonly number[] {
    const { emitted } = this.#operator
    this.#operator.emitted = emitted.filter(({ type }) => type !== 'watermark')
    return emitted.flatMap((element) => (element.type === 'watermark' ? [element.timestamp] : []))
  }

  /** Moves the clock by `ms`: each processing-time timer fires at its own time. */
  advanceProcessingTime(ms: number): void {
    this.#use()
    if (!(ms >= 0))
      throw misuse(
        this.#name,
        `advanceProcessingTime(${ms}): the clock does not go back.`,
        'Give 0 or more milliseconds.',
      )
    if (!Number.isFinite(ms))
      throw misuse(this.#name, `advanceProcessingTime(${ms}): no time is behind that.`, 'Give milliseconds.')
    this.clock.advance(ms)
    this.#told()
  }

  /** The state as a checkpoint would hold it: `snapshotState` of the function is called. The harness goes on unchanged. */
  async snapshot(checkpointId: number): Promise<HarnessSnapshot> {
    this.#use()
    return this.#operator.snapshot(checkpointId)
  }

  /** Calls the function's method of that name, in every subtask. */
  async notifyCheckpointComplete(checkpointId: number): Promise<void> {
    this.#use()
    await this.#operator.notifyCheckpointComplete(checkpointId)
  }

  async notifyCheckpointAborted(checkpointId: number): Promise<void> {
    this.#use()
    await this.#operator.notifyCheckpointAborted(checkpointId)
  }

  /** Closes the functions. Rejects with what `close` threw, and with a failure that no call has thrown yet. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === 'disposed') return
    const untold = this.#state === 'failed' ? undefined : this.#operator.failure
    this.#state = 'disposed'
    await this.#operator.close()
    if (untold !== undefined) throw untold.thrown
  }

  protected record(input: number, value: unknown, timestamp: number = NO_TIMESTAMP): void {
    this.#use()
    if (Number.isNaN(timestamp))
      throw misuse(this.#name, 'a record has the timestamp NaN.', 'Give milliseconds since the epoch, or no timestamp.')
    this.#operator.push(input, value, timestamp)
    this.#run()
  }

  protected watermark(input: number, timestamp: number): void {
    this.#use()
    const last = this.#watermarks[input] as number
    if (!(timestamp >= last))
      throw misuse(
        this.#name,
        `the watermark ${timestamp} came after ${last}: watermarks only rise.`,
        'Give the watermarks in ascending order.',
      )
    this.#watermarks[input] = timestamp
    this.#operator.pushControl(input, { type: 'watermark', timestamp })
    this.#run()
  }

  protected status(input: number, idle: boolean): void {
    this.#use()
    this.#operator.pushControl(input, { type: 'watermarkStatus', idle })
    this.#run()
  }

  /** For the static `open` of each kind. */
  protected async untilOpen(): Promise<this> {
    try {
      await this.#opened
    } catch (thrown) {
      this.#giveUp()
      throw thrown
    }
    if (this.#state === 'opening') this.#state = 'open'
    return this
  }

  #run(): void {
    this.#operator.run()
    this.#told()
  }

  /** The very object that the user's code threw. */
  #told(): void {
    const { failure } = this.#operator
    if (failure === undefined) return
    this.#state = 'failed'
    throw failure.thrown
  }

  #use(): void {
    if (this.#state === 'open') {
      if (this.#operator.failure !== undefined) this.#told()
      return
    }
    const [what, hint] = UNUSABLE[this.#state]
    throw misuse(this.#name, what, hint)
  }

  #take(wanted: (element: Emittable) => boolean): { value: unknown; timestamp: number | undefined }[] {
    const { emitted } = this.#operator
    this.#operator.emitted = emitted.filter((element) => !wanted(element))
    return emitted.flatMap((element) =>
      wanted(element) && 'value' in element
        ? [{ value: element.value, timestamp: element.timestamp === NO_TIMESTAMP ? undefined : element.timestamp }]
        : [],
    )
  }

  #giveUp(): void {
    this.#state = 'disposed'
    this.#operator.close().catch(() => {
      // What made it be given up is told.
    })
  }
}

type Emittable = ParallelOperator['emitted'][number]

const UNUSABLE = {
  opening: ['its functions are not open yet.', 'Wait for what `open` returned.'],
  failed: [
    'its function has thrown, and a subtask that has failed goes on no more.',
    'Make a new harness, with `restoreFrom` where the state is to be that of a snapshot.',
  ],
  disposed: ['it was disposed of.', 'Make a new harness, with `restoreFrom` where it is to go on.'],
} as const

export function misuse(who: string, what: string, hint: string): StreamError {
  return new StreamError('TEST_MISUSE', { message: `${who}: ${what}`, hint, details: { of: who } })
}
