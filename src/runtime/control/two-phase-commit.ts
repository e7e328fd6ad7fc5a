/**
 * The two-phase commit of one sink in one subtask: a chart for every transaction, which it lets commit one at a time, in the
 * order of checkpoint ids. It holds the committables; what becomes of them is the charts' decision.
 */
import {
  twoPhaseCommit as machine,
  standing,
  type TwoPhaseCommitFact,
  type TwoPhaseCommitOrder,
} from '#machines/two-phase-commit'
import { assert } from '../../base/assert.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import { StreamError } from '../../base/errors.ts'
import type { CommitWork } from '../../operators/operator.ts'
import type { CommitRequest } from '../../operators/sink.ts'
import type { PendingCommittable, Transactions } from '../../operators/transactions.ts'
import { WorkUnderWay } from '../data/work-under-way.ts'
import type { Causes } from './causes.ts'
import { type ChartHost, type ChartTap, hostChart } from './host-chart.ts'
import { allOf, type Outcome, outcome } from './outcome.ts'
import { whenDone } from './when-done.ts'

/** `commit` is called once per transaction and try, `abort` for a transaction that is open. */
export interface TwoPhaseCommitDeps<C> extends CommitWork<C> {
  /** Names the charts: `job/sink-0#1/transactions`. */
  readonly id: string
  readonly clock: Clock
  readonly causes: Causes
  /** `sink.committer.retries`. */
  readonly retries: number
  readonly commitTimeoutMs: number
  /** Whether checkpoints will complete; without them the end of input commits. */
  readonly checkpointing: boolean
  /** A restored transaction that began longer ago may fail to commit; left out: never. */
  readonly ignoreFailuresAfterMs?: number | undefined
  /** Has become visible. */
  committed?(committable: C, checkpointId: number): void
  /** A restored transaction was given up because of its age. */
  expired?(checkpointId: number, cause: unknown): void
  /** A chart or this host is broken. */
  failed(cause: Error): void
  readonly tap?: ChartTap | undefined
}

interface Transaction<C> {
  readonly host: ChartHost<typeof machine>
  readonly committables: C[]
  readonly startedAtMs: number
  timer: Timer | undefined
  /** Settled when the transaction is; a new one after an error that it outlives. */
  outcome: Outcome
  aborting: Promise<void> | undefined
}

export function twoPhaseCommit<C>(deps: TwoPhaseCommitDeps<C>): Transactions<C> {
  let open: Transaction<C> | undefined
  /** All but the open one, by checkpoint id. */
  let transactions: Transaction<C>[] = []
  let made = 0
  const underWay = new WorkUnderWay()

  const make = (committables: readonly C[], startedAtMs: number): Transaction<C> => {
    made += 1
    const transaction: Transaction<C> = {
      committables: [...committables],
      startedAtMs,
      timer: undefined,
      outcome: outcome(),
      aborting: undefined,
      host: hostChart(machine, {
        id: `${deps.id}/${made}`,
        input: {
          retries: deps.retries,
          commitTimeoutMs: deps.commitTimeoutMs,
          ignoreFailuresAfterMs: deps.ignoreFailuresAfterMs ?? null,
          startedAtMs,
        },
        obey: (order) => obey(transaction, order),
        failed: deps.failed,
        tap: deps.tap,
      }),
    }
    transaction.host.start()
    return transaction
  }

  const obey = (transaction: Transaction<C>, order: TwoPhaseCommitOrder) => {
    switch (order.type) {
      case 'commit':
        return commit(transaction, order)
      case 'startTimer':
        transaction.timer = deps.clock.setTimer(order.delayMs, () =>
          tell(transaction, { type: 'timer.fired', timer: order.timer }),
        )
        return
      case 'stopTimer':
        return transaction.timer?.cancel()
      case 'reportCommitted':
        for (const place of order.places) deps.committed?.(transaction.committables[place] as C, order.checkpointId)
        return
      case 'abortTransaction':
        transaction.aborting = allOf(transaction.committables.map(async (each) => deps.abort?.(each)))
        return
      case 'reportExpired':
        return deps.expired?.(order.checkpointId, deps.causes.thrown(order.cause))
      case 'failTask':
        transaction.outcome.reject(deps.causes.thrown(order.cause))
        // The transaction may outlive this error: whoever waits for it next gets an answer of its own.
        if (standing(transaction.host.snapshot()).phase === 'preCommitted') transaction.outcome = outcome()
        return
      default:
        return order satisfies never
    }
  }

  const commit = (transaction: Transaction<C>, order: Extract<TwoPhaseCommitOrder, { type: 'commit' }>) => {
    const retryLater: number[] = []
    const failed: { readonly place: number; readonly reason: unknown }[] = []
    const requests = order.places.map(
      (place): CommitRequest<C> => ({
        committable: transaction.committables[place] as C,
        checkpointId: order.checkpointId,
        attempt: order.attempt,
        retryLater: () => void retryLater.push(place),
        alreadyCommitted: () => {},
        failed: (reason) => void failed.push({ place, reason }),
      }),
    )
    whenDone(
      () => {
        const committing = deps.commit(requests)
        if (committing instanceof Promise) underWay.watch(committing)
        return committing
      },
      () => {
        const first = failed[0]
        const refused = first && {
          places: failed.map(({ place }) => place),
          cause: deps.causes.of(first.reason, 'COMMIT_FAILED'),
        }
        tell(transaction, { type: 'commit.answered', retryLater, failed: refused ?? null })
      },
      (thrown) =>
        tell(transaction, {
          type: 'commit.failed',
          cause: deps.causes.of(thrown, 'COMMIT_FAILED'),
          atMs: deps.clock.now(),
        }),
    )
  }

  const tell = (transaction: Transaction<C>, fact: TwoPhaseCommitFact) => {
    transaction.host.send(fact)
    letNextCommit()
  }

  const phase = (transaction: Transaction<C>) => standing(transaction.host.snapshot()).phase

  const letNextCommit = () => {
    for (;;) {
      transactions = transactions.filter(forgetWhenSettled)
      // A commit that timed out may still be under way.
      if (transactions.some((each) => phase(each) === 'committing' || phase(each) === 'timedOut')) return
      const next = transactions.find((each) => phase(each) === 'due')
      if (next === undefined) return
      next.host.send({ type: 'turn.came' })
    }
  }

  const forgetWhenSettled = (transaction: Transaction<C>): boolean => {
    const now = phase(transaction)
    if (now !== 'committed' && now !== 'expired') return true
    transaction.outcome.resolve()
    return false
  }

  /** Tells all, then waits for those that do not go on waiting themselves; rejects with the first error. */
  const settle = (fact?: TwoPhaseCommitFact): Promise<void> => {
    const before = unsettled().map((transaction) => ({ transaction, promise: transaction.outcome.promise }))
    if (fact !== undefined) for (const { transaction } of before) transaction.host.send(fact)
    const met = before.filter(
      ({ transaction, promise }) => phase(transaction) !== 'preCommitted' || promise !== transaction.outcome.promise,
    )
    letNextCommit()
    return allOf(met.map(({ promise }) => promise))
  }

  const unsettled = () => transactions.filter((each) => ['preCommitted', 'due', 'committing'].includes(phase(each)))

  return {
    begin(transaction) {
      assert(open === undefined, 'a transaction began while another was open')
      open = make([transaction], deps.clock.now())
    },
    preCommitOpen(checkpointId) {
      if (open === undefined) return
      open.host.send({ type: 'transaction.preCommitted', checkpointId, announced: 1, arrived: 1 })
      transactions.push(open)
      open = undefined
    },
    preCommit(checkpointId, committables, announced = committables.length) {
      const earlier = transactions.find((each) => {
        const its = standing(each.host.snapshot())
        return its.phase === 'preCommitted' && its.checkpointId === checkpointId
      })
      if (earlier !== undefined) {
        earlier.committables.push(...committables)
        earlier.host.send({ type: 'committables.arrived', count: committables.length })
      } else if (committables.length > 0 || announced > 0) {
        const transaction = make(committables, deps.clock.now())
        transaction.host.send({
          type: 'transaction.preCommitted',
          checkpointId,
          announced,
          arrived: committables.length,
        })
        transactions.push(transaction)
      }
    },
    restored(pending, stillOpen = []) {
      const groups = grouped(pending)
      for (const { checkpointId, startedAtMs, committables } of groups) {
        const transaction = make(committables, startedAtMs)
        transaction.host.send({ type: 'transaction.restored', checkpointId, count: committables.length })
        transactions.push(transaction)
      }
      const committed = settle()
      const aborted = stillOpen.map((each) => {
        const transaction = make([each], deps.clock.now())
        transaction.host.send({ type: 'transaction.closed' })
        return transaction.aborting
      })
      return allOf([committed, ...aborted])
    },
    complete: (checkpointId) => settle({ type: 'checkpoint.completed', checkpointId }),
    pending: () =>
      transactions.flatMap((each) => {
        const { checkpointId, pending } = standing(each.host.snapshot())
        return pending.map((place) => ({
          checkpointId,
          committable: each.committables[place] as C,
          startedAtMs: each.startedAtMs,
        }))
      }),
    endInput: () => (deps.checkpointing ? Promise.resolve() : settle({ type: 'input.ended' })),
    async close() {
      const closing = open
      open = undefined
      closing?.host.send({ type: 'transaction.closed' })
      const [committing, rest] = [
        transactions.filter((each) => phase(each) === 'committing'),
        transactions.filter((each) => phase(each) !== 'committing'),
      ]
      transactions = committing
      for (const each of rest) {
        each.outcome.reject(closedBeforeCommit())
        each.host.stop()
      }
      await Promise.allSettled(committing.map((each) => each.outcome.promise))
      await closing?.aborting
      // Of those that timed out, too: a commit of this attempt must not run beside the next one's.
      await underWay.settled()
    },
  }
}

/** One transaction for what one subtask pre-committed with one checkpoint, the oldest first. */
function grouped<C>(pending: readonly PendingCommittable<C>[]) {
  const groups: { checkpointId: number; startedAtMs: number; committables: C[] }[] = []
  for (const { checkpointId, startedAtMs, committable } of pending) {
    const group = groups.find((each) => each.checkpointId === checkpointId && each.startedAtMs === startedAtMs)
    if (group === undefined) groups.push({ checkpointId, startedAtMs, committables: [committable] })
    else group.committables.push(committable)
  }
  return groups.sort((one, other) => one.checkpointId - other.checkpointId)
}

const closedBeforeCommit = () =>
  new StreamError('COMMIT_FAILED', {
    message: 'The sink was closed before its commit.',
    hint: 'Nothing is lost: it stands in the checkpoint and is committed by whoever restores that.',
  })
