/**
 * The books of the at-least-once alignment (Flink's CheckpointBarrierTracker): several ids are followed at once, each
 * over the channels that were open when it was first seen, and no channel is ever held. Pure functions.
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
  startAlignment,
} from './alignment-vocabulary.ts'

export interface AtLeastOnceAlignment extends Alignment {
  readonly checkpointsAfterTasksFinish: boolean
  /** Ascending. */
  readonly followed: readonly Followed[]
  /** The highest id that was ever followed; one that a single open channel completes at once does not count. */
  readonly latest: number
  /** The highest id that became due or was declined here: what is not above it comes too late. */
  readonly lastHandled: number
  /** The newest id with an alignment to measure; -1 when none is measured. */
  readonly measured: number
}

interface Followed {
  readonly checkpointId: number
  /** Null when only a cancellation has been seen. */
  readonly barrier: Barrier | null
  readonly target: number
  /** Channels whose barrier or cancellation is here, or which ended meanwhile. */
  readonly reached: readonly number[]
  /** It takes no snapshot any more and stays only until all its channels have spoken. */
  readonly aborted: boolean
  readonly startedAtMs: number
}

type Books = AtLeastOnceAlignment
type FactOf<Type extends AlignmentFact['type']> = Extract<AlignmentFact, { type: Type }>
const NOTHING: Step<Books> = { next: {}, orders: [] }

/** Flink's bound on the ids that are followed. */
const MOST_FOLLOWED = 50

export function startBooks(input: AlignmentInput): Books {
  return {
    ...startAlignment(input),
    checkpointsAfterTasksFinish: input.checkpointsAfterTasksFinish,
    followed: [],
    latest: -1,
    lastHandled: -1,
    measured: -1,
  }
}

/** What a fact means to a subtask that does not stand still. */
export function hear(books: Books, fact: AlignmentFact): Step<Books> {
  switch (fact.type) {
    case 'barrier.arrived':
      return meetBarrier(books, fact.barrier, [fact.channel], fact.atMs)
    case 'checkpoint.triggered':
      return meetBarrier(books, fact.barrier, openChannels(books), fact.atMs)
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

/** Ids that are followed, those that take no snapshot any more included. */
export function pendingIds({ followed }: Books): readonly number[] {
  return followed.map(({ checkpointId }) => checkpointId)
}

function meetBarrier(books: Books, barrier: Barrier, channels: readonly number[], atMs: number): Step<Books> {
  const { checkpointId } = barrier
  const known = books.followed.find((one) => one.checkpointId === checkpointId)
  if (known !== undefined) return reach(books, { ...known, barrier: known.barrier ?? barrier }, channels, atMs)
  if (checkpointId <= books.latest) return NOTHING
  const target = openChannels(books).length
  if (channels.length >= target) return meetAllAtOnce(books, barrier, target, atMs)
  const aborted = books.aborted.includes(checkpointId)
  const fresh: Followed = { checkpointId, barrier, target, reached: channels, aborted, startedAtMs: atMs }
  return {
    next: {
      followed: [...books.followed, fresh].slice(-MOST_FOLLOWED),
      latest: checkpointId,
      measured: checkpointId,
      aborted: forgetAborts(books, checkpointId),
    },
    orders: [
      ...measure(books, checkpointId),
      ...(aborted ? [{ type: 'forwardCancellation', checkpointId } as const] : []),
    ],
  }
}

/** All open channels speak at once, by the only one or by a direct trigger: the id need not be followed. */
function meetAllAtOnce(books: Books, barrier: Barrier, target: number, atMs: number): Step<Books> {
  const { checkpointId } = barrier
  const one = { checkpointId, barrier, target, reached: [], aborted: false, startedAtMs: atMs }
  const step = conclude({ ...books, measured: checkpointId }, one, atMs)
  // As Flink's: a single channel does not raise `latest`, so its own later cancellation is still heard.
  const passed = target === 1 ? {} : { latest: checkpointId, followed: [] }
  return { next: { ...step.next, ...passed }, orders: [...measure(books, checkpointId), ...step.orders] }
}

/** Channels reach a followed id. The last one completes it; it and everything older is followed no more. */
function reach(books: Books, one: Followed, channels: readonly number[], atMs: number): Step<Books> {
  const reached = [...one.reached, ...channels.filter((channel) => !one.reached.includes(channel))]
  const now = { ...one, reached }
  if (reached.length < one.target)
    return {
      next: { followed: books.followed.map((other) => (other.checkpointId === one.checkpointId ? now : other)) },
      orders: [],
    }
  const step = conclude(books, now, atMs)
  return {
    next: { ...step.next, followed: books.followed.filter(({ checkpointId }) => checkpointId > one.checkpointId) },
    orders: step.orders,
  }
}

/** Every channel has spoken: the snapshot is due, unless the id was aborted or comes too late. */
function conclude(books: Books, one: Followed, atMs: number): Step<Books> {
  const { checkpointId, barrier } = one
  const measured = books.measured <= checkpointId ? -1 : books.measured
  const orders: readonly AlignmentOrder[] =
    books.measured === checkpointId ? [{ type: 'endMeasuring', checkpointId }] : []
  if (one.aborted || barrier === null || checkpointId <= books.lastHandled) return { next: { measured }, orders }
  const next = { measured, lastHandled: checkpointId, aborted: forgetAborts(books, checkpointId) }
  if (books.aborted.includes(checkpointId))
    return { next, orders: [...orders, { type: 'forwardCancellation', checkpointId }] }
  return { next: { ...next, due: due(barrier, one.startedAtMs, atMs) }, orders }
}

function meetCancellation(books: Books, fact: FactOf<'cancellation.arrived'>): Step<Books> {
  const { checkpointId, channel, atMs } = fact
  const unseen = checkpointId > books.latest
  if (unseen && openChannels(books).length === 1) {
    const { orders, next } = declineAll(books, [checkpointId], ON_CANCELLATION_BARRIER)
    return { next: { ...next, measured: -1 }, orders: [...stopMeasuring(books, () => true), ...orders] }
  }
  const older = books.followed.filter((one) => one.checkpointId < checkpointId)
  const newer = books.followed.filter((one) => one.checkpointId > checkpointId)
  const known = books.followed.find((one) => one.checkpointId === checkpointId)
  // An id that is seen for the first time is followed as aborted, so that its other channels are not a surprise.
  const now = known ?? (unseen ? cancelledOnly(books, checkpointId, atMs) : undefined)
  const spoken = now === undefined ? [] : [cancelledOn(now, channel)].filter((one) => one.reached.length < one.target)
  const given = [...older, ...(now === undefined ? [] : [now])].filter(({ aborted }) => !aborted)
  const ids = given.map((one) => one.checkpointId)
  const step = declineAll(books, ids, ON_CANCELLATION_BARRIER)
  const gone = (id: number) => id <= checkpointId
  return {
    next: {
      ...step.next,
      followed: [...spoken, ...newer],
      latest: Math.max(books.latest, checkpointId),
      measured: gone(books.measured) ? -1 : books.measured,
    },
    orders: [...stopMeasuring(books, gone), ...step.orders],
  }
}

function cancelledOnly(books: Books, checkpointId: number, startedAtMs: number): Followed {
  return { checkpointId, barrier: null, target: openChannels(books).length, reached: [], aborted: false, startedAtMs }
}

function cancelledOn(one: Followed, channel: number): Followed {
  return { ...one, aborted: true, reached: one.reached.includes(channel) ? one.reached : [...one.reached, channel] }
}

function meetAbort(books: Books, { checkpointId }: FactOf<'checkpoint.aborted'>): Step<Books> {
  const known = books.followed.find((one) => one.checkpointId === checkpointId)
  if (known?.aborted === false)
    return {
      next: {
        followed: books.followed.map((one) => (one === known ? { ...one, aborted: true } : one)),
        measured: books.measured === checkpointId ? -1 : books.measured,
      },
      orders: [...stopMeasuring(books, (id) => id === checkpointId), { type: 'forwardCancellation', checkpointId }],
    }
  if (known !== undefined || checkpointId <= Math.max(books.latest, books.lastHandled)) return NOTHING
  return { next: rememberAbort(books, checkpointId), orders: [] }
}

function meetEnd(books: Books, { channel, atMs }: FactOf<'partition.ended'>): Step<Books> {
  if (books.ended[channel]) return NOTHING
  const ended = books.ended.with(channel, true)
  if (!books.checkpointsAfterTasksFinish && !endsWithSavepoint(books)) {
    const ids = books.followed.filter(({ aborted }) => !aborted).map(({ checkpointId }) => checkpointId)
    const { next, orders } = declineAll(books, ids, INPUT_END_OF_STREAM)
    return {
      next: { ...next, ended, followed: [], measured: -1 },
      orders: [...stopMeasuring(books, () => true), ...orders],
    }
  }
  const spoken = books.followed.map((one) =>
    one.reached.includes(channel) ? one : { ...one, reached: [...one.reached, channel] },
  )
  const full = spoken.findLast((one) => one.reached.length >= one.target)
  if (full === undefined) return { next: { ended, followed: spoken }, orders: [] }
  const step = conclude(books, full, atMs)
  return {
    next: { ...step.next, ended, followed: spoken.filter(({ checkpointId }) => checkpointId > full.checkpointId) },
    orders: step.orders,
  }
}

/** The savepoint that stops the job is followed, and so nothing else is that is still to complete. */
const endsWithSavepoint = ({ followed }: Books): boolean =>
  followed.some(({ barrier, aborted }) => barrier?.kind === 'synchronousSavepoint' && !aborted)

function declineAll(books: Books, ids: readonly number[], reason: string): Step<Books> {
  return {
    next: { lastHandled: Math.max(books.lastHandled, ...ids) },
    orders: ids.flatMap((checkpointId) => decline({ checkpointId, reason })),
  }
}

/** One alignment is measured at a time, the newest. */
function measure(books: Books, checkpointId: number): readonly AlignmentOrder[] {
  return [...stopMeasuring(books, () => true), { type: 'startMeasuring', checkpointId }]
}

function stopMeasuring({ measured }: Books, which: (id: number) => boolean): readonly AlignmentOrder[] {
  return measured >= 0 && which(measured) ? [{ type: 'endMeasuring', checkpointId: measured }] : []
}
