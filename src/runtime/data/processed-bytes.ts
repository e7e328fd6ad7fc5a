/**
 * How many bytes of records a subtask processes between the first barrier of a checkpoint and the last. Records in a thread
 * are objects and have no size: their number is exact, their mean size that of a few. It looks at the start and at the
 * end; the way of a record knows nothing of it.
 */
import type { Serializer } from '../../elements/serializer.ts'
import { MOST_SAMPLES, meanRecordSize } from './mean-record-size.ts'

/** What is read of a channel. */
interface MeasuredChannel {
  readonly head: number
  readonly tail: number
  readonly nextControl: number
  readonly mask: number
  readonly values: readonly unknown[]
  /** Control elements that were taken out of the queue so far: sequence numbers that were no records. */
  readonly controlsRead: number
}

/** A channel at the start. */
interface Mark {
  readonly read: number
  /** The first records in its queue: they are processed next. */
  readonly queued: readonly unknown[]
}

export class ProcessedBytes {
  readonly #channels: readonly MeasuredChannel[]
  readonly #serializers: readonly Serializer<unknown>[]
  #measured: { readonly checkpointId: number; readonly marks: readonly Mark[] } | undefined
  /** Of the last measurement that had a record to look at. */
  #meanBytes = 0

  /** `serializers`: of the edges, by channel. */
  constructor(channels: readonly MeasuredChannel[], serializers: readonly Serializer<unknown>[]) {
    this.#channels = channels
    this.#serializers = serializers
  }

  /** Ends the measurement that is on. */
  start(checkpointId: number): void {
    const marks = this.#channels.map((channel) => ({ read: recordsRead(channel), queued: firstQueued(channel) }))
    this.#measured = { checkpointId, marks }
  }

  /** An estimate; 0 where nothing was processed, or another checkpoint is measured. */
  end(checkpointId: number): number {
    if (this.#measured?.checkpointId !== checkpointId) return 0
    const { marks } = this.#measured
    this.#measured = undefined
    const counts = this.#channels.map((channel, index) => recordsRead(channel) - (marks[index] as Mark).read)
    const records = counts.reduce((sum, count) => sum + count, 0)
    const samples = this.#samples(marks, counts)
    this.#meanBytes =
      meanRecordSize(samples, (index) => this.#serializers[index] as Serializer<unknown>) ?? this.#meanBytes
    return Math.round(records * this.#meanBytes)
  }

  /** By channel: some of the records that it brought, else some that it brings next. */
  #samples(marks: readonly Mark[], counts: readonly number[]): readonly (readonly unknown[])[] {
    return this.#channels.map((channel, index) => {
      const count = counts[index] as number
      if (count === 0) return []
      const { queued } = marks[index] as Mark
      return queued.length > 0 ? queued.slice(0, count) : firstQueued(channel)
    })
  }
}

function recordsRead({ head, controlsRead }: MeasuredChannel): number {
  return head - controlsRead
}

/** As far as the first control element. */
function firstQueued({ head, tail, nextControl, mask, values }: MeasuredChannel): readonly unknown[] {
  const count = Math.max(0, Math.min(tail - head, nextControl - head, MOST_SAMPLES))
  return Array.from({ length: count }, (_, place) => values[(head + place) & mask])
}
