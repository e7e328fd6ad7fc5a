/** The work behind the orders of an alignment chart: each order becomes one call, each answer a fact. It decides nothing. */
import type {
  AlignmentFact,
  AlignmentOrder,
  Barrier,
  CapturedChannel,
  DueSnapshot,
  Permission,
  Refusal,
} from '#machines/alignment-vocabulary'
import type { Clock, Timer } from '../../base/clock.ts'
import type { Cause } from './causes.ts'
import { textOf } from './text-of.ts'
import { whenDone } from './when-done.ts'

/**
 * The work behind the orders. What throws in `prepareOperators` or `takeSnapshot`, or rejects, is declined; a task that
 * such a throw must fail fails itself there and then, and stops this host.
 */
export interface AlignmentDeps {
  /** One assignment into what the record loop reads. Called after every fact, before the orders of that fact. */
  permit(permission: Permission): void
  /** All barriers are here and both lanes stand still until this is settled. A value costs no turn. */
  prepareOperators(barrier: Barrier): void | Promise<void>
  forwardBarrier(barrier: Barrier): void
  /** Right after `forwardBarrier`. Freezes the state; writing it is somebody else's. The lanes stand still until it is settled. */
  takeSnapshot(snapshot: DueSnapshot): void | Promise<void>
  /** This subtask takes no part: tell the coordinator. Before the cancellation marker leaves. */
  declined(refusal: Refusal): void
  forwardCancellation(checkpointId: number): void
  /** What was thrown in `prepareOperators` or `takeSnapshot`, as plain data. */
  causeOf(thrown: unknown): Cause | undefined
  /** The bytes processed from now to `endMeasuring` belong to this alignment. At most one is measured. */
  startMeasuring(checkpointId: number): void
  endMeasuring(checkpointId: number): void
  /** Wall clock, ms since the epoch. */
  nowMs(): number
  /** The chart or this host is broken. */
  failed(cause: Error): void
}

/** What a subtask does besides, where barriers may overtake. */
export interface UnalignedDeps {
  /** Its timers may be late, and may fire although they were cancelled. */
  readonly clock: Pick<Clock, 'setTimer'>
  /** The barrier at this place comes next. Harmless where it is not there any more. */
  prioritiseBarrier(channel: number, sequence: number): void
  /** Right before `takeSnapshot`: what lies in these channels from now on, as far as their barriers, belongs to the checkpoint. */
  startCapture(checkpointId: number, channels: readonly CapturedChannel[]): void
  /** `upTo`: the place of the barrier; null: no barrier comes any more. */
  endChannelCapture(checkpointId: number, channel: number, upTo: number | null): void
  /** What was captured is complete. Never before `takeSnapshot` is settled. */
  finishCapture(checkpointId: number, alignmentMs: number): void
  /** Instead of `finishCapture`. Before what else follows from it, where that is anything. */
  dropCapture(checkpointId: number): void
}

type WithoutTime<Fact> = Fact extends unknown ? Omit<Fact, 'atMs'> : never
/** A fact of which the host knows the time. */
export type UntimedFact = WithoutTime<AlignmentFact>

export class AlignmentWork {
  readonly #deps: AlignmentDeps
  readonly #unaligned: UnalignedDeps | undefined
  readonly #tell: (fact: UntimedFact) => void
  #timer: Timer | undefined

  constructor(deps: AlignmentDeps, unaligned: UnalignedDeps | undefined, tell: (fact: UntimedFact) => void) {
    this.#deps = deps
    this.#unaligned = unaligned
    this.#tell = tell
  }

  obey(order: AlignmentOrder): void {
    const deps = this.#deps
    const unaligned = this.#unaligned
    switch (order.type) {
      case 'prepareOperators': {
        const { checkpointId } = order.barrier
        return whenDone(
          () => deps.prepareOperators(order.barrier),
          () => this.#tell({ type: 'operators.prepared', checkpointId }),
          (thrown) => this.#tell({ type: 'operators.notPrepared', ...refusal(checkpointId, thrown, deps) }),
        )
      }
      case 'takeSnapshot': {
        const { checkpointId } = order.barrier
        return whenDone(
          () => deps.takeSnapshot(order),
          () => this.#tell({ type: 'snapshot.taken', checkpointId }),
          (thrown) => this.#tell({ type: 'snapshot.failed', ...refusal(checkpointId, thrown, deps) }),
        )
      }
      case 'forwardBarrier':
        return deps.forwardBarrier(order.barrier)
      case 'abortCheckpoint': {
        const { type: _, ...refused } = order
        return deps.declined(refused)
      }
      case 'forwardCancellation':
        return deps.forwardCancellation(order.checkpointId)
      case 'startMeasuring':
        return deps.startMeasuring(order.checkpointId)
      case 'endMeasuring':
        return deps.endMeasuring(order.checkpointId)
      case 'prioritiseBarrier':
        return unaligned?.prioritiseBarrier(order.channel, order.sequence)
      case 'armTimeout':
        return this.#arm(order.checkpointId, order.delayMs)
      case 'disarmTimeout':
        return this.disarm()
      case 'startCapture':
        return unaligned?.startCapture(order.checkpointId, order.channels)
      case 'endChannelCapture':
        return unaligned?.endChannelCapture(order.checkpointId, order.channel, order.upTo)
      case 'finishCapture':
        return unaligned?.finishCapture(order.checkpointId, order.alignmentMs)
      case 'dropCapture':
        return unaligned?.dropCapture(order.checkpointId)
      default:
        return order satisfies never
    }
  }

  /** Harmless when none is armed. */
  disarm(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #arm(checkpointId: number, delayMs: number): void {
    this.disarm()
    this.#timer = this.#unaligned?.clock.setTimer(delayMs, () => this.#tell({ type: 'timeout.passed', checkpointId }))
  }
}

/** Flink's reason for a throw of the task's own that is no fault of the checkpoint's storage. */
const DECLINED = 'CHECKPOINT_DECLINED'

function refusal(checkpointId: number, thrown: unknown, { causeOf }: AlignmentDeps): Refusal {
  return { checkpointId, reason: DECLINED, message: textOf(thrown), cause: causeOf(thrown) }
}
