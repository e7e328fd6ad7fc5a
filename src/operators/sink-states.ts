/** What a sink keeps in the operator state: the states of its writer, and every committable that is not known to be committed. */
import { StreamError } from '../base/errors.ts'
import { defaultSerializer, type Serializer } from '../elements/serializer.ts'
import { ListStateDescriptor } from '../state/descriptors.ts'
import type { OperatorStateStore } from '../state/operator-state.ts'
import { framed, unframed } from './framed.ts'
import type { Sink, StatefulSink, TwoPhaseCommittingSink } from './sink.ts'
import type { PendingCommittable } from './transactions.ts'

export interface SinkStates {
  restoredCommittables(): readonly PendingCommittable<unknown>[]
  restoredWriterStates(): readonly unknown[]
  /** Before the synchronous part of a snapshot ends. */
  update(pending: readonly PendingCommittable<unknown>[], writerStates: readonly unknown[]): void
}

interface StoredCommittable {
  readonly checkpointId: number
  readonly startedAtMs: number
  readonly committable: Uint8Array
}

export function sinkStates(sink: Sink<never>, store: OperatorStateStore): SinkStates {
  const { committableSerializer = defaultSerializer<unknown>() } = sink as Partial<
    TwoPhaseCommittingSink<never, unknown>
  >
  const { stateSerializer, stateDistribution } = sink as Partial<StatefulSink<never, unknown>>
  const committables = store.getListState(new ListStateDescriptor<StoredCommittable>('sink-committables'))
  const descriptor = new ListStateDescriptor<unknown>('sink-writer', { serializer: stateSerializer })
  const states = stateDistribution === 'union' ? store.getUnionListState(descriptor) : store.getListState(descriptor)
  return {
    restoredCommittables: () => Array.from(committables.get(), (stored) => read(stored, committableSerializer)),
    restoredWriterStates: () => [...states.get()],
    update(pending, writerStates) {
      committables.update(pending.map((each) => written(each, committableSerializer)))
      states.update(writerStates)
    },
  }
}

function written(
  { checkpointId, startedAtMs, committable }: PendingCommittable<unknown>,
  serializer: Serializer<unknown>,
): StoredCommittable {
  try {
    return { checkpointId, startedAtMs, committable: framed(serializer, committable) }
  } catch (thrown) {
    // What the serializer of a user throws goes on as it is.
    if (!StreamError.is(thrown) || thrown.code !== 'NOT_SERIALIZABLE') throw thrown
    throw new StreamError('NOT_SERIALIZABLE', {
      message: `A committable could not be serialised: ${thrown.message}`,
      hint: thrown.hint,
      details: thrown.details,
      cause: thrown,
    })
  }
}

function read(
  { checkpointId, startedAtMs, committable }: StoredCommittable,
  serializer: Serializer<unknown>,
): PendingCommittable<unknown> {
  return { checkpointId, startedAtMs, committable: unframed(serializer, committable, 'a committable') }
}
