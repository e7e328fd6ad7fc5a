/**
 * What the facts of an alignment that may become unaligned come to: before anything is overtaken, while it is, while
 * records in flight are captured, and when the subtask has stood still. Pure functions.
 */
import {
  type AlignmentFact,
  type AlignmentOrder,
  type Barrier,
  decline,
  due,
  INPUT_END_OF_STREAM,
  ON_CANCELLATION_BARRIER,
  openChannels,
  rememberAbort,
  type Step,
} from './alignment-vocabulary.ts'
import {
  type Announced,
  type ArrivalFact,
  arrive,
  arriving,
  endGivesUp,
  type FactOf,
  follow,
  giveUp,
  isComplete,
  isLate,
  isPending,
  over,
  type Pending,
  type UnalignedAlignment,
} from './unaligned-alignment-books.ts'

type Books = UnalignedAlignment
const NOTHING: Step<Books> = { next: {}, orders: [] }

/** As long as nothing is overtaken. Also what ends a checkpoint that overtakes, or begins the next one, is heard so. */
export function hear(books: Books, fact: AlignmentFact): Step<Books> {
  switch (fact.type) {
    case 'announcement.arrived':
      return after(follow(books, fact), books, (now) => (isPending(now, fact) ? note(now, fact) : NOTHING))
    case 'barrier.arrived':
    case 'checkpoint.triggered':
      return after(follow(books, fact), books, (now) => (isPending(now, fact) ? reach(now, fact) : NOTHING))
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

/** The timeout found nothing but announcements: the first barrier will overtake, and those that are announced come next. */
export function hurry({ pending }: Books): Step<Books> {
  if (pending === null) return NOTHING
  const barrier: Barrier = { ...pending.barrier, mode: 'unaligned' }
  return {
    next: { pending: { ...pending, barrier, announced: [] } },
    orders: pending.announced.map((announced) => prioritise(barrier, announced)),
  }
}

/** The snapshot is due now. What stands before the barriers that are not here is captured with it. */
export function overtake(books: Books, { atMs }: Pick<AlignmentFact, 'atMs'>): Step<Books> {
  return after(hurry(books), books, (now) => {
    if (now.pending === null) return NOTHING
    const missing = openChannels(now).filter((channel) => !now.pending?.aligned.includes(channel))
    const captured = missing.map((channel) => ({ channel, upTo: null }))
    const pending = { ...now.pending, captured: [...now.pending.captured, ...captured] }
    return { next: { pending, due: dueSnapshot(now, pending, atMs) }, orders: [] }
  })
}

/** Of the checkpoint that overtakes, before its first barrier. The end of a channel is no barrier yet. */
export function hearOvertaking(books: Books, fact: AlignmentFact): Step<Books> {
  if (books.pending === null) return NOTHING
  if (fact.type === 'announcement.arrived') return { next: {}, orders: [prioritise(fact.barrier, fact)] }
  if (!isArrival(fact)) return NOTHING
  const arrived = arrive(books, books.pending, fact)
  if (fact.type === 'partition.ended' && !isComplete(arrived.pending)) return { next: arrived, orders: [] }
  return overtakeAt(books, fact, arrived)
}

/** Of the checkpoint whose snapshot is taken, while its channels are captured. */
export function hearCapturing(books: Books, fact: AlignmentFact): Step<Books> {
  const { pending, current: checkpointId } = books
  if (pending === null) return NOTHING
  if (fact.type === 'announcement.arrived')
    return pending.aligned.includes(fact.channel) ? NOTHING : { next: {}, orders: [prioritise(fact.barrier, fact)] }
  if (!isArrival(fact)) return NOTHING
  const upTo = fact.type === 'barrier.arrived' ? (fact.sequence ?? null) : null
  const next = arrive(books, pending, fact)
  const ends = arriving(books, pending, fact).map(
    (channel): AlignmentOrder => ({ type: 'endChannelCapture', checkpointId, channel, upTo }),
  )
  if (!isComplete(next.pending)) return { next, orders: ends }
  return {
    next: { ...next, ...over(books, checkpointId) },
    orders: [...ends, finishCapture(books, fact.atMs - (next.pending.startedAtMs ?? fact.atMs))],
  }
}

/** What was captured is not wanted any more; what follows from the fact comes after this. */
export function drop({ current: checkpointId }: Books): Step<Books> {
  return { next: {}, orders: [{ type: 'dropCapture', checkpointId }] }
}

/** The barrier leaves, the capture begins and the state is frozen, with no record between them. */
export function take({ due, pending }: Books): Step<Books> {
  if (due === null) return NOTHING
  const { checkpointId } = due.barrier
  return {
    next: {},
    orders: [
      { type: 'forwardBarrier', barrier: due.barrier },
      ...(pending === null ? [] : [{ type: 'startCapture', checkpointId, channels: pending.captured } as const]),
      { type: 'takeSnapshot', ...due },
    ],
  }
}

/** The barrier has not left: a marker takes its place. */
export function cancelDue(books: Books, fact: AlignmentFact): Step<Books> {
  const { current: checkpointId } = books
  return {
    next: { ...over(books, checkpointId), due: null },
    orders: fact.type === 'operators.notPrepared' ? decline(fact) : [{ type: 'forwardCancellation', checkpointId }],
  }
}

/** The state is frozen. Where all barriers were here already, nothing more is captured. */
export function finish(books: Books): Step<Books> {
  const { due, pending, current } = books
  if (pending !== null && !isComplete(pending)) return { next: { due: null }, orders: [] }
  return {
    next: { ...over(books, current), due: null },
    orders: pending === null || due === null ? [] : [finishCapture(books, due.alignmentMs)],
  }
}

/** The barrier has left: downstream goes on. */
export function fail(books: Books, fact: AlignmentFact): Step<Books> {
  return {
    next: { ...over(books, books.current), due: null },
    orders: [
      ...(books.pending === null ? [] : drop(books).orders),
      ...(fact.type === 'snapshot.failed' ? decline(fact).slice(0, 1) : []),
    ],
  }
}

/** The coordinator gave up while the state was frozen: nothing more is awaited, and downstream need not wait either. */
export function giveUpTaken(books: Books): Step<Books> {
  const { current: checkpointId } = books
  return {
    next: { ...over(books, checkpointId), due: null },
    orders: [...drop(books).orders, { type: 'forwardCancellation', checkpointId }],
  }
}

/** A barrier lies in the queue. */
function note({ pending }: Books, { channel, sequence }: FactOf<'announcement.arrived'>): Step<Books> {
  if (pending === null || pending.aligned.includes(channel)) return NOTHING
  return { next: { pending: { ...pending, announced: [...pending.announced, { channel, sequence }] } }, orders: [] }
}

/** Channels reach the pending checkpoint. The last one makes its snapshot due and frees all; a late one lets it overtake. */
function reach(books: Books, fact: ArrivalFact): Step<Books> {
  if (books.pending === null) return NOTHING
  const arrived = arrive(books, books.pending, fact)
  const { pending } = arrived
  if (fact.type === 'barrier.arrived' && fact.barrier.mode === 'unaligned') return overtakeAt(books, fact, arrived)
  if (isComplete(pending)) {
    const snapshot = dueSnapshot(books, pending, fact.atMs)
    return { next: { ...arrived, ...over(books, books.current), due: snapshot }, orders: [] }
  }
  // An end before the first barrier lets nothing overtake: no barrier could leave.
  if (pending.startedAtMs === null || !isLate({ ...books, pending }, fact.atMs)) return { next: arrived, orders: [] }
  return overtakeAt(books, fact, arrived)
}

/** It overtakes with this arrival. A barrier that came before the records in front of it has them captured. */
function overtakeAt(books: Books, fact: ArrivalFact, arrived: ReturnType<typeof arrive>): Step<Books> {
  const overtook = fact.type === 'barrier.arrived' && fact.barrier.mode === 'unaligned'
  const captured = overtook ? [{ channel: fact.channel, upTo: fact.sequence ?? null }] : []
  return after({ next: { ...arrived, pending: { ...arrived.pending, captured } }, orders: [] }, books, (now) =>
    overtake(now, fact),
  )
}

function meetCancellation(books: Books, { checkpointId }: FactOf<'cancellation.arrived'>): Step<Books> {
  if (checkpointId < books.current) return NOTHING
  if (checkpointId === books.current && books.pending === null) return NOTHING
  // One notification, of the cancelled id: an older alignment is dropped without a word.
  return { next: over(books, checkpointId), orders: decline({ checkpointId, reason: ON_CANCELLATION_BARRIER }) }
}

function meetAbort(books: Books, { checkpointId }: FactOf<'checkpoint.aborted'>): Step<Books> {
  if (checkpointId > books.current) return { next: rememberAbort(books, checkpointId), orders: [] }
  if (checkpointId < books.current || books.pending === null) return NOTHING
  return { next: over(books, checkpointId), orders: [{ type: 'forwardCancellation', checkpointId }] }
}

function meetEnd(books: Books, fact: FactOf<'partition.ended'>): Step<Books> {
  const ended = books.ended.with(fact.channel, true)
  if (endGivesUp(books, fact))
    return { next: { ...over(books, books.current), ended }, orders: giveUp(books, INPUT_END_OF_STREAM) }
  return books.pending === null || books.ended[fact.channel] ? { next: { ended }, orders: [] } : reach(books, fact)
}

/** The barrier as it leaves: what an edge forced upon it is over. */
function dueSnapshot({ alignedTimeoutMs }: Books, { barrier, startedAtMs }: Pending, atMs: number) {
  const asked = alignedTimeoutMs > 0 ? 'timeoutable' : 'unaligned'
  const leaving: Barrier = barrier.mode === 'forcedAligned' ? { ...barrier, mode: asked } : barrier
  return due(leaving, startedAtMs ?? atMs, atMs)
}

function finishCapture({ current: checkpointId }: Books, alignmentMs: number): AlignmentOrder {
  return { type: 'finishCapture', checkpointId, alignmentMs }
}

function prioritise({ checkpointId }: Barrier, { channel, sequence }: Announced): AlignmentOrder {
  return { type: 'prioritiseBarrier', checkpointId, channel, sequence }
}

function isArrival(fact: AlignmentFact): fact is ArrivalFact {
  return fact.type === 'barrier.arrived' || fact.type === 'checkpoint.triggered' || fact.type === 'partition.ended'
}

/** Both steps, the second one of the books as the first one leaves them. */
function after(first: Step<Books>, books: Books, decide: (now: Books) => Step<Books>): Step<Books> {
  const second = decide({ ...books, ...first.next })
  return { next: { ...first.next, ...second.next }, orders: [...first.orders, ...second.orders] }
}
