/**
 * Hosts the alignment chart of one subtask, of either consistency mode: its state becomes the permission of the record
 * loop, its orders become work of the task. It decides nothing and moves no record.
 */
import {
  type AlignmentFact,
  type AlignmentInput,
  type AlignmentOrder,
  type Barrier,
  type DueSnapshot,
  type Permission,
  permission,
  type Refusal,
} from '#machines/alignment-vocabulary'
import { atLeastOnceAlignment, pendingIds as idsFollowed } from '#machines/at-least-once-alignment'
import { barrierAlignment, pendingIds as idsAligned } from '#machines/barrier-alignment'
import type { Cause } from './causes.ts'
import { type ChartTap, hostChart } from './host-chart.ts'
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

export interface AlignmentHosting extends AlignmentInput {
  /** `job/count-0#1/alignment` */
  readonly id: string
  readonly mode: 'EXACTLY_ONCE' | 'AT_LEAST_ONCE'
  readonly deps: AlignmentDeps
  readonly tap?: ChartTap | undefined
}

type WithoutTime<Fact> = Fact extends unknown ? Omit<Fact, 'atMs'> : never
type Answer = 'operators.prepared' | 'operators.notPrepared' | 'snapshot.taken' | 'snapshot.failed'

/** What comes from the lanes and over the link; the answers to its orders are the host's own. */
export type AlignmentNews = WithoutTime<Exclude<AlignmentFact, { readonly type: Answer }>>

export interface AlignmentHost {
  readonly id: string
  /** The first permission is granted here. */
  start(): void
  /** Returns when everything that follows at once is done: the permission is then the new one. */
  send(news: AlignmentNews): void
  /** Ids that are followed and neither complete nor given up. */
  pendingIds(): readonly number[]
  snapshot(): { readonly value: unknown; readonly context: unknown }
  /** News and late answers are dropped from now on. */
  stop(): void
}

export function hostAlignment({ id, mode, deps, tap, ...input }: AlignmentHosting): AlignmentHost {
  const hosting: Hosting = {
    id,
    input,
    tap,
    permit(snapshot) {
      deps.permit(permission(snapshot))
      // Closed: late answers find nobody.
      if (snapshot.status === 'done') chart.stop()
    },
    obey: (order) => obey(order, deps, tell),
    failed: (cause) => deps.failed(cause),
  }
  const { chart, pendingIds } = mode === 'EXACTLY_ONCE' ? exactlyOnce(hosting) : atLeastOnce(hosting)
  const tell: Tell = (fact) => chart.send({ ...fact, atMs: deps.nowMs() })
  return {
    id,
    start: () => chart.start(),
    send: (news) => tell(news),
    pendingIds,
    snapshot: () => chart.snapshot(),
    stop: () => chart.stop(),
  }
}

type Tell = (fact: WithoutTime<AlignmentFact>) => void

interface Hosting {
  readonly id: string
  readonly input: AlignmentInput
  readonly tap: ChartTap | undefined
  readonly permit: (snapshot: Parameters<typeof permission>[0] & { readonly status: string }) => void
  readonly obey: (order: AlignmentOrder) => void
  readonly failed: (cause: Error) => void
}

function exactlyOnce(hosting: Hosting) {
  const chart = hostChart(barrierAlignment, hosting)
  return { chart, pendingIds: () => idsAligned(chart.snapshot().context) }
}

function atLeastOnce(hosting: Hosting) {
  const chart = hostChart(atLeastOnceAlignment, hosting)
  return { chart, pendingIds: () => idsFollowed(chart.snapshot().context) }
}

function obey(order: AlignmentOrder, deps: AlignmentDeps, tell: Tell) {
  switch (order.type) {
    case 'prepareOperators': {
      const { checkpointId } = order.barrier
      return whenDone(
        () => deps.prepareOperators(order.barrier),
        () => tell({ type: 'operators.prepared', checkpointId }),
        (thrown) => tell({ type: 'operators.notPrepared', ...refusal(checkpointId, thrown, deps) }),
      )
    }
    case 'takeSnapshot': {
      const { checkpointId } = order.barrier
      return whenDone(
        () => deps.takeSnapshot(order),
        () => tell({ type: 'snapshot.taken', checkpointId }),
        (thrown) => tell({ type: 'snapshot.failed', ...refusal(checkpointId, thrown, deps) }),
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
    default:
      return order satisfies never
  }
}

/** Flink's reason for a throw of the task's own that is no fault of the checkpoint's storage. */
const DECLINED = 'CHECKPOINT_DECLINED'

function refusal(checkpointId: number, thrown: unknown, { causeOf }: AlignmentDeps): Refusal {
  return { checkpointId, reason: DECLINED, message: textOf(thrown), cause: causeOf(thrown) }
}
