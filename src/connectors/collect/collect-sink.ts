/**
 * Hands records to the program that runs the job, and keeps them all. With checkpointing a record comes out only when the
 * checkpoint that covers it is complete, so that none comes twice; without it at once.
 */
import type { Committer, CommittingSinkWriter, TwoPhaseCommittingSink, WriterContext } from '../../operators/sink.ts'
import { type CollectedBatch, ExactHandOut } from './exact-hand-out.ts'

/**
 * Hands records to the program that runs the job: with checkpointing each once, when the checkpoint that covers it is
 * complete.
 */
export class CollectSink<T> implements TwoPhaseCommittingSink<T, CollectedBatch<T>>, AsyncIterable<T> {
  readonly #results: T[] = []
  readonly #handOut = new ExactHandOut<T>({ handOut: (values) => this.#take(values) })
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
    return this.#handOut.createWriter(context)
  }

  createCommitter(): Committer<CollectedBatch<T>> {
    return this.#handOut.createCommitter()
  }

  #take(values: readonly T[]): void {
    for (const value of values) this.#results.push(value)
    this.#wake()
  }

  #wake(): void {
    for (const settle of this.#waiting.splice(0)) settle()
  }
}
