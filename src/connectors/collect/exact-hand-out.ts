/**
 * The law of sinks that hand records to the program: with checkpointing a record comes out only when the checkpoint that
 * covers it is complete, so that none comes twice; without it at once. Who gets them is the owner's business.
 */
import type { CommitRequest, Committer, CommittingSinkWriter, WriterContext } from '../../operators/sink.ts'

/** The records of one subtask between two checkpoints. */
export interface CollectedBatch<out T> {
  /** One subtask in one attempt. */
  readonly writer: string
  /** Counts the batches of a writer from 0. */
  readonly sequence: number
  readonly values: readonly T[]
}

export interface HandOutHooks<T> {
  /** These come out now, in this order, and never again. */
  handOut(values: readonly T[]): void
  /** Asked behind each record. A promise: no record is written before it settles. */
  room?(): Promise<void> | undefined
  /** Nothing that waits for room is waited for any more: the attempt is over. */
  writerClosed?(): void
}

/** Restored at another parallelism, the batches of one writer are committed by several, in any order. */
interface HandedOut {
  /** All sequences below this one, */
  below: number
  /** and these. */
  readonly beyond: Set<number>
}

export class ExactHandOut<T> {
  readonly #hooks: HandOutHooks<T>
  /** By writer: a batch may be committed again. */
  readonly #handedOut = new Map<string, HandedOut>()

  constructor(hooks: HandOutHooks<T>) {
    this.#hooks = hooks
  }

  createWriter(context: WriterContext): CommittingSinkWriter<T, CollectedBatch<T>> {
    const { jobId, subtask, epoch, attempt, checkpointing } = context
    const writer = `${jobId}/${subtask}/${epoch}/${attempt}`
    const hooks = this.#hooks
    let values: T[] = []
    let sequence = 0
    return {
      write(value) {
        if (checkpointing) values.push(value)
        else hooks.handOut([value])
        return hooks.room?.()
      },
      flush() {},
      prepareCommit() {
        if (values.length === 0) return []
        const batch: CollectedBatch<T> = { writer, sequence: sequence++, values }
        values = []
        return [batch]
      },
      close: () => hooks.writerClosed?.(),
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
    const handedOut = this.#handedOut.get(writer) ?? { below: 0, beyond: new Set<number>() }
    if (sequence < handedOut.below || handedOut.beyond.has(sequence)) {
      request.alreadyCommitted()
      return
    }
    handedOut.beyond.add(sequence)
    while (handedOut.beyond.delete(handedOut.below)) handedOut.below++
    this.#handedOut.set(writer, handedOut)
    this.#hooks.handOut(values)
  }
}
