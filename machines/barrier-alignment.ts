/**
 * Aligns the barriers of one subtask, exactly once: a channel whose barrier is here is held until all barriers are here,
 * then the operators prepare, the barrier leaves and the state is frozen. A source has no channels and is triggered
 * directly. It knows no clock, moves no record and takes no snapshot itself.
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
import { type BarrierAlignment, hear, hearDeferred, startBooks } from './barrier-alignment-arithmetic.ts'

export { permission } from './alignment-vocabulary.ts'
export { pendingIds } from './barrier-alignment-arithmetic.ts'

const alignment = setup({
  types: {
    context: {} as BarrierAlignment,
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

const apply = (decide: (books: BarrierAlignment, fact: AlignmentFact) => Step<BarrierAlignment>) =>
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

export const barrierAlignment = alignment.createMachine({
  id: 'barrierAlignment',
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
