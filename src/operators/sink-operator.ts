/**
 * Runs the writer of a sink and hands what it prepared to the committing side. It keeps the order that makes a sink exact:
 * flush, prepare, barrier, snapshot, completion, commit. When and how often something is committed is decided elsewhere.
 */
import { StreamError } from '../base/errors.ts'
import { NO_TIMESTAMP } from '../elements/stream-element.ts'
import type { Input, Operator, OperatorContext, OperatorCounters, OperatorFactory } from './operator.ts'
import type {
  Committer,
  CommittingSinkWriter,
  Sink,
  SinkEnvironment,
  SinkWriter,
  StatefulSink,
  StatefulSinkWriter,
  TwoPhaseCommittingSink,
  WriteContext,
  WriterContext,
} from './sink.ts'
import { type SinkStates, sinkStates } from './sink-states.ts'
import { END_OF_INPUT, type Transactions } from './transactions.ts'

/**
 * The operator of a sink. Committables that stood pending in the restored checkpoint are committed before the writer is
 * made; those of the end of the input are committed with the final checkpoint or, without checkpointing, at once.
 */
export function sinkOperator<T>(sink: Sink<T>): OperatorFactory {
  return (context) => new WritingOperator(sink, context)
}

interface Behind<out T> {
  readonly value: T
  readonly timestamp: number
}

/** A writer with whatever else it can do. */
type AnyWriter<T> = SinkWriter<T> & Partial<CommittingSinkWriter<T, unknown> & StatefulSinkWriter<T, unknown>>

class WritingOperator<T> implements Operator, Input<T> {
  readonly inputs = [this]
  readonly #sink: Sink<T>
  readonly #context: OperatorContext
  readonly #counters: OperatorCounters
  readonly #states: SinkStates
  readonly #writeContext = new CurrentRecord()
  /** While a write waits: what the same call upstream emits besides; the gate stops everything else. */
  #behind: Behind<T>[] | undefined
  #writer: AnyWriter<T> | undefined
  #committer: Committer<unknown> | undefined
  #transactions: Transactions<unknown> | undefined
  #finished = false
  /** What goes on behind a promise then leads to nothing more. */
  #closed = false
  /** Prepared at the end of the input, for the final checkpoint. */
  #last: readonly unknown[] = []
  /** Of the snapshot that is being prepared. */
  #writerStates: readonly unknown[] = []

  constructor(sink: Sink<T>, context: OperatorContext) {
    this.#sink = sink
    this.#context = context
    this.#counters = context.counters
    this.#states = sinkStates(sink, context.unfrozenOperatorState ?? context.operatorState)
  }

  get inputWatermark(): number {
    return this.#writeContext.watermark
  }

  async open(): Promise<void> {
    if (isCommitting(this.#sink)) await this.#openCommitter(this.#sink)
    else this.#refuseCommittables()
    const context = this.#writerContext()
    const states = this.#states.restoredWriterStates()
    this.#writer =
      states.length > 0 && isStateful(this.#sink)
        ? await this.#sink.restoreWriter(context, states)
        : await this.#sink.createWriter(context)
  }

  processElement(value: T, timestamp: number): void {
    this.#counters.recordsIn++
    if (this.#behind !== undefined) {
      this.#behind.push({ value, timestamp })
      return
    }
    this.#writeContext.ofRecord = timestamp
    const written: unknown = this.#write(value)
    if (written !== undefined && isPromise(written)) this.#context.pause(this.#settled(written))
  }

  processWatermark(timestamp: number): void {
    this.#writeContext.watermark = timestamp
  }

  processWatermarkStatus(): void {}

  prepareSnapshotPreBarrier(checkpointId: number): void | Promise<void> {
    const prepared = this.#finished ? this.#last : this.#prepareOrAsk(checkpointId)
    if (isPromise(prepared)) return prepared.then((committables) => this.#prepared(checkpointId, committables))
    return this.#prepared(checkpointId, prepared)
  }

  snapshotState(checkpointId: number): void | Promise<void> {
    this.#states.update(this.#transactions?.pending() ?? [], this.#writerStates)
    if (this.#writer?.makeDurable !== undefined) return this.#durable(checkpointId)
  }

  notifyCheckpointComplete(checkpointId: number): void | Promise<void> {
    return this.#transactions?.complete(checkpointId)
  }

  async finish(): Promise<void> {
    if (this.#finished) return
    const committables = await this.#prepare(true)
    if (this.#closed) return
    this.#finished = true
    if (this.#context.task.checkpointing) {
      this.#last = committables
      return
    }
    await this.#writer?.makeDurable?.(END_OF_INPUT)
    if (this.#closed) return
    if (committables.length > 0) this.#transactions?.preCommit(END_OF_INPUT, committables)
    await this.#transactions?.endInput()
  }

  async close(): Promise<void> {
    this.#closed = true
    // Each gets its chance, and the first failure is told.
    const closed = await Promise.allSettled([this.#transactions?.close()])
    closed.push(...(await Promise.allSettled([closing(this.#writer), closing(this.#committer)])))
    for (const outcome of closed) if (outcome.status === 'rejected') throw outcome.reason
  }

  async #openCommitter(sink: TwoPhaseCommittingSink<T, unknown>): Promise<void> {
    const { jobId, subtask } = this.#context.task
    const committer = await sink.createCommitter({ jobId, subtask, environment: this.#environment() })
    this.#committer = committer
    this.#transactions = this.#context.transactions<unknown>({ commit: (requests) => committer.commit(requests) })
    await this.#transactions.restored(this.#states.restoredCommittables())
  }

  /** They hold records that no other state has, and this sink cannot make them visible. */
  #refuseCommittables(): void {
    const { length } = this.#states.restoredCommittables()
    if (length === 0) return
    throw new StreamError('STATE_INCOMPATIBLE', {
      message: `The state of sink "${this.#context.task.operatorName}" holds ${length} transactions of another sink that are not committed yet, and this one has no committer.`,
      hint: 'Start the former sink from this state once more and stop it with a savepoint, which commits them; or give the new sink another uid.',
      details: { operator: this.#context.task.operatorName, pending: length },
    })
  }

  /** That it failed is no matter of this checkpoint alone: what was handed over is nowhere else. */
  async #durable(checkpointId: number): Promise<void> {
    try {
      await this.#writer?.makeDurable?.(checkpointId)
    } catch (thrown) {
      this.#context.fail(thrown)
      throw thrown
    }
  }

  #write(value: T): unknown {
    try {
      return (this.#writer as AnyWriter<T>).write(value, this.#writeContext)
    } catch (thrown) {
      throw this.#context.blame(thrown)
    }
  }

  /** One record after the other: the writer is not called again while it waits. */
  async #settled(written: PromiseLike<unknown>): Promise<void> {
    const behind: Behind<T>[] = []
    this.#behind = behind
    try {
      await written
      for (let next = behind.shift(); next !== undefined && !this.#closed; next = behind.shift()) {
        this.#writeContext.ofRecord = next.timestamp
        await this.#writer?.write(next.value, this.#writeContext)
      }
    } catch (thrown) {
      throw this.#context.blame(thrown)
    }
    this.#behind = undefined
  }

  /** That preparing failed may be a matter of this checkpoint alone; that what was written before is lost is not. */
  #prepareOrAsk(checkpointId: number): readonly unknown[] | Promise<readonly unknown[]> {
    const ask = (thrown: unknown): never => {
      this.#durable(checkpointId).catch(() => {
        // It has failed the task.
      })
      throw thrown
    }
    try {
      const prepared = this.#prepare(false)
      return isPromise(prepared) ? prepared.catch(ask) : prepared
    } catch (thrown) {
      return ask(thrown)
    }
  }

  /** A value where the writer does not wait, so that it costs no turn. */
  #prepare(endOfInput: boolean): readonly unknown[] | Promise<readonly unknown[]> {
    const writer = this.#writer as AnyWriter<T>
    const flushed: unknown = writer.flush(endOfInput)
    if (isPromise(flushed))
      return flushed.then(() => (this.#closed ? [] : (writer.prepareCommit?.() ?? []))) as Promise<readonly unknown[]>
    return writer.prepareCommit?.() ?? []
  }

  #prepared(checkpointId: number, committables: readonly unknown[]): void | Promise<void> {
    this.#last = []
    if (committables.length > 0) this.#transactions?.preCommit(checkpointId, committables)
    const states = this.#writer?.snapshotState?.(checkpointId) ?? []
    if (!isPromise(states)) {
      this.#writerStates = states
      return
    }
    return states.then((settled) => {
      this.#writerStates = settled
    })
  }

  #writerContext(): WriterContext {
    const { jobId, subtask, parallelism, epoch, attempt, restoredCheckpointId, checkpointing } = this.#context.task
    return {
      jobId,
      subtask,
      parallelism,
      epoch,
      attempt,
      restoredCheckpointId,
      checkpointing,
      environment: this.#environment(),
    }
  }

  #environment(): SinkEnvironment {
    const { clock, files, ids, logger } = this.#context
    return { clock, files, ids, logger }
  }
}

/** The same object for every record. */
class CurrentRecord implements WriteContext {
  ofRecord = NO_TIMESTAMP
  watermark = Number.NEGATIVE_INFINITY

  timestamp(): number | undefined {
    return this.ofRecord === NO_TIMESTAMP ? undefined : this.ofRecord
  }

  currentWatermark(): number {
    return this.watermark
  }
}

async function closing(resource: { close(): void | Promise<void> } | undefined): Promise<void> {
  await resource?.close()
}

function isCommitting<T>(sink: Sink<T>): sink is TwoPhaseCommittingSink<T, unknown> {
  return typeof (sink as Partial<TwoPhaseCommittingSink<T, unknown>>).createCommitter === 'function'
}

function isStateful<T>(sink: Sink<T>): sink is StatefulSink<T, unknown> {
  return typeof (sink as Partial<StatefulSink<T, unknown>>).restoreWriter === 'function'
}

/** Also one of another realm or library; a writer may return anything else, which is ignored. */
function isPromise<R>(value: R | Promise<R>): value is Promise<R> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
