/** Runs one operator as a subtask would, step by step, with real operator state and a real two-phase commit. */
import type { FileSystem } from '../../../src/base/file-system.ts'
import { seededIds } from '../../../src/base/ids.ts'
import type { Logger } from '../../../src/base/logger.ts'
import { seededRandom } from '../../../src/base/random.ts'
import { SimulatedFileSystem } from '../../../src/base/simulated-file-system.ts'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { defaultSerializer, type Serializer } from '../../../src/elements/serializer.ts'
import { framed } from '../../../src/operators/framed.ts'
import {
  END_OF_INPUT,
  NOTHING_AVAILABLE,
  type Operator,
  type OperatorContext,
  type OperatorFactory,
  type SourceOperator,
} from '../../../src/operators/operator.ts'
import type { Sink } from '../../../src/operators/sink.ts'
import { sinkOperator } from '../../../src/operators/sink-operator.ts'
import type { Source, SourceSplit, SplitEnumerator } from '../../../src/operators/source.ts'
import { sourceOperator } from '../../../src/operators/source-operator.ts'
import { WatermarkStrategy } from '../../../src/operators/watermark-strategy.ts'
import { causes } from '../../../src/runtime/control/causes.ts'
import { twoPhaseCommit } from '../../../src/runtime/control/two-phase-commit.ts'
import { operatorStateStore } from '../../../src/state/operator-state.ts'
import { decodeOperatorState } from '../../../src/state/operator-state-format.ts'
import { redistributeOperatorState } from '../../../src/state/redistribution.ts'

/** For so long a source lets other work of its thread go first. */
const SHORT_WAIT_MS = 1

export interface SubtaskOptions {
  readonly subtask?: number
  readonly parallelism?: number
  readonly attempt?: number
  readonly epoch?: number
  readonly jobId?: string
  readonly checkpointing?: boolean
  readonly clock?: VirtualClock
  readonly files?: FileSystem
  /** Snapshots of all old subtasks. */
  readonly restored?: readonly (Uint8Array | undefined)[]
}

export interface Emitted {
  readonly value: unknown
  readonly timestamp: number
}

export class SubtaskHarness {
  readonly clock: VirtualClock
  readonly files: FileSystem
  readonly records: Emitted[] = []
  /** Watermarks as numbers, idleness as 'idle' and 'active'. */
  readonly times: (number | 'idle' | 'active')[] = []
  readonly counts = new Map<string, number>()
  readonly failures: unknown[] = []
  readonly warnings: string[] = []
  readonly gate = { closed: 0 }
  readonly counters = { recordsIn: 0, recordsOut: 0 }
  readonly context: OperatorContext
  splitRequests = 0
  onSplitRequest: (() => void) | undefined
  #mails: (() => void)[] = []
  readonly #pauses = new Set<Promise<void>>()

  constructor(options: SubtaskOptions = {}) {
    const {
      subtask = 0,
      parallelism = 1,
      attempt = 0,
      epoch = 1,
      jobId = 'a'.repeat(32),
      checkpointing = true,
    } = options
    this.clock = options.clock ?? new VirtualClock()
    this.files = options.files ?? new SimulatedFileSystem()
    const lists = options.restored?.map((bytes) => (bytes === undefined ? undefined : decodeOperatorState(bytes)))
    const restored = lists === undefined ? [] : (redistributeOperatorState(lists, parallelism)[subtask] ?? [])
    const operatorState = operatorStateStore({ subtask, restored })
    const random = seededRandom(1)
    const warn = (message: string) => void this.warnings.push(message)
    const logger: Logger = { debug() {}, info() {}, warn, error: warn }
    const unused = (): never => {
      throw new Error('not used by sources and sinks')
    }
    this.context = {
      task: {
        jobId,
        jobName: 'job',
        operatorId: 'b'.repeat(32),
        operatorName: 'operator',
        subtask,
        parallelism,
        maxParallelism: 128,
        attempt,
        epoch,
        restoredCheckpointId: options.restored === undefined ? undefined : 1,
        checkpointing,
      },
      output: {
        processElement: (value, timestamp) => void this.records.push({ value, timestamp }),
        processWatermark: (timestamp) => void this.times.push(timestamp),
        processWatermarkStatus: (idle) => void this.times.push(idle ? 'idle' : 'active'),
      },
      gate: this.gate,
      counters: this.counters,
      clock: this.clock,
      random,
      ids: seededIds(random),
      files: this.files,
      logger,
      operatorState,
      keyedState: undefined,
      timerService: unused,
      mail: (mail) => void this.#mails.push(mail),
      pause: (settled) => this.#pause(settled),
      resumeLater: unused,
      fail: (cause) => void this.failures.push(cause),
      blame: (thrown) => thrown,
      sideOutput: () => undefined,
      sendSplitRequest: () => {
        this.splitRequests++
        this.onSplitRequest?.()
      },
      count: (name, added) => void this.counts.set(name, (this.counts.get(name) ?? 0) + added),
      transactions: (work) =>
        twoPhaseCommit({
          id: 'transactions',
          clock: this.clock,
          causes: causes(),
          retries: 10,
          commitTimeoutMs: 60_000,
          checkpointing,
          commit: work.commit,
          failed: (cause) => void this.failures.push(cause),
        }),
    }
  }

  get values(): readonly unknown[] {
    return this.records.map(({ value }) => value)
  }

  runMails(): void {
    for (const mail of this.#mails.splice(0)) mail()
  }

  /** The clock goes on, and what its timers mailed is run. */
  advance(ms: number): void {
    const until = this.clock.now() + ms
    for (
      let next = this.clock.nextDeadlineMs();
      next !== undefined && next <= until;
      next = this.clock.nextDeadlineMs()
    ) {
      this.clock.runNext()
      this.runMails()
    }
    this.clock.advance(until - this.clock.now())
  }

  /** Until nothing that was paused for is under way. */
  async unpaused(): Promise<void> {
    while (this.#pauses.size > 0) await Promise.allSettled(this.#pauses)
  }

  snapshotBytes(): Uint8Array | undefined {
    return this.context.operatorState.snapshot()
  }

  #pause(settled: Promise<void>): void {
    this.gate.closed++
    const over = settled
      .catch((cause: unknown) => void this.failures.push(cause))
      .then(() => {
        this.gate.closed--
        this.#pauses.delete(over)
      })
    this.#pauses.add(over)
  }
}

/** The barrier's way through one operator: what the snapshot holds, once everything is durable. */
export async function checkpoint(
  harness: SubtaskHarness,
  operator: Operator,
  id: number,
): Promise<Uint8Array | undefined> {
  await operator.prepareSnapshotPreBarrier?.(id)
  const durable = operator.snapshotState?.(id)
  const bytes = harness.snapshotBytes()
  await durable
  return bytes
}

export interface SinkUnderTest<T> {
  readonly harness: SubtaskHarness
  readonly operator: Operator
  write(...values: readonly T[]): Promise<void>
  checkpoint(id: number): Promise<Uint8Array | undefined>
  complete(id: number): Promise<void>
}

export async function openSink<T>(sink: Sink<T>, options: SubtaskOptions = {}): Promise<SinkUnderTest<T>> {
  const harness = new SubtaskHarness(options)
  const operator = sinkOperator(sink)(harness.context)
  await operator.open?.()
  const input = operator.inputs[0] as { processElement(value: T, timestamp: number): void }
  return {
    harness,
    operator,
    async write(...values) {
      for (const value of values) {
        input.processElement(value, Number.NEGATIVE_INFINITY)
        await harness.unpaused()
      }
    },
    checkpoint: (id) => checkpoint(harness, operator, id),
    complete: async (id) => operator.notifyCheckpointComplete?.(id),
  }
}

/** A source with its enumerator, all readers in one thread. */
export class SourceUnderTest<T> {
  readonly harnesses: readonly SubtaskHarness[]
  readonly operators: readonly SourceOperator[]
  readonly enumerator: SplitEnumerator<SourceSplit, unknown>
  readonly failures: unknown[] = []
  readonly #ended = new Set<number>()

  constructor(
    source: Source<T>,
    options: SubtaskOptions & { readonly strategy?: WatermarkStrategy<T>; readonly enumeratorState?: unknown } = {},
  ) {
    const { parallelism = 1 } = options
    const clock = options.clock ?? new VirtualClock()
    const files = options.files ?? new SimulatedFileSystem()
    const make: OperatorFactory = sourceOperator(source, options.strategy ?? WatermarkStrategy.noWatermarks<T>(), 200)
    this.harnesses = Array.from(
      { length: parallelism },
      (_, subtask) => new SubtaskHarness({ ...options, subtask, clock, files }),
    )
    this.operators = this.harnesses.map((harness) => make(harness.context) as SourceOperator)
    const serializer: Serializer<SourceSplit> = source.splitSerializer ?? defaultSerializer<SourceSplit>()
    this.enumerator = source.createEnumerator(
      {
        parallelism,
        environment: { clock, files, logger: this.harness().context.logger },
        registeredReaders: () => this.operators.map((_, index) => index),
        assignSplits: (subtask, splits) =>
          this.operator(subtask).addSplits(splits.map((split) => framed(serializer, split))),
        signalNoMoreSplits: (subtask) => this.operator(subtask).noMoreSplits(),
        callAsync: (call, handle) =>
          void call()
            .then(handle)
            .catch((cause: unknown) => void this.failures.push(cause)),
        callPeriodically: (call, handle, initialDelayMs, periodMs) => {
          const again = () => {
            clock.setTimer(periodMs, again)
            void call()
              .then(handle)
              .catch((cause: unknown) => void this.failures.push(cause))
          }
          clock.setTimer(initialDelayMs, again)
        },
        setIsProcessingBacklog: () => {},
        fail: (cause) => void this.failures.push(cause),
      },
      options.enumeratorState,
    )
    this.harnesses.forEach((harness, subtask) => {
      harness.onSplitRequest = () => this.enumerator.handleSplitRequest(subtask)
    })
  }

  async open(): Promise<this> {
    await this.enumerator.start()
    this.operators.forEach((operator, subtask) => {
      operator.open?.()
      this.enumerator.addReader(subtask)
    })
    return this
  }

  harness(subtask = 0): SubtaskHarness {
    return this.harnesses[subtask] as SubtaskHarness
  }

  operator(subtask = 0): SourceOperator {
    return this.operators[subtask] as SourceOperator
  }

  get values(): readonly unknown[] {
    return this.harnesses.flatMap((harness) => harness.values)
  }

  get ended(): boolean {
    return this.#ended.size === this.operators.length
  }

  /** Polls until so many records of one subtask are out, or it ended. */
  async emit(count: number, subtask = 0): Promise<void> {
    const harness = this.harness(subtask)
    const until = harness.records.length + count
    while (harness.records.length < until && !this.#ended.has(subtask)) await this.#poll(subtask, 1)
  }

  async runToEnd(): Promise<void> {
    while (!this.ended) for (let subtask = 0; subtask < this.operators.length; subtask++) await this.#poll(subtask, 100)
  }

  /** What a checkpoint holds of this source. */
  async snapshot(id = 1): Promise<{ enumeratorState: unknown; restored: readonly (Uint8Array | undefined)[] }> {
    const enumeratorState = await this.enumerator.snapshotState(id)
    const restored = this.operators.map((operator, subtask) => {
      operator.snapshotState?.(id)
      return this.harness(subtask).snapshotBytes()
    })
    return { enumeratorState, restored }
  }

  async close(): Promise<void> {
    await Promise.all(this.operators.map((operator) => operator.close?.()))
    await this.enumerator.close()
  }

  async #poll(subtask: number, budget: number): Promise<void> {
    if (this.failures.length > 0) throw this.failures[0]
    if (this.#ended.has(subtask)) return
    const operator = this.operator(subtask)
    const status = operator.emitNext(budget)
    if (status === END_OF_INPUT) this.#ended.add(subtask)
    if (status !== NOTHING_AVAILABLE) return
    // Not for ever: another subtask may have to be polled first, or the enumerator may have failed.
    const waited = new Promise<'waited'>((settle) => setImmediate(() => settle('waited')))
    if ((await Promise.race([operator.available(), waited])) === 'waited') this.#passShortWait(subtask)
  }

  /** A source that deals out a great deal waits for the clock in between. A longer wait is the test's to end. */
  #passShortWait(subtask: number): void {
    const { clock } = this.harness(subtask)
    const dueMs = clock.nextDeadlineMs()
    if (dueMs === undefined || dueMs > clock.now() + SHORT_WAIT_MS) return
    clock.runNext()
    for (const harness of this.harnesses) harness.runMails()
  }
}
