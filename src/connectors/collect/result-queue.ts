/**
 * The sink of `executeAndCollect`, and what its reader pulls from: each record once, then it is let go. Holds a bounded
 * number of records that nobody has read; beyond it the sink takes no further record, and so the job stands still.
 */
import { StreamError } from '../../base/errors.ts'
import type { Serializer } from '../../elements/serializer.ts'
import type { Committer, CommittingSinkWriter, TwoPhaseCommittingSink, WriterContext } from '../../operators/sink.ts'
import { collectedBatchSerializer } from './collected-batch-serializer.ts'
import { type CollectedBatch, ExactHandOut } from './exact-hand-out.ts'

/** Records that may wait for the reader. */
const MOST_UNREAD = 1024

export interface ResultQueueOptions<T> {
  /** After so many records nothing is taken any more. Undefined: there is no limit. */
  readonly limit: number | undefined
  /** For records that stand in a checkpoint. Undefined: the default serializer. */
  readonly serializer: Serializer<T> | undefined
}

export class ResultQueue<T> implements TwoPhaseCommittingSink<T, CollectedBatch<T>> {
  readonly committableSerializer: Serializer<CollectedBatch<T>> | undefined
  /** Called once, when `limit` records have come out. */
  whenComplete: () => void = () => {}
  readonly #limit: number
  readonly #handOut = new ExactHandOut<T>({
    handOut: (values) => this.#take(values),
    room: () => this.#room(),
    writerClosed: () => this.#giveRoom(),
  })
  /** Read places are emptied at once, and taken out when they are the greater part. */
  #unread: (T | undefined)[] = []
  /** Index of the first that was not read. */
  #next = 0
  /** How many have come out. */
  #taken = 0
  #closed = false
  #waitingForRoom: { readonly over: Promise<void>; readonly settle: () => void } | undefined
  #waitingReaders: (() => void)[] = []

  constructor({ limit, serializer }: ResultQueueOptions<T>) {
    this.#limit = limit ?? Number.POSITIVE_INFINITY
    this.committableSerializer = serializer && collectedBatchSerializer(serializer)
  }

  /** RESULTS_COME_ONCE where a second attempt would hand out again what the first one did. */
  createWriter(context: WriterContext): CommittingSinkWriter<T, CollectedBatch<T>> {
    if (!context.checkpointing && context.attempt > 0 && this.#taken > 0 && !this.isComplete)
      throw handedOutBefore(this.#taken)
    return this.#handOut.createWriter(context)
  }

  createCommitter(): Committer<CollectedBatch<T>> {
    return this.#handOut.createCommitter()
  }

  /** `limit` records have come out. */
  get isComplete(): boolean {
    return this.#taken >= this.#limit
  }

  get isClosed(): boolean {
    return this.#closed
  }

  get isEmpty(): boolean {
    return this.#next === this.#unread.length
  }

  /** Where it is not empty. */
  read(): T {
    const value = this.#unread[this.#next] as T
    this.#unread[this.#next++] = undefined
    if (this.isEmpty || (this.#next >= MOST_UNREAD && this.#next * 2 >= this.#unread.length)) {
      this.#unread.splice(0, this.#next)
      this.#next = 0
    }
    if (this.#unread.length - this.#next <= MOST_UNREAD / 2) this.#giveRoom()
    return value
  }

  /** Settles when something has come out since the call, or `wake` was called. */
  changed(): Promise<void> {
    return new Promise<void>((settle) => void this.#waitingReaders.push(settle))
  }

  wake(): void {
    if (this.#waitingReaders.length === 0) return
    for (const settle of this.#waitingReaders.splice(0)) settle()
  }

  /** Nobody reads any more: what is unread is dropped, as is whatever comes. Whoever closes it cancels the job. */
  close(): void {
    this.#closed = true
    this.#unread = []
    this.#next = 0
    this.wake()
  }

  #take(values: readonly T[]): void {
    if (this.#closed || this.isComplete) return
    for (const value of values) {
      this.#unread.push(value)
      this.#taken++
      if (!this.isComplete) continue
      this.whenComplete()
      break
    }
    this.wake()
  }

  #room(): Promise<void> | undefined {
    if (this.#unread.length - this.#next < MOST_UNREAD || this.#closed || this.isComplete) return undefined
    if (this.#waitingForRoom === undefined) {
      let settle: () => void = () => {}
      const over = new Promise<void>((settled) => {
        settle = settled
      })
      this.#waitingForRoom = { over, settle }
    }
    return this.#waitingForRoom.over
  }

  #giveRoom(): void {
    this.#waitingForRoom?.settle()
    this.#waitingForRoom = undefined
  }
}

function handedOutBefore(records: number): StreamError {
  return new StreamError('RESULTS_COME_ONCE', {
    message: `A failed task was started again after executeAndCollect had handed out ${records} records: they would come twice.`,
    hint: 'Enable checkpointing, with which a record comes out once whatever happens; or set no restart strategy.',
    details: { records },
  })
}
