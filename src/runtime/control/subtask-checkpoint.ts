/**
 * Hosts the chart of one checkpoint of one subtask: its orders become writing, acknowledging and cleaning up. It holds
 * the signal that stops the writer, and nothing else.
 */
import {
  type CheckpointAddress,
  type SnapshotDurations,
  type SubtaskCheckpointFact,
  type SubtaskCheckpointOrder,
  subtaskCheckpoint,
} from '#machines/subtask-checkpoint'
import { StreamError } from '../../base/errors.ts'
import type { Cause } from './causes.ts'
import { type ChartTap, hostChart } from './host-chart.ts'
import { whenDone } from './when-done.ts'

/** The work behind the orders. Locations and handles are plain JSON: they cross the link. */
export interface SubtaskCheckpointDeps<Location, Handles> {
  /**
   * Called once the state is frozen and the location is known. Writes the frozen state and releases it, whatever
   * happens; resolves when the handles are durable, rejects with nothing left behind. After `signal` it should end soon,
   * either way: handles that come after an abort are discarded.
   */
  write(location: Location, signal: AbortSignal): Handles | Promise<Handles>
  /** The frozen state will not be written. Not called when `write` was. */
  release(): void
  acknowledge(acknowledgement: CheckpointAddress & SnapshotDurations & { readonly handles: Handles }): void
  decline(
    refusal: CheckpointAddress & { readonly reason: string; readonly message: string; readonly cause: Cause },
  ): void
  /** Deletes what was written too late. Best effort: its failure is the callee's to log. */
  discard(handles: Handles): void
  /** The last call: nothing more comes of this checkpoint. */
  forget(address: CheckpointAddress): void
  /** What was thrown while the state was frozen or written, as plain data. */
  causeOf(thrown: unknown): Cause
  /** Wall clock, ms since the epoch. */
  nowMs(): number
  /** The chart or this host is broken. */
  failed(cause: Error): void
}

export interface SubtaskCheckpointHosting<Location, Handles> extends CheckpointAddress {
  /** `job/count-0#1/checkpoint-7` */
  readonly id: string
  /** Undefined when it comes later by `locationAssigned`. */
  readonly location?: Location | undefined
  readonly deps: SubtaskCheckpointDeps<Location, Handles>
  readonly tap?: ChartTap | undefined
}

export interface SubtaskCheckpointHost<Location> {
  readonly id: string
  start(): void
  locationAssigned(location: Location): void
  /** The synchronous part is over. Writing begins within this call when the location is known. */
  frozen(): void
  /** The synchronous part threw, and what it had frozen is released. */
  notFrozen(thrown: unknown): void
  /** By the coordinator, or because the subtask ends. The host cleans up and forgets itself when the writer has ended. */
  aborted(): void
  snapshot(): { readonly value: unknown }
}

export function hostSubtaskCheckpoint<Location, Handles>({
  id,
  attempt,
  checkpointId,
  location,
  deps,
  tap,
}: SubtaskCheckpointHosting<Location, Handles>): SubtaskCheckpointHost<Location> {
  const writing = new AbortController()
  const chart = hostChart(subtaskCheckpoint, {
    id,
    input: { attempt, checkpointId, location: location ?? null, startedAtMs: deps.nowMs() },
    obey,
    failed: (cause) => deps.failed(cause),
    tap,
  })
  const tell = (fact: WithoutTime<SubtaskCheckpointFact>) => chart.send({ ...fact, atMs: deps.nowMs() })

  const failure = (reason: string, thrown: unknown) => {
    const cause = deps.causeOf(thrown)
    return { reason, message: cause.message, cause }
  }

  function obey(order: SubtaskCheckpointOrder) {
    const address = { attempt: order.attempt, checkpointId: order.checkpointId }
    switch (order.type) {
      case 'startWriting':
        return whenDone(
          () => deps.write(order.location as Location, writing.signal),
          (handles) => tell({ type: 'state.written', handles }),
          (thrown) => tell({ type: 'state.notWritten', ...failure(reasonOf(thrown) ?? ASYNC_EXCEPTION, thrown) }),
        )
      case 'acknowledge': {
        const { syncMs, asyncMs } = order
        return deps.acknowledge({ ...address, syncMs, asyncMs, handles: order.handles as Handles })
      }
      case 'decline':
        return deps.decline({ ...address, reason: order.reason, message: order.message, cause: order.cause })
      case 'cancelWriting':
        return writing.abort()
      case 'releaseSnapshot':
        return deps.release()
      case 'discardState':
        return deps.discard(order.handles as Handles)
      case 'forgetCheckpoint':
        chart.stop()
        return deps.forget(address)
      default:
        return order satisfies never
    }
  }

  return {
    id,
    start: () => chart.start(),
    locationAssigned: (known) => tell({ type: 'location.assigned', location: known }),
    frozen: () => tell({ type: 'snapshot.frozen' }),
    notFrozen: (thrown) => tell({ type: 'snapshot.notFrozen', ...failure(DECLINED, thrown) }),
    aborted: () => tell({ type: 'checkpoint.aborted' }),
    snapshot: () => chart.snapshot(),
  }
}

/** Of what is no fault of whoever writes: it names Flink's reason itself. */
function reasonOf(thrown: unknown): string | undefined {
  if (!StreamError.is(thrown)) return undefined
  if (thrown.code !== 'CHECKPOINT_DISCARDED' && thrown.code !== 'IN_FLIGHT_TOO_LARGE') return undefined
  return typeof thrown.details.reason === 'string' ? thrown.details.reason : undefined
}

const ASYNC_EXCEPTION = 'CHECKPOINT_ASYNC_EXCEPTION'
const DECLINED = 'CHECKPOINT_DECLINED'

type WithoutTime<Fact> = Fact extends unknown ? Omit<Fact, 'atMs'> : never
