/** What a sink transaction remembers and orders at each of its steps: pure functions of context and fact. */
import type { Cause } from './cause.ts'
import type { TwoPhaseCommitContext, TwoPhaseCommitFact, TwoPhaseCommitOrder } from './two-phase-commit-vocabulary.ts'

export interface TwoPhaseCommitStep {
  readonly next: Partial<TwoPhaseCommitContext>
  readonly orders: readonly TwoPhaseCommitOrder[]
}

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, place) => place)

export function preCommit(c: TwoPhaseCommitContext, f: TwoPhaseCommitFact): TwoPhaseCommitStep {
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

export const commit = (c: TwoPhaseCommitContext): TwoPhaseCommitStep => ({
  next: {},
  orders: [
    { type: 'startTimer', timer: 'commit', delayMs: c.commitTimeoutMs },
    { type: 'commit', checkpointId: c.checkpointId, places: c.pending, attempt: c.tried },
  ],
})

const stopTimer: TwoPhaseCommitOrder = { type: 'stopTimer', timer: 'commit' }

/** What an answer settled, and what is left. */
export function answered(c: TwoPhaseCommitContext, f: TwoPhaseCommitFact): TwoPhaseCommitStep {
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

export function answeredAndTryAgain(c: TwoPhaseCommitContext, f: TwoPhaseCommitFact): TwoPhaseCommitStep {
  const { next, orders } = answered(c, f)
  return { next, orders: [...orders, ...commit({ ...c, ...next }).orders] }
}

export function answeredAndFail(c: TwoPhaseCommitContext, f: TwoPhaseCommitFact): TwoPhaseCommitStep {
  const { next, orders } = answered(c, f)
  const failed = f.type === 'commit.answered' ? f.failed : null
  const cause = failed?.cause ?? usedUp(c, (next.pending ?? []).length)
  return { next, orders: [...orders, { type: 'failTask', checkpointId: c.checkpointId, cause }] }
}

const usedUp = (c: TwoPhaseCommitContext, left: number): Cause => ({
  code: 'COMMIT_FAILED',
  message: `${left} committable(s) of checkpoint ${c.checkpointId} asked to be committed later, after ${c.retries} retries.`,
  restartHelps: true,
  thrown: null,
})

export const threw = (c: TwoPhaseCommitContext, f: TwoPhaseCommitFact): TwoPhaseCommitStep => ({
  next: {},
  orders:
    f.type === 'commit.failed' ? [stopTimer, { type: 'failTask', checkpointId: c.checkpointId, cause: f.cause }] : [],
})

export const expired = (c: TwoPhaseCommitContext, f: TwoPhaseCommitFact): TwoPhaseCommitStep => ({
  next: {},
  orders:
    f.type === 'commit.failed'
      ? [stopTimer, { type: 'reportExpired', checkpointId: c.checkpointId, cause: f.cause }]
      : [],
})

export const timedOut = (c: TwoPhaseCommitContext): TwoPhaseCommitStep => ({
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

export const incomplete = (c: TwoPhaseCommitContext): TwoPhaseCommitStep => ({
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
