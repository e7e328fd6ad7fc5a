/**
 * The books of the aligned exactly-once alignment: which id is followed, which channels have reached it, what follows
 * from a barrier, a cancellation, an abort or an end. Pure functions.
 */
import {
  type Alignment,
  type AlignmentFact,
  type AlignmentInput,
  type AlignmentOrder,
  type Barrier,
  decline,
  due,
  forgetAborts,
  INPUT_END_OF_STREAM,
  ON_CANCELLATION_BARRIER,
  openChannels,
  rememberAbort,
  type Step,
  SUBSUMED,
  startAlignment,
} from './alignment-vocabulary.ts'

export interface BarrierAlignment extends Alignment {
  readonly checkpointsAfterTasksFinish: boolean
  /** The highest id that was followed or given up here; -1 before the first. Nothing below it starts any more. */
  readonly current: number
  /** The alignment of `current`; null when it is complete or was given up. */
  readonly pending: Pending | null
}

interface Pending {
  readonly barrier: Barrier
  /** How many channels were open when it began. Ends do not lower it: they count as barriers. */
  readonly target: number
  /** Channels whose barrier is here, or which ended meanwhile. */
  readonly aligned: readonly number[]
  readonly startedAtMs: number
}

/** Which channels a fact brings to the barrier, and whether they are read no further until the others follow. */
interface Arrival {
  readonly channels: readonly number[]
  readonly hold: boolean
  readonly atMs: number
}

type Books = BarrierAlignment
type FactOf<Type extends AlignmentFact['type']> = Extract<AlignmentFact, { type: Type }>
const NOTHING: Step<Books> = { next: {}, orders: [] }

export function startBooks(input: AlignmentInput): Books {
  return {
    ...startAlignment(input),
    checkpointsAfterTasksFinish: input.checkpointsAfterTasksFinish,
    current: -1,
    pending: null,
  }
}

/** What a fact means to a subtask that does not stand still. */
export function hear(books: Books, fact: AlignmentFact): Step<Books> {
  switch (fact.type) {
    case 'barrier.arrived':
      return meetBarrier(books, fact.barrier, { channels: [fact.channel], hold: true, atMs: fact.atMs })
    case 'checkpoint.triggered':
      return meetBarrier(books, fact.barrier, { channels: openChannels(books), hold: false, atMs: fact.atMs })
    case 'cancellation.arrived':
      return meetCancellation(books, fact)
    case 'checkpoint.aborted':
      return meetAbort(books, fact)
    case 'partition.ended':
      return meetEnd(books, fact)
    default:
      return NOTHING
  }
}

/** Takes up the first of the facts that came while the subtask stood still. */
export function hearDeferred(books: Books): Step<Books> {
  const [first, ...deferred] = books.deferred
  if (first === undefined) return NOTHING
  const step = hear(books, first)
  return { next: { ...step.next, deferred }, orders: step.orders }
}

/** Ids that are followed and neither complete nor given up. */
export function pendingIds(books: Books): readonly number[] {
  return books.pending === null ? [] : [books.current]
}

function meetBarrier(books: Books, barrier: Barrier, arrival: Arrival): Step<Books> {
  const { checkpointId } = barrier
  if (checkpointId < books.current) return NOTHING
  if (checkpointId === books.current) return books.pending === null ? NOTHING : align(books, books.pending, arrival)

  const subsumed = giveUp(books, SUBSUMED)
  if (books.aborted.includes(checkpointId))
    return { next: over(books, checkpointId), orders: [...subsumed, { type: 'forwardCancellation', checkpointId }] }

  const fresh = { ...books, ...over(books, checkpointId) }
  const pending = { barrier, target: openChannels(books).length, aligned: [], startedAtMs: arrival.atMs }
  const step = align(fresh, pending, arrival)
  return {
    next: { ...over(books, checkpointId), ...step.next },
    orders: [...subsumed, { type: 'startMeasuring', checkpointId }, ...step.orders],
  }
}

/** Channels reach the pending checkpoint. The last one makes its snapshot due and frees all. */
function align(books: Books, pending: Pending, { channels, hold, atMs }: Arrival): Step<Books> {
  const aligned = [...pending.aligned, ...channels.filter((channel) => !pending.aligned.includes(channel))]
  if (aligned.length < pending.target) {
    const held = hold ? books.held.map((already, channel) => already || channels.includes(channel)) : books.held
    return { next: { pending: { ...pending, aligned }, held }, orders: [] }
  }
  return {
    next: { pending: null, held: noneHeld(books), due: due(pending.barrier, pending.startedAtMs, atMs) },
    orders: [{ type: 'endMeasuring', checkpointId: books.current }],
  }
}

function meetCancellation(books: Books, { checkpointId }: FactOf<'cancellation.arrived'>): Step<Books> {
  if (checkpointId < books.current) return NOTHING
  if (checkpointId === books.current && books.pending === null) return NOTHING
  return {
    next: over(books, checkpointId),
    // One notification, of the cancelled id: an older alignment is dropped without a word.
    orders: [...stopMeasuring(books), ...decline({ checkpointId, reason: ON_CANCELLATION_BARRIER })],
  }
}

function meetAbort(books: Books, { checkpointId }: FactOf<'checkpoint.aborted'>): Step<Books> {
  if (checkpointId > books.current) return { next: rememberAbort(books, checkpointId), orders: [] }
  if (checkpointId < books.current || books.pending === null) return NOTHING
  return {
    next: over(books, checkpointId),
    orders: [...stopMeasuring(books), { type: 'forwardCancellation', checkpointId }],
  }
}

function meetEnd(books: Books, { channel, atMs }: FactOf<'partition.ended'>): Step<Books> {
  if (books.ended[channel]) return NOTHING
  const ended = books.ended.with(channel, true)
  if (books.pending === null) return { next: { ended }, orders: [] }
  if (!books.checkpointsAfterTasksFinish && books.pending.barrier.kind !== 'synchronousSavepoint')
    return { next: { ...over(books, books.current), ended }, orders: giveUp(books, INPUT_END_OF_STREAM) }
  const step = align(books, books.pending, { channels: [channel], hold: false, atMs })
  return { next: { ...step.next, ended }, orders: step.orders }
}

/** Nothing of `checkpointId` or below is followed any more, and every channel is free. */
function over(books: Books, checkpointId: number): Pick<Books, 'current' | 'pending' | 'held' | 'aborted'> {
  return {
    current: checkpointId,
    pending: null,
    held: noneHeld(books),
    aborted: forgetAborts(books, checkpointId),
  }
}

function giveUp(books: Books, reason: string): readonly AlignmentOrder[] {
  if (books.pending === null) return []
  return [...stopMeasuring(books), ...decline({ checkpointId: books.current, reason })]
}

function stopMeasuring(books: Books): readonly AlignmentOrder[] {
  return books.pending === null ? [] : [{ type: 'endMeasuring', checkpointId: books.current }]
}

function noneHeld(books: Books): readonly boolean[] {
  return books.held.map(() => false)
}
