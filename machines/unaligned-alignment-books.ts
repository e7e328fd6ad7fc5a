/**
 * The books of the alignment that may become unaligned: which id is followed, which channels have reached it, which
 * barriers are announced. And how they change by a new id, an arrival or an end. Pure functions.
 */
import {
  type Alignment,
  type AlignmentFact,
  type AlignmentInput,
  type AlignmentOrder,
  type Barrier,
  type CapturedChannel,
  decline,
  forgetAborts,
  openChannels,
  type Step,
  SUBSUMED,
  startAlignment,
} from './alignment-vocabulary.ts'

export interface UnalignedAlignment extends Alignment {
  readonly checkpointsAfterTasksFinish: boolean
  readonly alignedTimeoutMs: number
  /** The highest id that was followed or given up here; -1 before the first. Nothing below it starts any more. */
  readonly current: number
  /** The alignment of `current`; null when it is complete or was given up. */
  readonly pending: Pending | null
}

export interface Pending {
  /** `timeoutable` as long as its timeout is armed, `unaligned` once it overtakes. */
  readonly barrier: Barrier
  /** How many channels were open when it began. Ends do not lower it: they count as barriers. */
  readonly target: number
  /** Channels whose barrier is here, or which ended meanwhile. */
  readonly aligned: readonly number[]
  /** When the first barrier came; null: it is only announced. */
  readonly startedAtMs: number | null
  /** Barriers that lie in queues. */
  readonly announced: readonly Announced[]
  /** The channels whose records in flight belong to the snapshot; none as long as nothing is overtaken. */
  readonly captured: readonly CapturedChannel[]
}

export interface Announced {
  readonly channel: number
  readonly sequence: number
}

type Books = UnalignedAlignment
export type FactOf<Type extends AlignmentFact['type']> = Extract<AlignmentFact, { type: Type }>
export type BarrierFact = FactOf<'announcement.arrived' | 'barrier.arrived' | 'checkpoint.triggered'>
export type ArrivalFact = FactOf<'barrier.arrived' | 'checkpoint.triggered' | 'partition.ended'>

export function startBooks(input: AlignmentInput): Books {
  return {
    ...startAlignment(input),
    checkpointsAfterTasksFinish: input.checkpointsAfterTasksFinish,
    alignedTimeoutMs: input.alignedTimeoutMs ?? 0,
    current: -1,
    pending: null,
  }
}

/** Ids that are followed and neither complete nor given up. */
export function pendingIds(books: Books): readonly number[] {
  return books.pending === null ? [] : [books.current]
}

/** From now on this barrier is followed, if it is a newer one; what was followed until now is given up. */
export function follow(books: Books, { barrier }: BarrierFact): Step<Books> {
  const { checkpointId } = barrier
  const { pending, current } = books
  // The first barrier here had crossed an edge on which nothing is overtaken; this one brings the timeout.
  if (checkpointId === current && pending?.barrier.mode === 'forcedAligned' && barrier.mode === 'timeoutable')
    return { next: { pending: { ...pending, barrier } }, orders: [] }
  if (checkpointId <= current) return { next: {}, orders: [] }

  const subsumed = giveUp(books, SUBSUMED)
  if (books.aborted.includes(checkpointId))
    return { next: over(books, checkpointId), orders: [...subsumed, { type: 'forwardCancellation', checkpointId }] }
  const target = openChannels(books).length
  const fresh: Pending = { barrier, target, aligned: [], startedAtMs: null, announced: [], captured: [] }
  return { next: { ...over(books, checkpointId), pending: fresh }, orders: subsumed }
}

/** Which channels reach the pending checkpoint by this fact, and that is all: nothing follows from it yet. */
export function arrive(books: Books, pending: Pending, fact: ArrivalFact) {
  const channels = arriving(books, pending, fact)
  const holds = fact.type === 'barrier.arrived' && fact.barrier.mode !== 'unaligned'
  const isEnd = fact.type === 'partition.ended'
  return {
    pending: {
      ...pending,
      aligned: [...pending.aligned, ...channels],
      announced: pending.announced.filter(({ channel }) => !channels.includes(channel)),
      startedAtMs: pending.startedAtMs ?? (isEnd ? null : fact.atMs),
    },
    held: holds ? books.held.with(fact.channel, true) : books.held,
    ended: isEnd ? books.ended.with(fact.channel, true) : books.ended,
  }
}

/** The channels that a fact brings to the barrier. A direct trigger stands for the barriers of all that are open. */
export function arriving(books: Books, { aligned }: Pending, fact: ArrivalFact): readonly number[] {
  const channels = fact.type === 'checkpoint.triggered' ? openChannels(books) : [fact.channel]
  return channels.filter((channel) => !aligned.includes(channel) && !books.ended[channel])
}

/** Nothing of `checkpointId` or below is followed any more, and every channel is free. */
export function over(books: Books, checkpointId: number): Pick<Books, 'current' | 'pending' | 'held' | 'aborted'> {
  return {
    current: checkpointId,
    pending: null,
    held: books.held.map(() => false),
    aborted: forgetAborts(books, checkpointId),
  }
}

export function giveUp({ pending, current }: Books, reason: string): readonly AlignmentOrder[] {
  return pending === null ? [] : decline({ checkpointId: current, reason })
}

export function isComplete({ aligned, target }: Pending): boolean {
  return aligned.length >= target
}

export function isPending({ pending, current }: Books, fact: AlignmentFact): boolean {
  return pending !== null && idOf(fact) === current
}

export function isNewer({ current }: Books, fact: AlignmentFact): boolean {
  return idOf(fact) > current
}

/** Whether the end of this channel gives up what is followed, instead of standing for its barrier. */
export function endGivesUp({ checkpointsAfterTasksFinish, pending, ended }: Books, fact: AlignmentFact): boolean {
  if (fact.type !== 'partition.ended' || pending === null || ended[fact.channel]) return false
  return !checkpointsAfterTasksFinish && pending.barrier.kind !== 'synchronousSavepoint'
}

/** Whether the time for being aligned is over although no timer has said so. */
export function isLate({ pending, alignedTimeoutMs }: Books, atMs: number): boolean {
  return pending?.barrier.mode === 'timeoutable' && alignedTimeoutMs < atMs - pending.barrier.timestamp
}

/** What follows from a change of the books alone: the measurement and the timer belong to what is followed now. */
export function keepUp(before: Books, after: Books, atMs: number): readonly AlignmentOrder[] {
  const same = before.current === after.current
  const orders: AlignmentOrder[] = []
  if (isMeasured(before) && !(same && isMeasured(after)))
    orders.push({ type: 'endMeasuring', checkpointId: before.current })
  if (isMeasured(after) && !(same && isMeasured(before)))
    orders.push({ type: 'startMeasuring', checkpointId: after.current })
  if (after.pending !== null && isTimed(after)) {
    const ageMs = atMs - after.pending.barrier.timestamp
    const delayMs = Math.max(0, after.alignedTimeoutMs - ageMs)
    if (!same || !isTimed(before)) orders.push({ type: 'armTimeout', checkpointId: after.current, delayMs })
  } else if (isTimed(before)) orders.push({ type: 'disarmTimeout' })
  return orders
}

/** From the first barrier to the last. */
function isMeasured({ pending }: Books): boolean {
  return pending !== null && pending.startedAtMs !== null && !isComplete(pending)
}

function isTimed({ pending }: Books): boolean {
  return pending?.barrier.mode === 'timeoutable'
}

function idOf(fact: AlignmentFact): number {
  if ('barrier' in fact) return fact.barrier.checkpointId
  return 'checkpointId' in fact ? fact.checkpointId : -1
}
