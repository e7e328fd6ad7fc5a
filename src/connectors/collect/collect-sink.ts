/**
 * Hands records to the program that runs the job. With checkpointing a record comes out only when the checkpoint that
 * covers it is complete, so that none comes twice; without it at once.
 */
import type {
  CommitRequest,
  Committer,
  CommittingSinkWriter,
  TwoPhaseCommittingSink,
  WriterContext,
} from '../../operators/sink.ts'

/** The records of one subtask between two checkpoints. */
export interface CollectedBatch<out T> {
  /** One subtask in one attempt. */
  readonly writer: string
  /** Counts the batches of a writer from 0. */
  readonly sequence: number
  readonly values: readonly T[]
}

export class CollectSink<T> implements TwoPhaseCommittingSink<T, CollectedBatch<T>>, AsyncIterable<T> {
  readonly #results: T[] = []
  /** By writer, the highest sequence that was handed out: a batch may be committed again. */
  readonly #handedOut = new Map<string, number>()
  #end: { readonly cause?: unknown; readonly failed: boolean } | undefined
  #waiting: (() => void)[] = []

  /** What was handed out so far. */
  results(): readonly T[] {
    return [...this.#results]
  }

  /** Everything from the first record on, as it comes, until `end`; then throws what failed the job. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (let index = 0; ; ) {
      while (index < this.#results.length) yield this.#results[index++] as T
      if (this.#end?.failed === true) throw this.#end.cause
      if (this.#end !== undefined) return
      await new Promise<void>((settle) => void this.#waiting.push(settle))
    }
  }

  /** For whoever runs the job: nothing will come any more. With an argument, iterating throws it behind the last record. */
  end(...cause: readonly [cause?: unknown]): void {
    this.#end ??= cause.length === 0 ? { failed: false } : { failed: true, cause: cause[0] }
    this.#wake()
  }

  createWriter(context: WriterContext): CommittingSinkWriter<T, CollectedBatch<T>> {
    const { jobId, subtask, epoch, attempt, checkpointing } = context
    const writer = `${jobId}/${subtask}/${epoch}/${attempt}`
    let values: T[] = []
    let sequence = 0
    return {
      write: (value) => {
        if (checkpointing) values.push(value)
        else this.#handOut([value])
      },
      flush() {},
      prepareCommit() {
        if (values.length === 0) return []
        const batch: CollectedBatch<T> = { writer, sequence: sequence++, values }
        values = []
        return [batch]
      },
      close() {},
    }
  }

  createCommitter(): Committer<CollectedBatch<T>> {
    return {
      commit: (requests) => {
        for (const request of requests) this.#commit(request)
      },
      close() {},
    }
  }

  #commit(request: CommitRequest<CollectedBatch<T>>): void {
    const { writer, sequence, values } = request.committable
    if (sequence <= (this.#handedOut.get(writer) ?? -1)) {
      request.alreadyCommitted()
      return
    }
    this.#handedOut.set(writer, sequence)
    this.#handOut(values)
  }

  #handOut(values: readonly T[]): void {
    for (const value of values) this.#results.push(value)
    this.#wake()
  }

  #wake(): void {
    for (const settle of this.#waiting.splice(0)) settle()
  }
}
