/** The results of a job as the program reads them: once, in order, each when nothing can take it back any more. */

import { StreamError } from '../base/errors.ts'
import type { ResultQueue } from '../connectors/collect/result-queue.ts'
import type { ExecuteOptions } from './execute-options.ts'
import type { JobClient } from './job-client.ts'

/** How the collecting execution starts, and when it is enough. */
export interface CollectOptions extends ExecuteOptions {
  /** The job is cancelled when so many records have come out, 1 or more. Left out: it runs to its end. */
  readonly limit?: number | undefined
}

/**
 * A job and its records. Read them with one `for await`, or with `toArray`. Leaving the loop early, or the scope of
 * `await using`, cancels the job and waits for its end.
 */
export class CollectedResults<out T> implements AsyncIterable<T>, AsyncDisposable {
  readonly client: JobClient
  readonly #queue: Pick<ResultQueue<T>, 'isEmpty' | 'isClosed' | 'isComplete' | 'read' | 'changed' | 'close'>
  #ended: { readonly failure?: unknown } | undefined
  #isRead = false

  /** Made by `executeAndCollect`. */
  constructor(client: JobClient, queue: ResultQueue<T>) {
    this.client = client
    this.#queue = queue
    const cancel = () => void client.cancel().catch(() => {})
    if (queue.isComplete) cancel()
    else queue.whenComplete = cancel
    const ended = (end: { readonly failure?: unknown }) => {
      this.#ended = end
      queue.wake()
    }
    client.getJobExecutionResult().then(
      () => ended({}),
      (failure: unknown) => ended({ failure }),
    )
  }

  /**
   * Every record, as it comes. Behind the last one it throws what `getJobExecutionResult` rejects with: what failed the
   * job, or that somebody else cancelled or suspended it. A second iteration is refused with RESULTS_COME_ONCE.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    this.#readOnce()
    const results = this.#results()
    return {
      next: () => results.next(),
      // First of all the job is told: a `next` that waits is over then, and the generator takes the return.
      return: async () => {
        await this.#leave()
        await results.return()
        return { done: true, value: undefined }
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  /** Waits for the end of the job. Rejects as the loop throws; the records are lost then. */
  async toArray(): Promise<T[]> {
    const all: T[] = []
    for await (const value of this) all.push(value)
    return all
  }

  /** Cancels the job if it runs, and waits for its end; what is unread is dropped. Never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leave()
  }

  async *#results(): AsyncGenerator<T, void, undefined> {
    const queue = this.#queue
    for (;;) {
      while (!queue.isEmpty) yield queue.read()
      if (queue.isClosed) return
      if (this.#ended !== undefined) {
        if ('failure' in this.#ended && !queue.isComplete) throw this.#ended.failure
        return
      }
      await queue.changed()
    }
  }

  #readOnce(): void {
    if (this.#isRead)
      throw new StreamError('RESULTS_COME_ONCE', {
        message: `The results of job ${this.client.jobId} are read already, by a loop or by toArray().`,
        hint: 'Keep what you read, or execute the program again.',
        details: { jobId: this.client.jobId },
      })
    this.#isRead = true
  }

  async #leave(): Promise<void> {
    this.#queue.close()
    // It resolves at the end of the job. How that came is no matter of a reader who has left.
    await this.client.cancel().catch(() => {})
  }
}
