/**
 * How requests and checkpoints end: rejected, aborted, completed. Pure steps; which of them is legal when, the chart says.
 */
import { countFailure, countSuccess } from './checkpoint-coordinator-failures.ts'
import { isSavepoint } from './checkpoint-coordinator-queue.ts'
import { retain } from './checkpoint-coordinator-retention.ts'
import type {
  AbortReport,
  CheckpointRequest,
  CoordinatorContext,
  CoordinatorFact,
  CoordinatorOrder,
  CoordinatorStep,
  Pending,
} from './checkpoint-coordinator-vocabulary.ts'

export type Decide = (context: CoordinatorContext, fact: CoordinatorFact) => CoordinatorStep

export const nothing: CoordinatorStep = { next: {}, orders: [] }

/** One step after the other, each seeing what those before it changed. */
export const inTurn =
  (...decides: readonly Decide[]): Decide =>
  (context, fact) => {
    let now = context
    const orders: CoordinatorOrder[] = []
    for (const decide of decides) {
      const step = decide(now, fact)
      now = { ...now, ...step.next }
      orders.push(...step.orders)
    }
    return { next: now, orders }
  }

/** As many ids of ended checkpoints as are remembered to tell late messages from wrong ones. */
const REMEMBERED = 16

const remember = (ids: readonly number[], id: number) => [...ids, id].slice(-REMEMBERED)

const latestCompletedId = ({ completed }: CoordinatorContext) => completed.at(-1)?.checkpointId ?? null

/** A request that never became a checkpoint. */
export function reject(request: CheckpointRequest, reason: string, message: string): Decide {
  return (context) => {
    const { requestId, kind } = request
    const { failures, failsJob } = countFailure(
      context.failures,
      { checkpointId: null, kind, reason, byTask: false },
      context.settings.tolerableFailures,
    )
    const orders: CoordinatorOrder[] = []
    if (requestId !== null) orders.push({ type: 'rejectRequest', requestId, checkpointId: null, kind, reason, message })
    orders.push({
      type: 'report',
      event: { type: 'checkpoint.rejected', kind, periodic: requestId === null, reason, message },
    })
    if (failsJob) orders.push({ type: 'failJob', reason, message, cause: null, checkpointId: null, task: null })
    return { next: { failures }, orders }
  }
}

export const rejectQueued =
  (reason: string, message: string): Decide =>
  (context, fact) =>
    inTurn(...context.queue.map((request) => reject(request, reason, message)), () => ({
      next: { queue: [] },
      orders: [],
    }))(context, fact)

/** Everything pending but the one that is being made durable: what becomes of that is known when it is settled. */
export const abortAll =
  (reason: string, message: string): Decide =>
  (context, fact) =>
    inTurn(
      ...context.pending
        .filter(({ checkpointId }) => checkpointId !== context.finalizing)
        .map(({ checkpointId }) => orderAbort(checkpointId, reason, message)),
    )(context, fact)

export const orderAbort =
  (checkpointId: number, reason: string, message: string): Decide =>
  (context, fact) =>
    inTurn(
      () => ({ next: {}, orders: [{ type: 'abortPending', checkpointId, reason, message }] }),
      abort({ checkpointId, reason, message, cause: null, task: null, visible: 'no' }),
    )(context, fact)

/**
 * A pending checkpoint is given up, and whoever took part is told in the same step, so that no later completion
 * overtakes the news. An id that is not pending any more is not aborted again.
 */
export function abort(report: AbortReport): Decide {
  const { checkpointId, reason, message, cause, task } = report
  return (context, fact) => {
    const pending = context.pending.find((one) => one.checkpointId === checkpointId)
    if (pending === undefined) return nothing
    const { kind, timestamp, requestId } = pending
    const counted = countFailure(
      context.failures,
      { checkpointId, kind, reason, byTask: task !== null },
      context.settings.tolerableFailures,
    )
    const unclear = report.visible === 'unknown'
    const orders: CoordinatorOrder[] = [
      {
        type: 'notifyAborted',
        checkpointId,
        timestamp,
        tasks: pending.commitTo,
        latestCompletedId: latestCompletedId(context),
      },
      { type: 'releasePending', checkpointId },
    ]
    if (requestId !== null) orders.push({ type: 'rejectRequest', requestId, checkpointId, kind, reason, message })
    const durationMs = fact.atMs - pending.startedAtMs
    orders.push({
      type: 'report',
      event: { type: 'checkpoint.aborted', checkpointId, kind, timestamp, durationMs, reason, message },
    })
    if (counted.failsJob || unclear) orders.push({ type: 'failJob', reason, message, cause, checkpointId, task })
    if (unclear) orders.push({ type: 'readStore' })
    return {
      next: {
        ...withoutPending(context, pending),
        // While the store is read again, it is as if the metadata were still being written.
        finalizing: context.finalizing === checkpointId && !unclear ? null : context.finalizing,
        failures: counted.failures,
        cleaning: context.cleaning + (unclear ? 0 : 1),
        recentlyExpired:
          reason === 'CHECKPOINT_EXPIRED' ? remember(context.recentlyExpired, checkpointId) : context.recentlyExpired,
        looks: context.looks + 1,
      },
      orders,
    }
  }
}

function withoutPending(context: CoordinatorContext, { checkpointId }: Pending): Partial<CoordinatorContext> {
  return {
    pending: context.pending.filter((one) => one.checkpointId !== checkpointId),
    ready: context.ready.filter((id) => id !== checkpointId),
    triggering: context.triggering?.checkpointId === checkpointId ? null : context.triggering,
  }
}

/** The metadata is durable. Only a checkpoint enters the store; a savepoint ends here, unless the job stops with it. */
export function complete(context: CoordinatorContext, fact: CoordinatorFact): CoordinatorStep {
  if (fact.type !== 'pending.completed') return nothing
  const pending = context.pending.find((one) => one.checkpointId === fact.checkpointId)
  if (pending === undefined) return nothing
  return inTurn(
    store(pending),
    conclude(pending),
    ...(pending.kind === 'savepoint' ? [] : [subsumePending(pending), notify(pending, context)]),
  )(context, fact)
}

function store({ checkpointId, kind }: Pending): Decide {
  return (context, fact) => {
    if (fact.type !== 'pending.completed' || isSavepoint(kind)) return nothing
    const added = { checkpointId, kind, handle: fact.handle, discardable: true }
    const { kept, subsumed } = retain(context.completed, added, context.settings.numRetained)
    const discarded = subsumed.filter((one) => one.discardable)
    return {
      next: { completed: kept, forceFull: false, cleaning: context.cleaning + discarded.length },
      orders: discarded.map((one) => ({ type: 'discardCheckpoint', ...one })),
    }
  }
}

function conclude(pending: Pending): Decide {
  return (context, fact) => {
    if (fact.type !== 'pending.completed') return nothing
    const { checkpointId, kind, timestamp, requestId } = pending
    const { handle, bytes, path } = fact
    const durationMs = fact.atMs - pending.startedAtMs
    const orders: CoordinatorOrder[] = [{ type: 'releasePending', checkpointId }]
    if (requestId !== null) orders.push({ type: 'answerRequest', requestId, checkpointId, handle, path })
    orders.push({
      type: 'report',
      event: { type: 'checkpoint.completed', checkpointId, kind, timestamp, durationMs, bytes, path },
    })
    return {
      next: {
        ...withoutPending(context, pending),
        finalizing: null,
        failures: countSuccess(context.failures, checkpointId),
        recentlyCompleted: remember(context.recentlyCompleted, checkpointId),
        lastCompletionAtMs: fact.atMs,
        looks: context.looks + 1,
      },
      orders,
    }
  }
}

/** Older ones are of no use now; a savepoint always is, for it was asked for. */
function subsumePending({ checkpointId }: Pending): Decide {
  return (context, fact) =>
    inTurn(
      ...context.pending
        .filter((one) => one.checkpointId < checkpointId && !isSavepoint(one.kind))
        .map((one) =>
          orderAbort(one.checkpointId, 'CHECKPOINT_SUBSUMED', `Checkpoint ${checkpointId} completed before it.`),
        ),
    )(context, fact)
}

function notify({ checkpointId, timestamp, commitTo }: Pending, before: CoordinatorContext): Decide {
  return (context) => {
    const left = (id: number) => !context.completed.some((one) => one.checkpointId === id)
    const subsumed = before.completed.filter((one) => one.discardable && left(one.checkpointId)).at(-1)
    const subsumedId = subsumed?.checkpointId ?? null
    return { next: {}, orders: [{ type: 'notifyComplete', checkpointId, timestamp, tasks: commitTo, subsumedId }] }
  }
}

/** The store was read after it was unclear what is in it: it is right. */
export function adoptStore(_: CoordinatorContext, fact: CoordinatorFact): CoordinatorStep {
  if (fact.type === 'store.read') return { next: { completed: fact.completed, finalizing: null }, orders: [] }
  if (fact.type !== 'store.notRead') return nothing
  const { message } = fact
  return {
    next: { finalizing: null },
    orders: [{ type: 'failJob', reason: 'IO_EXCEPTION', message, cause: null, checkpointId: null, task: null }],
  }
}

/** State for a checkpoint that is not pending: it is deleted, unless it may belong to one that completed. */
export function answerLate(context: CoordinatorContext, fact: CoordinatorFact): CoordinatorStep {
  if (fact.type !== 'task.acknowledged') return nothing
  const { checkpointId, task, attempt, handles } = fact
  const of = { checkpointId, task, attempt }
  if (
    context.recentlyCompleted.includes(checkpointId) ||
    context.completed.some((one) => one.checkpointId === checkpointId)
  )
    return { next: {}, orders: [{ type: 'answerAcknowledgement', ...of, result: 'DUPLICATE', known: false }] }
  const known = context.recentlyExpired.includes(checkpointId)
  return {
    next: {},
    orders: [
      { type: 'discardHandles', ...of, handles },
      { type: 'answerAcknowledgement', ...of, result: known ? 'DISCARDED' : 'UNKNOWN', known },
    ],
  }
}
