/**
 * The life of one sink transaction: what one subtask wrote between two checkpoints. It decides when the transaction may be
 * committed, what is tried again and what fails the task. It never commits: it orders it.
 */
import { setup } from 'xstate'
import type { Cause } from './cause.ts'

export interface TwoPhaseCommitInput {
  /** How often a committable that asks for it is tried again. */
  readonly retries: number
  readonly commitTimeoutMs: number
  /** A restored transaction older than this may fail to commit without failing the task; null: never. */
  readonly ignoreFailuresAfterMs: number | null
  /** When the transaction began. */
  readonly startedAtMs: number
}

interface Context extends TwoPhaseCommitInput {
  /** The checkpoint that it was pre-committed with; -1 while it is open. */
  readonly checkpointId: number
  /** How many committables were announced, and how many are here. */
  readonly announced: number
  readonly arrived: number
  /** The committables not committed yet, by their place in the transaction. */
  readonly pending: readonly number[]
  /** How often the pending ones were tried before. */
  readonly tried: number
  readonly restored: boolean
}

export type TwoPhaseCommitFact =
  /** Its barrier came: everything written is safe, nothing is visible. */
  | {
      readonly type: 'transaction.preCommitted'
      readonly checkpointId: number
      readonly announced: number
      readonly arrived: number
    }
  /** Further committables of the same checkpoint. */
  | { readonly type: 'committables.arrived'; readonly count: number }
  /** It stood uncommitted in the checkpoint that is restored. */
  | { readonly type: 'transaction.restored'; readonly checkpointId: number; readonly count: number }
  | { readonly type: 'checkpoint.completed'; readonly checkpointId: number }
  /** The input is at its end and no checkpoint will follow. */
  | { readonly type: 'input.ended' }
  /** The older transactions of the subtask have been dealt with. */
  | { readonly type: 'turn.came' }
  /** The committer has answered. `retryLater`: places; all others are committed, unless `failed` says why some are not. */
  | {
      readonly type: 'commit.answered'
      readonly retryLater: readonly number[]
      readonly failed: { readonly places: readonly number[]; readonly cause: Cause } | null
    }
  /** The committer threw: nothing is known to be committed. */
  | { readonly type: 'commit.failed'; readonly cause: Cause; readonly atMs: number }
  | { readonly type: 'timer.fired'; readonly timer: 'commit' }
  /** The sink is closed, or the transaction stood open in the checkpoint that is restored. */
  | { readonly type: 'transaction.closed' }

export type TwoPhaseCommitOrder =
  /** Commit these places in one call; answer commit.answered or commit.failed. `attempt`: how often they were tried before. */
  | {
      readonly type: 'commit'
      readonly checkpointId: number
      readonly places: readonly number[]
      readonly attempt: number
    }
  | { readonly type: 'startTimer'; readonly timer: 'commit'; readonly delayMs: number }
  | { readonly type: 'stopTimer'; readonly timer: 'commit' }
  /** These have become visible. */
  | { readonly type: 'reportCommitted'; readonly checkpointId: number; readonly places: readonly number[] }
  /** Take back what was written. */
  | { readonly type: 'abortTransaction' }
  /** A restored transaction that is too old to insist on is given up. */
  | { readonly type: 'reportExpired'; readonly checkpointId: number; readonly cause: Cause }
  | { readonly type: 'failTask'; readonly checkpointId: number; readonly cause: Cause }

interface Step {
  readonly next: Partial<Context>
  readonly orders: readonly TwoPhaseCommitOrder[]
}

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, place) => place)

function preCommit(c: Context, f: TwoPhaseCommitFact): Step {
  switch (f.type) {
    case 'transaction.preCommitted':
      return {
        next: { checkpointId: f.checkpointId, announced: f.announced, arrived: f.arrived, pending: upTo(f.arrived) },
        orders: [],
      }
    case 'transaction.restored':
      return {
        next: {
          checkpointId: f.checkpointId,
          announced: f.count,
          arrived: f.count,
          pending: upTo(f.count),
          restored: true,
        },
        orders: [],
      }
    case 'committables.arrived':
      return { next: { arrived: c.arrived + f.count, pending: upTo(c.arrived + f.count) }, orders: [] }
    default:
      return { next: {}, orders: [] }
  }
}

const commit = (c: Context): Step => ({
  next: {},
  orders: [
    { type: 'startTimer', timer: 'commit', delayMs: c.commitTimeoutMs },
    { type: 'commit', checkpointId: c.checkpointId, places: c.pending, attempt: c.tried },
  ],
})

const stopTimer: TwoPhaseCommitOrder = { type: 'stopTimer', timer: 'commit' }

/** What an answer settled, and what is left. */
function answered(c: Context, f: TwoPhaseCommitFact): Step {
  if (f.type !== 'commit.answered') return { next: {}, orders: [] }
  const pending = c.pending.filter((place) => f.retryLater.includes(place) || f.failed?.places.includes(place))
  const places = c.pending.filter((place) => !pending.includes(place))
  return {
    next: { pending, tried: c.tried + 1 },
    orders: [
      stopTimer,
      ...(places.length > 0 ? [{ type: 'reportCommitted', checkpointId: c.checkpointId, places } as const] : []),
    ],
  }
}

function answeredAndTryAgain(c: Context, f: TwoPhaseCommitFact): Step {
  const { next, orders } = answered(c, f)
  return { next, orders: [...orders, ...commit({ ...c, ...next }).orders] }
}

function answeredAndFail(c: Context, f: TwoPhaseCommitFact): Step {
  const { next, orders } = answered(c, f)
  const failed = f.type === 'commit.answered' ? f.failed : null
  const cause = failed?.cause ?? usedUp(c, (next.pending ?? []).length)
  return { next, orders: [...orders, { type: 'failTask', checkpointId: c.checkpointId, cause }] }
}

const usedUp = (c: Context, left: number): Cause => ({
  code: 'COMMIT_FAILED',
  message: `${left} committable(s) of checkpoint ${c.checkpointId} asked to be committed later, after ${c.retries} retries.`,
  restartHelps: true,
  thrown: null,
})

const threw = (c: Context, f: TwoPhaseCommitFact): Step => ({
  next: {},
  orders:
    f.type === 'commit.failed' ? [stopTimer, { type: 'failTask', checkpointId: c.checkpointId, cause: f.cause }] : [],
})

const expired = (c: Context, f: TwoPhaseCommitFact): Step => ({
  next: {},
  orders:
    f.type === 'commit.failed'
      ? [stopTimer, { type: 'reportExpired', checkpointId: c.checkpointId, cause: f.cause }]
      : [],
})

const timedOut = (c: Context): Step => ({
  next: {},
  orders: [
    {
      type: 'failTask',
      checkpointId: c.checkpointId,
      cause: {
        code: 'COMMIT_TIMED_OUT',
        message: `The commit of checkpoint ${c.checkpointId} did not answer within ${c.commitTimeoutMs} ms.`,
        restartHelps: true,
        thrown: null,
      },
    },
  ],
})

const incomplete = (c: Context): Step => ({
  next: {},
  orders: [
    {
      type: 'failTask',
      checkpointId: c.checkpointId,
      cause: {
        code: 'COMMITTABLES_MISSING',
        message: `Checkpoint ${c.checkpointId} is complete, but only ${c.arrived} of ${c.announced} announced committables are here.`,
        restartHelps: true,
        thrown: null,
      },
    },
  ],
})

const sinkSetup = setup({
  types: {
    context: {} as Context,
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

const apply = (decide: (c: Context, f: TwoPhaseCommitFact) => Step) =>
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
        'transaction.preCommitted': { target: 'preCommitted', actions: apply(preCommit) },
        'transaction.restored': { target: 'due', actions: apply(preCommit) },
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
        'committables.arrived': { actions: apply(preCommit) },
        'checkpoint.completed': [
          { guard: 'isCoveredAndWhole', target: 'due' },
          { guard: 'isCovered', actions: apply(incomplete) },
        ],
        'input.ended': [{ guard: 'isWhole', target: 'due' }, { actions: apply(incomplete) }],
      },
    },
    due: {
      on: {
        'turn.came': [
          { guard: 'isEmpty', target: 'committed' },
          { target: 'committing', actions: apply(commit) },
        ],
      },
    },
    committing: {
      on: {
        'commit.answered': [
          { guard: 'refused', target: 'failed', actions: apply(answeredAndFail) },
          { guard: 'allCommitted', target: 'committed', actions: apply(answered) },
          { guard: 'mayRetry', actions: apply(answeredAndTryAgain) },
          { target: 'failed', actions: apply(answeredAndFail) },
        ],
        'commit.failed': [
          { guard: 'isTooOldToInsist', target: 'expired', actions: apply(expired) },
          { target: 'failed', actions: apply(threw) },
        ],
        'timer.fired': { target: 'timedOut', actions: apply(timedOut) },
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
export const standing = (snapshot: { readonly value: unknown; readonly context: Context }) => ({
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
