/**
 * Aligns the barriers of one subtask, exactly once, as long as that takes no longer than it may: then barriers overtake
 * the records in front of them, and those records are captured as part of the checkpoint. A barrier that is unaligned
 * when it comes overtakes at once. It knows no clock, moves no record and takes no snapshot itself.
 */
import { setup } from 'xstate'
import {
  type AlignmentFact,
  type AlignmentInput,
  type AlignmentOrder,
  begin,
  defer,
  dueWasAborted,
  heedAbort,
  type Step,
  speaksOfDue,
  speaksOfDueOrLater,
} from './alignment-vocabulary.ts'
import {
  cancelDue,
  drop,
  fail,
  finish,
  giveUpTaken,
  hear,
  hearCapturing,
  hearOvertaking,
  hurry,
  overtake,
  take,
} from './unaligned-alignment-arithmetic.ts'
import {
  endGivesUp,
  isComplete,
  isNewer,
  isPending,
  keepUp,
  startBooks,
  type UnalignedAlignment,
} from './unaligned-alignment-books.ts'

export { permission } from './alignment-vocabulary.ts'
export { pendingIds } from './unaligned-alignment-books.ts'

const alignment = setup({
  types: {
    context: {} as UnalignedAlignment,
    events: {} as AlignmentFact,
    emitted: {} as AlignmentOrder,
    input: {} as AlignmentInput,
  },
  guards: {
    due: ({ context }) => context.due !== null,
    deferred: ({ context }) => context.deferred.length > 0,
    started: ({ context }) => context.pending !== null && context.pending.startedAtMs !== null,
    notStarted: ({ context }) => context.pending === null || context.pending.startedAtMs === null,
    over: ({ context }) => context.pending === null,
    newer: ({ context, event }) => isNewer(context, event),
    ofPending: ({ context, event }) => isPending(context, event),
    ofPendingOrLater: ({ context, event }) => isPending(context, event) || isNewer(context, event),
    endGivesUp: ({ context, event }) => endGivesUp(context, event),
    ofDue: ({ context, event }) => speaksOfDue(context, event),
    ofDueOrLater: ({ context, event }) => speaksOfDueOrLater(context, event),
    dueWasAborted: ({ context, event }) => speaksOfDue(context, event) && dueWasAborted(context),
    captureWasAborted: ({ context, event }) =>
      speaksOfDue(context, event) && dueWasAborted(context) && context.pending !== null,
    captures: ({ context, event }) =>
      speaksOfDue(context, event) && context.pending !== null && !isComplete(context.pending),
  },
})

const apply = (decide: (books: UnalignedAlignment, fact: AlignmentFact) => Step<UnalignedAlignment>) =>
  alignment.enqueueActions(({ context, event, enqueue }) => {
    const step = decide(context, event)
    enqueue.assign(step.next)
    for (const order of keepUp(context, { ...context, ...step.next }, event.atMs)) enqueue.emit(order)
    for (const order of step.orders) enqueue.emit(order)
  })

/** What came while the subtask stood still is heard in its order, by whatever state stands then. */
const hearDeferred = alignment.enqueueActions(({ context, enqueue }) => {
  enqueue.assign({ deferred: [] })
  for (const fact of context.deferred) enqueue.raise(fact)
})

const waitsForStandstillToEnd = {
  'barrier.arrived': { actions: apply(defer) },
  'announcement.arrived': { actions: apply(defer) },
  'checkpoint.triggered': { actions: apply(defer) },
  'cancellation.arrived': { actions: apply(defer) },
  'partition.ended': { actions: apply(defer) },
} as const

/** As long as nothing is overtaken. */
const aligns = {
  'barrier.arrived': { actions: apply(hear) },
  'announcement.arrived': { actions: apply(hear) },
  'checkpoint.triggered': { actions: apply(hear) },
  'cancellation.arrived': { actions: apply(hear) },
  'checkpoint.aborted': { actions: apply(hear) },
  'partition.ended': { actions: apply(hear) },
} as const

const overtakes = apply(hearOvertaking)
const captures = apply(hearCapturing)
const givesUp = [apply(drop), apply(hear)]

export const unalignedAlignment = alignment.createMachine({
  id: 'unalignedAlignment',
  context: ({ input }) => startBooks(input),
  initial: 'waiting',
  on: { 'input.closed': '.closed' },
  states: {
    /** For the first barrier; it may be announced. */
    waiting: {
      always: [
        { guard: 'due', target: 'aligned', actions: apply(begin) },
        { guard: 'started', target: 'collecting' },
        { guard: 'deferred', actions: hearDeferred },
      ],
      on: { ...aligns, 'timeout.passed': { guard: 'ofPending', target: 'overtaking', actions: apply(hurry) } },
    },
    /** The other barriers, while the channels of those that are here are held. */
    collecting: {
      always: [
        { guard: 'due', target: 'aligned', actions: apply(begin) },
        { guard: 'notStarted', target: 'waiting' },
      ],
      on: { ...aligns, 'timeout.passed': { guard: 'ofPending', actions: apply(overtake) } },
    },
    /** The time is over, and no barrier is here yet. */
    overtaking: {
      always: { guard: 'due', target: 'aligned', actions: apply(begin) },
      on: {
        'barrier.arrived': [
          { guard: 'newer', target: 'waiting', actions: apply(hear) },
          { guard: 'ofPending', actions: overtakes },
        ],
        'announcement.arrived': [
          { guard: 'newer', target: 'waiting', actions: apply(hear) },
          { guard: 'ofPending', actions: overtakes },
        ],
        'checkpoint.triggered': [
          { guard: 'newer', target: 'waiting', actions: apply(hear) },
          { guard: 'ofPending', actions: overtakes },
        ],
        'cancellation.arrived': { guard: 'ofPendingOrLater', target: 'waiting', actions: apply(hear) },
        'checkpoint.aborted': [
          { guard: 'ofPending', target: 'waiting', actions: apply(hear) },
          { actions: apply(hear) },
        ],
        'partition.ended': [{ guard: 'endGivesUp', target: 'waiting', actions: apply(hear) }, { actions: overtakes }],
      },
    },
    /** All barriers are here, or they are overtaking: the operators prepare. */
    aligned: {
      on: {
        ...waitsForStandstillToEnd,
        'checkpoint.aborted': { guard: 'ofDueOrLater', actions: apply(heedAbort) },
        'operators.prepared': [
          { guard: 'dueWasAborted', target: 'waiting', actions: apply(cancelDue) },
          { guard: 'ofDue', target: 'snapshotting', actions: apply(take) },
        ],
        'operators.notPrepared': { guard: 'ofDue', target: 'waiting', actions: apply(cancelDue) },
      },
    },
    snapshotting: {
      on: {
        ...waitsForStandstillToEnd,
        'checkpoint.aborted': { guard: 'ofDueOrLater', actions: apply(heedAbort) },
        'snapshot.taken': [
          { guard: 'captureWasAborted', target: 'waiting', actions: apply(giveUpTaken) },
          { guard: 'captures', target: 'capturing', actions: apply(finish) },
          { guard: 'ofDue', target: 'waiting', actions: apply(finish) },
        ],
        'snapshot.failed': { guard: 'ofDue', target: 'waiting', actions: apply(fail) },
      },
    },
    /** The snapshot is taken. Records of the channels whose barrier is not here belong to it. */
    capturing: {
      always: [
        { guard: 'over', target: 'waiting' },
        { guard: 'deferred', actions: hearDeferred },
      ],
      on: {
        'barrier.arrived': [
          { guard: 'newer', target: 'waiting', actions: givesUp },
          { guard: 'ofPending', actions: captures },
        ],
        'announcement.arrived': [
          { guard: 'newer', target: 'waiting', actions: givesUp },
          { guard: 'ofPending', actions: captures },
        ],
        'checkpoint.triggered': [
          { guard: 'newer', target: 'waiting', actions: givesUp },
          { guard: 'ofPending', actions: captures },
        ],
        'cancellation.arrived': { guard: 'ofPendingOrLater', target: 'waiting', actions: givesUp },
        'checkpoint.aborted': [{ guard: 'ofPending', target: 'waiting', actions: givesUp }, { actions: apply(hear) }],
        'partition.ended': [{ guard: 'endGivesUp', target: 'waiting', actions: givesUp }, { actions: captures }],
      },
    },
    closed: { type: 'final' },
  },
})
