/**
 * From a request to the message that starts the barriers. Pure steps; which of them is legal when, the chart says.
 */
import type { Barrier } from './alignment-vocabulary.ts'
import { type Decide, inTurn, nothing, orderAbort, reject } from './checkpoint-coordinator-endings.ts'
import { enqueue, isSavepoint, lookAtQueue } from './checkpoint-coordinator-queue.ts'
import { periodicRequest, plan } from './checkpoint-coordinator-schedule.ts'
import type {
  CheckpointKind,
  CheckpointRequest,
  CoordinatorSettings,
  Pending,
  PendingStart,
  SavepointOptions,
} from './checkpoint-coordinator-vocabulary.ts'

/** Look at the queue for what has happened. */
const look: Decide = (context) => ({ next: { looks: context.looks + 1 }, orders: [] })

export const request: Decide = (context, fact) => {
  if (fact.type !== 'checkpoint.requested') return nothing
  const { requestId, kind, targetDirectory, full, options, atMs } = fact
  return inTurn(admit({ requestId, kind, targetDirectory, full, options, atMs }), look)(context, fact)
}

export const requestPeriodic: Decide = (context, fact) => inTurn(admit(periodicRequest(fact.atMs)), look)(context, fact)

function admit(asked: CheckpointRequest): Decide {
  return (context, fact) => {
    const { queue, refused } = enqueue(context.settings, context.queue, asked)
    const admitted: Decide = () => ({ next: { queue }, orders: [] })
    if (refused === null) return admitted(context, fact)
    const message = `${context.settings.maxQueued} requests for a checkpoint are waiting, and the queue holds no more.`
    return inTurn(admitted, reject(refused, 'TOO_MANY_CHECKPOINT_REQUESTS', message))(context, fact)
  }
}

/** The first request runs: nothing else is triggered until it has an end. */
export const begin: Decide = (context) => {
  const [head, ...queue] = context.queue
  if (head === undefined) return nothing
  return {
    next: { queue, looks: 0, triggering: { request: head, checkpointId: null, timestamp: 0, tasks: [] } },
    orders: [{ type: 'makePlan', kind: head.kind }],
  }
}

/** A tick that came before the pause was over is given up; the next comes when it is. */
export const dropEarly: Decide = (context, fact) => {
  const found = lookAtQueue(context, fact.atMs)
  const [head, ...queue] = context.queue
  if (head === undefined || found.finds !== 'early') return nothing
  const message = `The pause after the last completed checkpoint lasts ${found.remainingMs} ms more.`
  return inTurn(
    () => ({ next: { queue, looks: context.looks - 1 }, orders: [] }),
    reject(head, 'MINIMUM_TIME_BETWEEN_CHECKPOINTS', message),
    (now) => plan(now, fact.atMs + found.remainingMs, fact.atMs),
  )(context, fact)
}

export const noteLook: Decide = (context) => ({ next: { looks: context.looks - 1 }, orders: [] })

/** The trigger has an end, good or bad: the next request may run. */
export const endTrigger: Decide = () => ({ next: { triggering: null, looks: 1 }, orders: [] })

/** No checkpoint comes of the request that was being triggered, and no id is used up. */
export const refuse =
  (reason: string, message: string): Decide =>
  (context, fact) =>
    context.triggering === null
      ? nothing
      : inTurn(reject(context.triggering.request, reason, message), endTrigger)(context, fact)

export const refuseNotRunning: Decide = (context, fact) =>
  fact.type !== 'plan.made'
    ? nothing
    : refuse('NOT_ALL_REQUIRED_TASKS_RUNNING', `Not RUNNING: ${fact.notRunning.join(', ')}.`)(context, fact)

export const refusePlan: Decide = (context, fact) =>
  fact.type !== 'plan.failed' ? nothing : refuse(fact.reason, fact.message)(context, fact)

/** The checkpoint gets its id, which is never given again, and its actor; then operator coordinators write their state. */
export const createPending: Decide = (context, fact) => {
  if (fact.type !== 'plan.made' || context.triggering === null) return nothing
  const { request: asked } = context.triggering
  const { kind, requestId, targetDirectory, options } = asked
  const { timestamp, waitFor, commitTo, finished } = fact
  const checkpointId = context.nextCheckpointId
  const full = asked.full || (context.forceFull && !isSavepoint(kind))
  const { timeoutMs } = context.settings
  const start: PendingStart = {
    checkpointId,
    kind,
    timestamp,
    timeoutMs,
    full,
    targetDirectory,
    options,
    waitFor,
    finished,
  }
  const pending: Pending = { checkpointId, kind, requestId, timestamp, startedAtMs: fact.atMs, full, commitTo }
  return {
    next: {
      nextCheckpointId: checkpointId + 1,
      pending: [...context.pending, pending],
      triggering: { request: asked, checkpointId, timestamp, tasks: fact.trigger },
    },
    orders: [
      { type: 'startPending', ...start },
      { type: 'report', event: { type: 'checkpoint.triggered', checkpointId, kind, timestamp, full } },
      { type: 'snapshotCoordinators', checkpointId, kind, timestamp, full, targetDirectory, options },
    ],
  }
}

export const triggerTasks: Decide = (context, fact) => {
  const { triggering } = context
  if (fact.type !== 'coordinators.acknowledged' || triggering === null) return nothing
  const { checkpointId, snapshots } = fact
  const { kind, options } = triggering.request
  const full = context.pending.some((one) => one.checkpointId === checkpointId && one.full)
  const barrier: Barrier = {
    checkpointId,
    timestamp: triggering.timestamp,
    kind,
    mode: barrierMode(context.settings, kind),
    ...barrierFormat(kind, full, options),
  }
  return {
    next: {},
    orders: [
      { type: 'acknowledgeCoordinators', checkpointId, snapshots },
      { type: 'triggerTasks', barrier, full, options, tasks: triggering.tasks },
    ],
  }
}

export const abortTrigger: Decide = (context, fact) =>
  fact.type !== 'coordinators.failed'
    ? nothing
    : orderAbort(fact.checkpointId, fact.reason, fact.message)(context, fact)

/** A checkpoint that need not be full is what the backend is configured to write. */
function barrierFormat(
  kind: CheckpointKind,
  full: boolean,
  options: SavepointOptions | null,
): { readonly format?: Barrier['format'] } {
  if (isSavepoint(kind)) return { format: options?.format ?? 'canonical' }
  return full ? { format: 'full' } : {}
}

/** A savepoint holds no records in flight, so its barriers are always aligned. */
function barrierMode(settings: CoordinatorSettings, kind: CheckpointKind): Barrier['mode'] {
  if (!settings.unaligned || isSavepoint(kind)) return 'aligned'
  return settings.alignedTimeoutMs > 0 ? 'timeoutable' : 'unaligned'
}
