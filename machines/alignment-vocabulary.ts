/**
 * What the alignment charts of a subtask have in common, whatever their mode: facts, orders, permission, and the part
 * that is the same in all of them, from "aligned" to "snapshot taken".
 */
import type { Cause } from './cause.ts'

/** On our exchanges: what flows between subtasks, and what a direct trigger carries. */
export interface Barrier {
  readonly checkpointId: number
  /** When the coordinator triggered it, ms since the epoch. */
  readonly timestamp: number
  readonly kind: 'checkpoint' | 'savepoint' | 'synchronousSavepoint'
  /**
   * `timeoutable`: it may become unaligned on its way. `forcedAligned`: it crossed an edge on which nothing may be overtaken,
   * and behind the next subtask it is again what the job asked for.
   */
  readonly mode: 'aligned' | 'timeoutable' | 'unaligned' | 'forcedAligned'
  /** What the snapshot is to be; left out: a checkpoint as the backend is configured. */
  readonly format?: 'full' | 'canonical' | 'native' | undefined
}

/** Plain JSON. `atMs` is the wall clock when the fact became known. */
export type AlignmentFact = { readonly atMs: number } & (
  | {
      readonly type: 'barrier.arrived'
      readonly channel: number
      readonly barrier: Barrier
      /** Its place among the elements of the channel; left out where barriers are never unaligned. */
      readonly sequence?: number | undefined
    }
  /** A barrier lies in the queue of this channel, behind records that it may overtake. */
  | {
      readonly type: 'announcement.arrived'
      readonly channel: number
      readonly barrier: Barrier
      readonly sequence: number
    }
  /** The time that this checkpoint had for being aligned is over. */
  | { readonly type: 'timeout.passed'; readonly checkpointId: number }
  /** By the coordinator, not by a channel: it stands for the barriers of all open channels and holds none of them. */
  | { readonly type: 'checkpoint.triggered'; readonly barrier: Barrier }
  | { readonly type: 'cancellation.arrived'; readonly channel: number; readonly checkpointId: number }
  /** The coordinator gave the checkpoint up. May come before, while and after its barriers come. */
  | { readonly type: 'checkpoint.aborted'; readonly checkpointId: number }
  | { readonly type: 'partition.ended'; readonly channel: number }
  | { readonly type: 'operators.prepared'; readonly checkpointId: number }
  | ({ readonly type: 'operators.notPrepared' } & Refusal)
  | { readonly type: 'snapshot.taken'; readonly checkpointId: number }
  | ({ readonly type: 'snapshot.failed' } & Refusal)
  | { readonly type: 'input.closed' }
)

/** Why a subtask takes no part in a checkpoint. */
export interface Refusal {
  readonly checkpointId: number
  /** One of Flink's checkpoint failure reasons. */
  readonly reason: string
  readonly message?: string | undefined
  /** What was thrown here; left out where nothing was. */
  readonly cause?: Cause | undefined
}

export type AlignmentOrder =
  /** All barriers are here: operators hand on what must go before the barrier. Answer: operators.prepared or notPrepared. */
  | { readonly type: 'prepareOperators'; readonly barrier: Barrier }
  | { readonly type: 'forwardBarrier'; readonly barrier: Barrier }
  /** The synchronous part of the snapshot. Answer: snapshot.taken or snapshot.failed. */
  | ({ readonly type: 'takeSnapshot' } & DueSnapshot)
  /** Decline to the coordinator and tell the subtask. */
  | ({ readonly type: 'abortCheckpoint' } & Refusal)
  /** Downstream gets a cancellation marker in the place of the barrier. */
  | { readonly type: 'forwardCancellation'; readonly checkpointId: number }
  /** From now on the bytes that are processed count for this alignment, and for no other. */
  | { readonly type: 'startMeasuring'; readonly checkpointId: number }
  /** The announced barrier leaves its place in the queue and comes next. Harmless where it is not there any more. */
  | {
      readonly type: 'prioritiseBarrier'
      readonly checkpointId: number
      readonly channel: number
      readonly sequence: number
    }
  /** Answer timeout.passed, once; an earlier timeout is forgotten. */
  | { readonly type: 'armTimeout'; readonly checkpointId: number; readonly delayMs: number }
  | { readonly type: 'disarmTimeout' }
  /** Right before `takeSnapshot`: what lies in these channels from now on, as far as their barriers, belongs to the checkpoint. */
  | { readonly type: 'startCapture'; readonly checkpointId: number; readonly channels: readonly CapturedChannel[] }
  /** The barrier of a captured channel is here, or the channel has ended. */
  | ({ readonly type: 'endChannelCapture'; readonly checkpointId: number } & CapturedChannel)
  /** All barriers are here: what was captured is complete. `alignmentMs`: from the first barrier to the last. */
  | { readonly type: 'finishCapture'; readonly checkpointId: number; readonly alignmentMs: number }
  /** The checkpoint was given up: nothing of what was captured is wanted. */
  | { readonly type: 'dropCapture'; readonly checkpointId: number }
  | { readonly type: 'endMeasuring'; readonly checkpointId: number }

export interface CapturedChannel {
  readonly channel: number
  /** The sequence number of its barrier, which is not captured itself; null: it is not here yet, or none comes any more. */
  readonly upTo: number | null
}

/** A checkpoint whose snapshot is to be taken now: its barriers are all here, or it overtakes what lies before them. */
export interface DueSnapshot {
  /** As it leaves. Whether records in flight are captured with this snapshot is told by `startCapture`, not by its mode. */
  readonly barrier: Barrier
  /** From the first barrier to the last; of an unaligned one, `finishCapture` tells. */
  readonly alignmentMs: number
  /** From the trigger at the coordinator to the first barrier here; never below 0. */
  readonly startDelayMs: number
}

export interface AlignmentInput {
  /** 0 for a source: its checkpoints are triggered directly. */
  readonly channels: number
  /**
   * Whether the end of a channel counts as its barrier (true) or aborts the alignment (false). It always counts for the
   * savepoint that stops the job: others have stopped for it and cannot go on.
   */
  readonly checkpointsAfterTasksFinish: boolean
  /**
   * Of unaligned alignment: how long a checkpoint may try to be aligned, from its trigger at the coordinator, in ms. 0: it
   * starts unaligned.
   */
  readonly alignedTimeoutMs?: number | undefined
}

/** What the record loop may do. */
export interface Permission {
  /** Read nothing at all, no lane of any channel. */
  readonly standstill: boolean
  /** By channel: read no further in it, its barrier is here and others are not. */
  readonly held: readonly boolean[]
}

/** A fact that waits until the subtask goes on. */
export type Deferred = Extract<
  AlignmentFact,
  {
    type:
      | 'barrier.arrived'
      | 'announcement.arrived'
      | 'checkpoint.triggered'
      | 'cancellation.arrived'
      | 'partition.ended'
  }
>

/** The part of every alignment chart's context that the common steps read. */
export interface Alignment {
  readonly held: readonly boolean[]
  readonly ended: readonly boolean[]
  readonly due: DueSnapshot | null
  /** Ids that the coordinator aborted before they got so far here, in the order of the notifications. */
  readonly aborted: readonly number[]
  readonly deferred: readonly Deferred[]
}

export interface Step<Context> {
  readonly next: Partial<Context>
  readonly orders: readonly AlignmentOrder[]
}

export const ON_CANCELLATION_BARRIER = 'CHECKPOINT_DECLINED_ON_CANCELLATION_BARRIER'
export const INPUT_END_OF_STREAM = 'CHECKPOINT_DECLINED_INPUT_END_OF_STREAM'
export const SUBSUMED = 'CHECKPOINT_DECLINED_SUBSUMED'

/** Flink's bound on early abort notifications. */
const REMEMBERED_ABORTS = 128

export function startAlignment({ channels }: AlignmentInput): Alignment {
  const none = Array<boolean>(channels).fill(false)
  return { held: none, ended: none, due: null, aborted: [], deferred: [] }
}

/** States of the same name in every alignment chart. */
const STANDSTILL: readonly unknown[] = ['aligned', 'snapshotting', 'closed']

/** All that the record loop may know of an alignment chart. */
export function permission(chart: {
  readonly value: unknown
  readonly context: { readonly held: readonly boolean[] }
}): Permission {
  return { standstill: STANDSTILL.includes(chart.value), held: chart.context.held }
}

export function openChannels({ ended }: Alignment): readonly number[] {
  return ended.flatMap((gone, channel) => (gone ? [] : [channel]))
}

export function due(barrier: Barrier, startedAtMs: number, atMs: number): DueSnapshot {
  return {
    barrier,
    alignmentMs: atMs - startedAtMs,
    startDelayMs: Math.max(0, startedAtMs - barrier.timestamp),
  }
}

/** The subtask declines, and tells downstream that no barrier of this id will come. */
export function decline(refusal: Refusal): readonly AlignmentOrder[] {
  const { checkpointId, reason, message, cause } = refusal
  return [
    {
      type: 'abortCheckpoint',
      checkpointId,
      reason,
      ...(message === undefined ? {} : { message }),
      ...(cause === undefined ? {} : { cause }),
    },
    { type: 'forwardCancellation', checkpointId },
  ]
}

export function rememberAbort({ aborted }: Alignment, checkpointId: number): Pick<Alignment, 'aborted'> {
  if (aborted.includes(checkpointId)) return { aborted }
  return { aborted: [...aborted, checkpointId].slice(-REMEMBERED_ABORTS) }
}

/** Forgets the aborts that cannot matter any more. */
export function forgetAborts({ aborted }: Alignment, upTo: number): readonly number[] {
  return aborted.some((id) => id <= upTo) ? aborted.filter((id) => id > upTo) : aborted
}

/** What comes while the subtask stands still is dealt with when it goes on. */
export function defer({ deferred }: Alignment, fact: AlignmentFact): Step<Alignment> {
  return { next: { deferred: [...deferred, fact as Deferred] }, orders: [] }
}

export function begin({ due }: Alignment): Step<Alignment> {
  return { next: {}, orders: due === null ? [] : [{ type: 'prepareOperators', barrier: due.barrier }] }
}

/** The barrier leaves and the state is frozen, with no record between the two. */
export function take({ due }: Alignment): Step<Alignment> {
  if (due === null) return { next: {}, orders: [] }
  return {
    next: {},
    orders: [
      { type: 'forwardBarrier', barrier: due.barrier },
      { type: 'takeSnapshot', ...due },
    ],
  }
}

/** The coordinator gave up while operators prepared: the barrier has not left, so a marker takes its place. */
export function cancelDue(alignment: Alignment): Step<Alignment> {
  if (alignment.due === null) return { next: {}, orders: [] }
  const { checkpointId } = alignment.due.barrier
  return {
    next: { due: null, aborted: forgetAborts(alignment, checkpointId) },
    orders: [{ type: 'forwardCancellation', checkpointId }],
  }
}

/** The coordinator gives up a checkpoint while this subtask stands still. */
export function heedAbort(alignment: Alignment, fact: AlignmentFact): Step<Alignment> {
  return fact.type === 'checkpoint.aborted'
    ? { next: rememberAbort(alignment, fact.checkpointId), orders: [] }
    : { next: {}, orders: [] }
}

export function declineDue(_: Alignment, fact: AlignmentFact): Step<Alignment> {
  return { next: { due: null }, orders: fact.type === 'operators.notPrepared' ? decline(fact) : [] }
}

/** Ends the synchronous part. The barrier has left: a failure is declined, but downstream goes on. */
export function finish(_: Alignment, fact: AlignmentFact): Step<Alignment> {
  return {
    next: { due: null },
    orders: fact.type === 'snapshot.failed' ? decline(fact).slice(0, 1) : [],
  }
}

/** Whether the fact speaks of the checkpoint that is due; a late answer does not. */
export function speaksOfDue({ due }: Alignment, fact: AlignmentFact): boolean {
  return due !== null && 'checkpointId' in fact && fact.checkpointId === due.barrier.checkpointId
}

/** Whether the fact speaks of the checkpoint that is due, or of one that may become due. */
export function speaksOfDueOrLater({ due }: Alignment, fact: AlignmentFact): boolean {
  return due !== null && 'checkpointId' in fact && fact.checkpointId >= due.barrier.checkpointId
}

export function speaksOfLater(alignment: Alignment, fact: AlignmentFact): boolean {
  return speaksOfDueOrLater(alignment, fact) && !speaksOfDue(alignment, fact)
}

export function dueWasAborted({ due, aborted }: Alignment): boolean {
  return due !== null && aborted.includes(due.barrier.checkpointId)
}
