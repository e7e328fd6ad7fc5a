/**
 * The life of one sink transaction: what one subtask wrote between two checkpoints. It decides when the transaction may be
 * committed, what is tried again and what fails the task. It never commits: it orders it.
 */
import { setup } from 'xstate'
import * as arithmetic from './two-phase-commit-arithmetic.ts'
import type {
  TwoPhaseCommitContext,
  TwoPhaseCommitFact,
  TwoPhaseCommitInput,
  TwoPhaseCommitOrder,
} from './two-phase-commit-vocabulary.ts'

export type * from './two-phase-commit-vocabulary.ts'

const sinkSetup = setup({
  types: {
    context: {} as TwoPhaseCommitContext,
    events: {} as TwoPhaseCommitFact,
    emitted: {} as TwoPhaseCommitOrder,
    input: {} as TwoPhaseCommitInput,
  },
  guards: {
    isCovered: ({ context, event }) =>
      event.type === 'checkpoint.completed' && event.checkpointId >= context.checkpointId,
    isCoveredAndWhole: ({ context, event }) =>
      event.type === 'checkpoint.completed' &&
      event.checkpointId >= context.checkpointId &&
      context.arrived >= context.announced,
    isWhole: ({ context }) => context.arrived >= context.announced,
    isEmpty: ({ context }) => context.pending.length === 0,
    refused: ({ event }) => event.type === 'commit.answered' && event.failed !== null,
    allCommitted: ({ event }) => event.type === 'commit.answered' && event.retryLater.length === 0,
    mayRetry: ({ context }) => context.tried < context.retries,
    isTooOldToInsist: ({ context, event }) =>
      event.type === 'commit.failed' &&
      context.restored &&
      context.ignoreFailuresAfterMs !== null &&
      event.atMs - context.startedAtMs > context.ignoreFailuresAfterMs,
  },
})

const apply = (decide: (c: TwoPhaseCommitContext, f: TwoPhaseCommitFact) => arithmetic.TwoPhaseCommitStep) =>
  sinkSetup.enqueueActions(({ context, event, enqueue }) => {
    const step = decide(context, event)
    enqueue.assign(step.next)
    for (const order of step.orders) enqueue.emit(order)
  })

export const twoPhaseCommit = sinkSetup.createMachine({
  id: 'twoPhaseCommit',
  context: ({ input }) => ({
    ...input,
    checkpointId: -1,
    announced: 0,
    arrived: 0,
    pending: [],
    tried: 0,
    restored: false,
  }),
  initial: 'open',
  states: {
    open: {
      on: {
        'transaction.preCommitted': { target: 'preCommitted', actions: apply(arithmetic.preCommit) },
        'transaction.restored': { target: 'due', actions: apply(arithmetic.preCommit) },
        'transaction.closed': {
          target: 'aborted',
          actions: apply(() => ({ next: {}, orders: [{ type: 'abortTransaction' }] })),
        },
      },
    },
    // That its own checkpoint is aborted changes nothing: the next completed one covers it. So does closing the sink: it
    // stands in a checkpoint, and whoever restores that commits it.
    preCommitted: {
      on: {
        'committables.arrived': { actions: apply(arithmetic.preCommit) },
        'checkpoint.completed': [
          { guard: 'isCoveredAndWhole', target: 'due' },
          { guard: 'isCovered', actions: apply(arithmetic.incomplete) },
        ],
        'input.ended': [{ guard: 'isWhole', target: 'due' }, { actions: apply(arithmetic.incomplete) }],
      },
    },
    due: {
      on: {
        'turn.came': [
          { guard: 'isEmpty', target: 'committed' },
          { target: 'committing', actions: apply(arithmetic.commit) },
        ],
      },
    },
    committing: {
      on: {
        'commit.answered': [
          { guard: 'refused', target: 'failed', actions: apply(arithmetic.answeredAndFail) },
          { guard: 'allCommitted', target: 'committed', actions: apply(arithmetic.answered) },
          { guard: 'mayRetry', actions: apply(arithmetic.answeredAndTryAgain) },
          { target: 'failed', actions: apply(arithmetic.answeredAndFail) },
        ],
        'commit.failed': [
          { guard: 'isTooOldToInsist', target: 'expired', actions: apply(arithmetic.expired) },
          { target: 'failed', actions: apply(arithmetic.threw) },
        ],
        'timer.fired': { target: 'timedOut', actions: apply(arithmetic.timedOut) },
      },
    },
    committed: {},
    aborted: {},
    expired: {},
    // Still in every snapshot: the restore commits it again.
    failed: {},
    // The commit may still be under way, so no other commit of the subtask may begin.
    timedOut: {},
  },
})

/** What the host needs to know of a transaction, and no more. */
export const standing = (snapshot: { readonly value: unknown; readonly context: TwoPhaseCommitContext }) => ({
  phase: snapshot.value as
    | 'open'
    | 'preCommitted'
    | 'due'
    | 'committing'
    | 'committed'
    | 'aborted'
    | 'expired'
    | 'failed'
    | 'timedOut',
  checkpointId: snapshot.context.checkpointId,
  pending: snapshot.context.pending,
})
