/**
 * One checkpoint from its id to its end: who has acknowledged it, whether it still can complete, and what it leaves
 * behind. One actor a pending checkpoint. It never decides when it is its turn to be made durable.
 */
import { setup } from 'xstate'
import type { Barrier } from './alignment-vocabulary.ts'
import type { Cause } from './cause.ts'
import type {
  AbortReport,
  AcknowledgeAnswer,
  AcknowledgeResult,
  Json,
  PendingStart,
  SavepointOptions,
  TaskAttempt,
} from './checkpoint-coordinator-vocabulary.ts'

export interface Acknowledged extends TaskAttempt {
  /** Where the state of the subtask lies. */
  readonly handles: Json
}

/** Every fact names the checkpoint: one of another id is not for this actor. `atMs` is monotonic. */
export type PendingFact = { readonly atMs: number; readonly checkpointId: number } & (
  | ({ readonly type: 'task.acknowledged' } & Acknowledged)
  | ({
      readonly type: 'task.declined'
      readonly reason: string
      readonly message: string
      /** What was thrown there; null: nothing was. */
      readonly cause: Cause | null
    } & TaskAttempt)
  | ({ readonly type: 'task.failed'; readonly message: string } & TaskAttempt)
  /** It ended by itself before it met this checkpoint: an older one was its final one, or it waits for none. */
  | ({ readonly type: 'task.finished' } & TaskAttempt)
  | { readonly type: 'coordinators.acknowledged'; readonly snapshots: Json }
  | { readonly type: 'finalization.granted' }
  | { readonly type: 'metadata.published'; readonly handle: Json; readonly bytes: number; readonly path: string | null }
  | {
      readonly type: 'metadata.notPublished'
      readonly reason: string
      readonly message: string
      /** Whether it may have become visible all the same. */
      readonly visible: 'no' | 'unknown'
    }
  | { readonly type: 'abort.ordered'; readonly reason: string; readonly message: string }
  | { readonly type: 'timer.fired'; readonly name: string }
)

export type PendingOrder =
  | { readonly type: 'startTimer'; readonly name: string; readonly delayMs: number }
  | { readonly type: 'cancelTimer'; readonly name: string }
  | ({ readonly type: 'answerAcknowledgement' } & AcknowledgeAnswer)
  /** State that no checkpoint will use. */
  | ({ readonly type: 'discardHandles'; readonly checkpointId: number } & Acknowledged)
  /** Tasks have finished that others wait for behind them: whoever has nobody running before it starts the barriers. */
  | {
      readonly type: 'triggerTasksBehind'
      readonly barrier: Barrier
      readonly options: SavepointOptions | null
    }
  /** Everybody has acknowledged. */
  | { readonly type: 'reportAcknowledged'; readonly checkpointId: number }
  /** Make the metadata durable and visible. Answer metadata.published or metadata.notPublished. */
  | ({ readonly type: 'publishMetadata' } & Publication)
  | {
      readonly type: 'reportCompleted'
      readonly checkpointId: number
      readonly handle: Json
      readonly bytes: number
      readonly path: string | null
    }
  /** Delete all that was written for it. */
  | {
      readonly type: 'discardPending'
      readonly checkpointId: number
      readonly acknowledged: readonly Acknowledged[]
      readonly coordinators: Json
    }
  | ({ readonly type: 'reportAborted' } & AbortReport)

/** What the metadata is made of. */
export interface Publication extends Omit<PendingStart, 'timeoutMs' | 'waitFor'> {
  /** In the order of the plan, not of arrival. */
  readonly acknowledged: readonly Acknowledged[]
  readonly coordinators: Json
}

interface Context extends PendingStart {
  readonly acknowledged: readonly Acknowledged[]
  /** null: the coordinators of the operators have not acknowledged. */
  readonly coordinators: { readonly snapshots: Json } | null
  /** A task has finished that was to be triggered, or to pass the barrier on, before any task was triggered. */
  readonly isPlanStale: boolean
}

interface Step {
  readonly next: Partial<Context>
  readonly orders: readonly PendingOrder[]
}

const nothing: Step = { next: {}, orders: [] }
const expiry = ({ checkpointId }: PendingStart) => `expiry@${checkpointId}`
const isSame = (one: TaskAttempt) => (other: TaskAttempt) => one.task === other.task && one.attempt === other.attempt

const isAwaited = ({ waitFor, acknowledged }: Context, fact: PendingFact) =>
  'task' in fact && waitFor.some(isSame(fact)) && !acknowledged.some(isSame(fact))
const isAwaitedToStop = (context: Context, fact: PendingFact) =>
  context.kind === 'synchronousSavepoint' && isAwaited(context, fact)

const pending = setup({
  types: { context: {} as Context, events: {} as PendingFact, emitted: {} as PendingOrder, input: {} as PendingStart },
  guards: {
    isAwaited: ({ context, event }) => isAwaited(context, event),
    isExpected: ({ context, event }) => 'task' in event && context.waitFor.some(isSame(event)),
    isOneOfThoseThatStop: ({ context, event }) => isAwaitedToStop(context, event) && context.waitFor.length > 1,
    isLastOfThoseThatStop: ({ context, event }) => isAwaitedToStop(context, event),
    isExpiry: ({ context, event }) => event.type === 'timer.fired' && event.name === expiry(context),
    allAcknowledged: ({ context }) =>
      context.coordinators !== null && context.acknowledged.length === context.waitFor.length,
  },
})

const apply = (decide: (context: Context, fact: PendingFact) => Step) =>
  pending.enqueueActions(({ context, event, enqueue }) => {
    const step = decide(context, event)
    enqueue.assign(step.next)
    for (const order of step.orders) enqueue.emit(order)
  })

function answer({ checkpointId }: Context, { task, attempt }: TaskAttempt, result: AcknowledgeResult): PendingOrder {
  return { type: 'answerAcknowledgement', checkpointId, task, attempt, result, known: true }
}

function take(context: Context, fact: PendingFact): Step {
  if (fact.type !== 'task.acknowledged') return nothing
  const { task, attempt, handles } = fact
  return {
    next: { acknowledged: [...context.acknowledged, { task, attempt, handles }] },
    orders: [answer(context, fact, 'SUCCESS')],
  }
}

/** The same state was told of before: nothing of it is to be deleted. */
function takeAgain(context: Context, fact: PendingFact): Step {
  return fact.type === 'task.acknowledged' ? { next: {}, orders: [answer(context, fact, 'DUPLICATE')] } : nothing
}

const leave =
  (result: 'UNKNOWN' | 'DISCARDED') =>
  (context: Context, fact: PendingFact): Step => {
    if (fact.type !== 'task.acknowledged') return nothing
    const { task, attempt, handles } = fact
    const { checkpointId } = context
    return {
      next: {},
      orders: [{ type: 'discardHandles', checkpointId, task, attempt, handles }, answer(context, fact, result)],
    }
  }

function takeCoordinators(context: Context, fact: PendingFact): Step {
  if (fact.type !== 'coordinators.acknowledged') return nothing
  return {
    next: { coordinators: { snapshots: fact.snapshots } },
    orders: context.isPlanStale ? [triggerBehind(context)] : [],
  }
}

/** Of a savepoint that stops the job: nothing is in flight in it, so its barriers overtake nothing. */
function triggerBehind({ checkpointId, timestamp, kind, options }: Context): PendingOrder {
  const barrier: Barrier = { checkpointId, timestamp, kind, mode: 'aligned', format: options?.format ?? 'canonical' }
  return { type: 'triggerTasksBehind', barrier, options }
}

function publish(context: Context): Step {
  const { timeoutMs: _timeout, waitFor, coordinators, acknowledged, isPlanStale: _stale, ...start } = context
  const inOrder = waitFor.flatMap((task) => acknowledged.find(isSame(task)) ?? [])
  return {
    next: {},
    orders: [
      { type: 'cancelTimer', name: expiry(context) },
      { type: 'publishMetadata', ...start, acknowledged: inOrder, coordinators: coordinators?.snapshots ?? null },
    ],
  }
}

function completed({ checkpointId }: Context, fact: PendingFact): Step {
  if (fact.type !== 'metadata.published') return nothing
  const { handle, bytes, path } = fact
  return { next: {}, orders: [{ type: 'reportCompleted', checkpointId, handle, bytes, path }] }
}

function notPublished(context: Context, fact: PendingFact): Step {
  if (fact.type !== 'metadata.notPublished') return nothing
  const { reason, message, visible } = fact
  const report: PendingOrder = {
    type: 'reportAborted',
    checkpointId: context.checkpointId,
    reason,
    message,
    cause: null,
    task: null,
    visible,
  }
  return { next: {}, orders: visible === 'no' ? [discard(context), report] : [report] }
}

function discard({ checkpointId, acknowledged, coordinators }: Context): PendingOrder {
  return { type: 'discardPending', checkpointId, acknowledged, coordinators: coordinators?.snapshots ?? null }
}

function giveUp(
  context: Context,
  reason: string,
  message: string,
  task: TaskAttempt | null,
  cause: Cause | null = null,
): Step {
  const { checkpointId } = context
  return {
    next: {},
    orders: [
      { type: 'cancelTimer', name: expiry(context) },
      discard(context),
      { type: 'reportAborted', checkpointId, reason, message, cause, task, visible: 'no' },
    ],
  }
}

function declined(context: Context, fact: PendingFact): Step {
  if (fact.type !== 'task.declined') return nothing
  const { task, attempt, reason, message, cause } = fact
  return giveUp(context, reason, message, { task, attempt }, cause)
}

function taskFailed(context: Context, fact: PendingFact): Step {
  if (fact.type !== 'task.failed') return nothing
  return giveUp(
    context,
    'TASK_FAILURE',
    `Subtask ${fact.task} failed before it had acknowledged: ${fact.message}`,
    null,
  )
}

/**
 * The savepoint that stops the job: others may have stopped for it and cannot go on, and nothing is missing of a task that
 * has finished. It counts as one that had finished before, and passes no barrier on.
 */
function goOnWithout(context: Context, fact: PendingFact): Step {
  if (fact.type !== 'task.finished') return nothing
  const isTriggered = context.coordinators !== null
  return {
    next: {
      waitFor: context.waitFor.filter((one) => !isSame(fact)(one)),
      finished: [...context.finished, fact.task],
      isPlanStale: !isTriggered,
    },
    orders: isTriggered ? [triggerBehind(context)] : [],
  }
}

/** Nobody is left to stop, so nobody stands still for it either: no task is to blame. */
function allFinished(context: Context): Step {
  return giveUp(
    context,
    'CHECKPOINT_DECLINED_TASK_CLOSING',
    'Every subtask finished by itself before it had acknowledged.',
    null,
  )
}

function taskFinished(context: Context, fact: PendingFact): Step {
  if (fact.type !== 'task.finished') return nothing
  const { task, attempt } = fact
  return giveUp(context, 'CHECKPOINT_DECLINED_TASK_CLOSING', `Subtask ${task} finished before it had acknowledged.`, {
    task,
    attempt,
  })
}

function expired(context: Context): Step {
  const { waitFor, acknowledged, timeoutMs } = context
  const missing = waitFor.filter((one) => !acknowledged.some(isSame(one))).map(({ task }) => task)
  if (context.coordinators === null) missing.push('coordinators of operators')
  const whom = missing.length > 0 ? missing.join(', ') : 'its turn to be made durable'
  return giveUp(context, 'CHECKPOINT_EXPIRED', `Not complete within ${timeoutMs} ms; waiting for ${whom}.`, null)
}

/** The coordinator gave it up and has told everybody: nothing is left to report. */
function abandoned(context: Context): Step {
  return { next: {}, orders: [{ type: 'cancelTimer', name: expiry(context) }, discard(context)] }
}

export const pendingCheckpoint = pending.createMachine({
  id: 'pendingCheckpoint',
  context: ({ input }) => ({ ...input, acknowledged: [], coordinators: null, isPlanStale: false }),
  initial: 'open',
  states: {
    /** It can still be given up. */
    open: {
      initial: 'collecting',
      entry: apply((context) => ({
        next: {},
        orders: [{ type: 'startTimer', name: expiry(context), delayMs: context.timeoutMs }],
      })),
      on: {
        'task.declined': { guard: 'isExpected', target: 'aborted', actions: apply(declined) },
        'timer.fired': { guard: 'isExpiry', target: 'aborted', actions: apply(expired) },
        'abort.ordered': { target: 'aborted', actions: apply(abandoned) },
        'task.acknowledged': [{ guard: 'isExpected', actions: apply(takeAgain) }, { actions: apply(leave('UNKNOWN')) }],
      },
      states: {
        collecting: {
          always: {
            guard: 'allAcknowledged',
            target: 'acknowledged',
            actions: apply(({ checkpointId }) => ({
              next: {},
              orders: [{ type: 'reportAcknowledged', checkpointId }],
            })),
          },
          on: {
            'task.acknowledged': [
              { guard: 'isAwaited', actions: apply(take) },
              { guard: 'isExpected', actions: apply(takeAgain) },
              { actions: apply(leave('UNKNOWN')) },
            ],
            'coordinators.acknowledged': { actions: apply(takeCoordinators) },
            'task.failed': { guard: 'isAwaited', target: '#pendingCheckpoint.aborted', actions: apply(taskFailed) },
            'task.finished': [
              { guard: 'isOneOfThoseThatStop', actions: apply(goOnWithout) },
              { guard: 'isLastOfThoseThatStop', target: '#pendingCheckpoint.aborted', actions: apply(allFinished) },
              { guard: 'isAwaited', target: '#pendingCheckpoint.aborted', actions: apply(taskFinished) },
            ],
          },
        },
        /** By everybody; others are being made durable before it. */
        acknowledged: {
          on: { 'finalization.granted': { target: '#pendingCheckpoint.finalizing', actions: apply(publish) } },
        },
      },
    },
    /** Whether it is visible to a recovery will be known soon; until then nothing gives it up. */
    finalizing: {
      on: {
        'metadata.published': { target: 'completed', actions: apply(completed) },
        'metadata.notPublished': { target: 'aborted', actions: apply(notPublished) },
        'task.acknowledged': [{ guard: 'isExpected', actions: apply(takeAgain) }, { actions: apply(leave('UNKNOWN')) }],
      },
    },
    completed: {
      on: {
        'task.acknowledged': [{ guard: 'isExpected', actions: apply(takeAgain) }, { actions: apply(leave('UNKNOWN')) }],
      },
    },
    aborted: { on: { 'task.acknowledged': { actions: apply(leave('DISCARDED')) } } },
  },
})
