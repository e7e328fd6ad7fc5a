/**
 * Aligns the barriers of one subtask, at least once: it counts the barriers of each checkpoint and never holds a channel,
 * so records behind a barrier may be in the snapshot and come again after a restore. From "all barriers are here" on it
 * does what the exactly-once alignment does.
 */
import { setup } from 'xstate'
import {
  type AlignmentFact,
  type AlignmentInput,
  type AlignmentOrder,
  begin,
  cancelDue,
  declineDue,
  defer,
  dueWasAborted,
  finish,
  heedAbort,
  type Step,
  speaksOfDue,
  speaksOfDueOrLater,
  speaksOfLater,
  take,
} from './alignment-vocabulary.ts'
import { type AtLeastOnceAlignment, hear, hearDeferred, startBooks } from './at-least-once-alignment-arithmetic.ts'

export { permission } from './alignment-vocabulary.ts'
export { pendingIds } from './at-least-once-alignment-arithmetic.ts'

const alignment = setup({
  types: {
    context: {} as AtLeastOnceAlignment,
    events: {} as AlignmentFact,
    emitted: {} as AlignmentOrder,
    input: {} as AlignmentInput,
  },
  guards: {
    due: ({ context }) => context.due !== null,
    deferred: ({ context }) => context.deferred.length > 0,
    ofDue: ({ context, event }) => speaksOfDue(context, event),
    ofDueOrLater: ({ context, event }) => speaksOfDueOrLater(context, event),
    ofLater: ({ context, event }) => speaksOfLater(context, event),
    dueWasAborted: ({ context, event }) => speaksOfDue(context, event) && dueWasAborted(context),
  },
})

const apply = (decide: (books: AtLeastOnceAlignment, fact: AlignmentFact) => Step<AtLeastOnceAlignment>) =>
  alignment.enqueueActions(({ context, event, enqueue }) => {
    const step = decide(context, event)
    enqueue.assign(step.next)
    for (const order of step.orders) enqueue.emit(order)
  })

const waitsForStandstillToEnd = {
  'barrier.arrived': { actions: apply(defer) },
  'checkpoint.triggered': { actions: apply(defer) },
  'cancellation.arrived': { actions: apply(defer) },
  'partition.ended': { actions: apply(defer) },
} as const

export const atLeastOnceAlignment = alignment.createMachine({
  id: 'atLeastOnceAlignment',
  context: ({ input }) => startBooks(input),
  initial: 'waiting',
  on: { 'input.closed': '.closed' },
  states: {
    waiting: {
      always: [
        { guard: 'due', target: 'aligned', actions: apply(begin) },
        { guard: 'deferred', actions: apply(hearDeferred) },
      ],
      on: {
        'barrier.arrived': { actions: apply(hear) },
        'checkpoint.triggered': { actions: apply(hear) },
        'cancellation.arrived': { actions: apply(hear) },
        'checkpoint.aborted': { actions: apply(hear) },
        'partition.ended': { actions: apply(hear) },
      },
    },
    aligned: {
      on: {
        ...waitsForStandstillToEnd,
        'checkpoint.aborted': { guard: 'ofDueOrLater', actions: apply(heedAbort) },
        'operators.prepared': [
          { guard: 'dueWasAborted', target: 'waiting', actions: apply(cancelDue) },
          { guard: 'ofDue', target: 'snapshotting', actions: apply(take) },
        ],
        'operators.notPrepared': { guard: 'ofDue', target: 'waiting', actions: apply(declineDue) },
      },
    },
    snapshotting: {
      on: {
        ...waitsForStandstillToEnd,
        'checkpoint.aborted': { guard: 'ofLater', actions: apply(heedAbort) },
        'snapshot.taken': { guard: 'ofDue', target: 'waiting', actions: apply(finish) },
        'snapshot.failed': { guard: 'ofDue', target: 'waiting', actions: apply(finish) },
      },
    },
    closed: { type: 'final' },
  },
})
