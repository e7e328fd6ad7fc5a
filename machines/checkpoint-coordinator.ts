/**
 * When checkpoints are triggered, which of them complete and in which order, and what happens to those that do not.
 * It never counts acknowledgements: each pending checkpoint has an actor of its own for that. Made anew from the
 * checkpoint store at every start, never from a persisted actor.
 */
import { and, not, setup, stateIn } from 'xstate'
import * as endings from './checkpoint-coordinator-endings.ts'
import { inTurn, nothing } from './checkpoint-coordinator-endings.ts'
import { noFailures } from './checkpoint-coordinator-failures.ts'
import { lookAtQueue } from './checkpoint-coordinator-queue.ts'
import { staysAtEnd } from './checkpoint-coordinator-retention.ts'
import * as schedule from './checkpoint-coordinator-schedule.ts'
import * as trigger from './checkpoint-coordinator-trigger.ts'
import type {
  Completed,
  CoordinatorContext,
  CoordinatorFact,
  CoordinatorInput,
  CoordinatorOrder,
  CoordinatorStep,
} from './checkpoint-coordinator-vocabulary.ts'

const SUSPENDED = ['CHECKPOINT_COORDINATOR_SUSPEND', 'Checkpointing was stopped.'] as const
const SHUT_DOWN = ['CHECKPOINT_COORDINATOR_SHUTDOWN', 'The checkpoint coordinator is shut down.'] as const

const coordinator = setup({
  types: {
    context: {} as CoordinatorContext,
    events: {} as CoordinatorFact,
    emitted: {} as CoordinatorOrder,
    input: {} as CoordinatorInput,
  },
  guards: {
    lookDue: ({ context }) => context.looks > 0,
    headMayRun: ({ context, event }) => lookAtQueue(context, event.atMs).finds === 'run',
    headIsEarly: ({ context, event }) => lookAtQueue(context, event.atMs).finds === 'early',
    isTick: ({ context, event }) => schedule.isTick(context, event),
    isPeriodic: ({ context }) => context.triggering?.request.requestId === null,
    tasksMissing: ({ event }) => event.type === 'plan.made' && event.notRunning.length > 0,
    triggerGone: ({ context }) => context.triggering === null,
    ofTrigger: ({ context, event }) =>
      'checkpointId' in event && context.triggering?.checkpointId === event.checkpointId,
    oneIsReady: ({ context }) => context.ready.length > 0,
    ofFinalizing: ({ context, event }) => 'checkpointId' in event && context.finalizing === event.checkpointId,
    ofUnclear: ({ context, event }) =>
      event.type === 'pending.aborted' && event.visible === 'unknown' && context.finalizing === event.checkpointId,
    allSettled: ({ context }) => context.finalizing === null,
  },
})

const apply = (decide: (context: CoordinatorContext, fact: CoordinatorFact) => CoordinatorStep) =>
  coordinator.enqueueActions(({ context, event, enqueue }) => {
    const step = decide(context, event)
    enqueue.assign(step.next)
    for (const order of step.orders) enqueue.emit(order)
  })

const stopScheduler = inTurn(
  (context, fact) => schedule.plan(context, null, fact.atMs),
  endings.rejectQueued(...SUSPENDED),
  endings.abortAll(...SUSPENDED),
)

/** Acknowledged by everybody; its turn to be made durable comes in the order of these facts. */
function line(context: CoordinatorContext, fact: CoordinatorFact): CoordinatorStep {
  if (fact.type !== 'pending.acknowledged' || !context.pending.some((one) => one.checkpointId === fact.checkpointId))
    return nothing
  return { next: { ready: [...context.ready, fact.checkpointId] }, orders: [] }
}

function finalize(context: CoordinatorContext): CoordinatorStep {
  const [checkpointId, ...ready] = context.ready
  if (checkpointId === undefined) return nothing
  return { next: { ready, finalizing: checkpointId }, orders: [{ type: 'finalizeCheckpoint', checkpointId }] }
}

function abortReported(context: CoordinatorContext, fact: CoordinatorFact): CoordinatorStep {
  return fact.type === 'pending.aborted' ? endings.abort(fact)(context, fact) : nothing
}

function countDiscards(context: CoordinatorContext, fact: CoordinatorFact): CoordinatorStep {
  if (fact.type === 'discards.started') return { next: { cleaning: context.cleaning + fact.count }, orders: [] }
  if (fact.type !== 'discards.finished') return nothing
  return { next: { cleaning: context.cleaning - fact.count, looks: context.looks + 1 }, orders: [] }
}

const beginShutDown = inTurn(
  (context, fact) => schedule.plan(context, null, fact.atMs),
  endings.rejectQueued(...SHUT_DOWN),
  (context, fact) =>
    context.triggering?.checkpointId === null ? trigger.refuse(...SHUT_DOWN)(context, fact) : nothing,
  endings.abortAll(...SHUT_DOWN),
  (_, fact) => ({ next: fact.type === 'coordinator.shutDown' ? { endStatus: fact.jobStatus } : {}, orders: [] }),
)

function clearStore(context: CoordinatorContext): CoordinatorStep {
  const { completed, endStatus, settings } = context
  if (endStatus === null || staysAtEnd(settings.retention, endStatus)) return nothing
  const discarded = completed.filter((one) => one.discardable)
  return {
    next: { completed: [], cleaning: context.cleaning + discarded.length },
    orders: discarded.map((one) => ({ type: 'discardCheckpoint', ...one })),
  }
}

export const checkpointCoordinator = coordinator.createMachine({
  id: 'checkpointCoordinator',
  context: ({ input }) => ({
    ...input,
    queue: [],
    looks: 0,
    triggering: null,
    pending: [],
    ready: [],
    finalizing: null,
    recentlyExpired: [],
    recentlyCompleted: [],
    cleaning: 0,
    lastCompletionAtMs: null,
    plannedAtMs: null,
    backlogged: [],
    failures: noFailures,
    forceFull: isForcedFull(input),
    endStatus: null,
  }),
  initial: 'active',
  states: {
    active: {
      type: 'parallel',
      on: { 'coordinator.shutDown': { target: 'shuttingDown', actions: apply(beginShutDown) } },
      states: {
        /** Whether time triggers checkpoints. Requests run in either state. */
        scheduler: {
          initial: 'off',
          on: { 'backlog.changed': { actions: apply(schedule.noteBacklog) } },
          states: {
            off: {
              on: {
                'scheduler.started': { target: 'on', actions: apply(schedule.planFirst) },
                'scheduler.stopped': { actions: apply(stopScheduler) },
              },
            },
            on: {
              on: {
                'scheduler.started': { actions: apply(inTurn(stopScheduler, schedule.planFirst)) },
                'scheduler.stopped': { target: 'off', actions: apply(stopScheduler) },
                'backlog.changed': { actions: apply(inTurn(schedule.noteBacklog, schedule.planForBacklog)) },
                'timer.fired': { guard: 'isTick', actions: apply(inTurn(schedule.planNext, trigger.requestPeriodic)) },
              },
            },
          },
        },
        /** One request at a time, from its turn in the queue until the tasks are triggered. */
        trigger: {
          initial: 'idle',
          on: { 'checkpoint.requested': { actions: apply(trigger.request) } },
          states: {
            idle: {
              always: [
                { guard: and(['lookDue', 'headMayRun']), target: 'planning', actions: apply(trigger.begin) },
                { guard: and(['lookDue', 'headIsEarly']), actions: apply(trigger.dropEarly) },
                { guard: 'lookDue', actions: apply(trigger.noteLook) },
              ],
            },
            planning: {
              on: {
                'plan.failed': { target: 'idle', actions: apply(trigger.refusePlan) },
                'plan.made': [
                  {
                    guard: and(['isPeriodic', not(stateIn({ active: { scheduler: 'on' } }))]),
                    target: 'idle',
                    actions: apply(trigger.refuse('PERIODIC_SCHEDULER_SHUTDOWN', 'Periodic checkpoints were stopped.')),
                  },
                  { guard: 'tasksMissing', target: 'idle', actions: apply(trigger.refuseNotRunning) },
                  { target: 'snapshottingCoordinators', actions: apply(trigger.createPending) },
                ],
              },
            },
            snapshottingCoordinators: {
              always: { guard: 'triggerGone', target: 'idle', actions: apply(trigger.endTrigger) },
              on: {
                'coordinators.acknowledged': {
                  guard: 'ofTrigger',
                  target: 'idle',
                  actions: apply(inTurn(trigger.triggerTasks, trigger.endTrigger)),
                },
                'coordinators.failed': { guard: 'ofTrigger', actions: apply(trigger.abortTrigger) },
              },
            },
          },
        },
        /** One checkpoint at a time is made durable, so that none completes behind a newer one's back. */
        completion: {
          initial: 'collecting',
          on: {
            'pending.acknowledged': { actions: apply(line) },
            'pending.aborted': { actions: apply(abortReported) },
            'task.acknowledged': { actions: apply(endings.answerLate) },
            'job.failedOver': { actions: apply(endings.abortAll('JOB_FAILOVER_REGION', 'The job failed over.')) },
            'discards.started': { actions: apply(countDiscards) },
            'discards.finished': { actions: apply(countDiscards) },
          },
          states: {
            collecting: { always: { guard: 'oneIsReady', target: 'finalizing', actions: apply(finalize) } },
            finalizing: {
              on: {
                'pending.completed': { guard: 'ofFinalizing', target: 'collecting', actions: apply(endings.complete) },
                'pending.aborted': [
                  { guard: 'ofUnclear', target: 'readingStore', actions: apply(abortReported) },
                  { guard: 'ofFinalizing', target: 'collecting', actions: apply(abortReported) },
                  { actions: apply(abortReported) },
                ],
              },
            },
            readingStore: {
              on: {
                'store.read': { target: 'collecting', actions: apply(endings.adoptStore) },
                'store.notRead': { target: 'collecting', actions: apply(endings.adoptStore) },
              },
            },
          },
        },
      },
    },
    /** What is being made durable comes to its end first: it belongs to what the store keeps, or deletes. */
    shuttingDown: {
      always: { guard: 'allSettled', target: 'shutDown' },
      on: {
        'pending.completed': { guard: 'ofFinalizing', actions: apply(endings.complete) },
        'pending.aborted': { guard: 'ofFinalizing', actions: apply(abortReported) },
        'store.read': { actions: apply(endings.adoptStore) },
        'store.notRead': { actions: apply(endings.adoptStore) },
        'checkpoint.requested': { actions: apply(refuseShutDown) },
        'task.acknowledged': { actions: apply(endings.answerLate) },
        'discards.finished': { actions: apply(countDiscards) },
      },
    },
    shutDown: {
      entry: apply(clearStore),
      on: {
        'checkpoint.requested': { actions: apply(refuseShutDown) },
        'task.acknowledged': { actions: apply(endings.answerLate) },
        'discards.finished': { actions: apply(countDiscards) },
      },
    },
  },
})

function refuseShutDown(context: CoordinatorContext, fact: CoordinatorFact): CoordinatorStep {
  return fact.type === 'checkpoint.requested' ? endings.reject(fact, ...SHUT_DOWN)(context, fact) : nothing
}

/** Files of a snapshot that stays the user's may not be referred to, until a checkpoint of our own stands in the store. */
function isForcedFull({ restoredFrom, completed }: CoordinatorInput): boolean {
  if (restoredFrom?.claimMode !== 'NO_CLAIM') return false
  return !completed.some((one) => one.kind === 'checkpoint' && one.checkpointId > restoredFrom.checkpointId)
}

/** What recovery restores; undefined: nothing has completed yet, and the job was not started from anything. */
export function latestCompleted(snapshot: { readonly context: CoordinatorContext }): Completed | undefined {
  return snapshot.context.completed.at(-1)
}

/** Whether it is known which checkpoints are complete: none is being made durable. */
export function isSettled(snapshot: { readonly context: CoordinatorContext }): boolean {
  return snapshot.context.finalizing === null && snapshot.context.ready.length === 0
}
