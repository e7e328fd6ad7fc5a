/**
 * The life of a job: Flink's JobStatus. It decides when tasks are deployed and cancelled, whether a failure is put to the
 * restart strategy, and in which order a job ends. It never triggers a checkpoint, save the last one of a suspended job.
 */
import { setup } from 'xstate'
import * as arithmetic from './job-arithmetic.ts'
import type { JobContext, JobFact, JobInput, JobOrder, JobStatus, TerminalStatus } from './job-vocabulary.ts'

export type * from './job-vocabulary.ts'

const jobSetup = setup({
  types: { context: {} as JobContext, events: {} as JobFact, emitted: {} as JobOrder, input: {} as JobInput },
  guards: {
    isCurrent: ({ context, event }) => arithmetic.isCurrent(context, event),
    isCurrentAndFinal: ({ context, event }) =>
      arithmetic.isCurrent(context, event) && arithmetic.isFinal(context, event),
    isCurrentAndStuck: ({ context, event }) => arithmetic.isCurrent(context, event) && arithmetic.isStuck(event),
    finishesOne: ({ context, event }) => arithmetic.isCurrent(context, event) && arithmetic.finishesOne(event),
    finishesAll: ({ context, event }) => arithmetic.isCurrent(context, event) && arithmetic.finishesAll(context, event),
    isCurrentAndEnding: ({ context, event }) =>
      arithmetic.isCurrent(context, event) && arithmetic.hasEndedByItself(context),
    suspendsToCheckpoint: ({ context }) => context.suspendsToCheckpoint,
    isBackoff: ({ context, event }) =>
      event.type === 'timer.fired' && event.timer === 'backoff' && event.attempt === context.attempt,
    isSuspension: ({ context, event }) =>
      event.type === 'timer.fired' && event.timer === 'suspension' && event.attempt === context.attempt,
    isNewestRevision: ({ context, event }) => 'revision' in event && event.revision === context.revision,
    isCurrentAndSound: ({ context, event }) => arithmetic.isCurrent(context, event) && context.restoreFailed === null,
    allGone: ({ context }) => arithmetic.allGone(context),
    mayRestart: ({ context }) => context.backoffOver && arithmetic.allGone(context),
  },
})

const apply = (decide: (c: JobContext, f: JobFact) => arithmetic.JobStep) =>
  jobSetup.enqueueActions(({ context, event, enqueue }) => {
    const step = decide(context, event)
    enqueue.assign(step.next)
    for (const order of step.orders) enqueue.emit(order)
  })

const note = { guard: 'isCurrent', actions: apply(arithmetic.note) } as const
const record = { guard: 'isCurrent', actions: apply(arithmetic.record) } as const
const cancel = { 'cancel.requested': { target: '#job.cancelling', actions: apply(arithmetic.cancelled) } } as const
const stuckFailsTheJob = {
  guard: 'isCurrentAndStuck',
  target: '#job.failing',
  actions: apply(arithmetic.blame),
} as const

/** A failure while the job runs: for good, or put to the restart strategy. */
const fate = [
  { guard: 'isCurrentAndFinal', target: '#job.failing', actions: apply(arithmetic.blame) },
  { guard: 'isCurrent', target: '#job.running.asking', actions: apply(arithmetic.ask) },
] as const

/** A failure while a decision is already being carried out: it never starts a second restart. */
const finalOrRecord = [
  { guard: 'isCurrentAndFinal', target: '#job.failing', actions: apply(arithmetic.blame) },
  record,
] as const

const leaveAndRecord = {
  guard: 'isCurrent',
  target: '#job.running.leaving',
  actions: apply(arithmetic.record),
} as const

/** A failure once a savepoint ends the job: it is the end, for whoever started it anew would repeat what is committed. */
const failsForGood = { guard: 'isCurrent', target: '#job.failing', actions: apply(arithmetic.blame) } as const
const anyFailureIsTheEnd = { 'task.failed': failsForGood, 'failure.reported': failsForGood } as const

/** What follows once tasks are on their way out, whatever the reason. */
const leaving = { 'task.changed': note, 'task.failed': record, 'failure.reported': record } as const

/** The record of the end is durable before the first checkpoint is deleted. */
const terminal = (status: TerminalStatus) =>
  ({
    initial: 'recording',
    states: {
      recording: {
        entry: apply(arithmetic.recordEnd(status)),
        on: {
          'record.written': { guard: 'isNewestRevision', target: 'settling' },
          'record.notWritten': { guard: 'isNewestRevision', target: 'ended', actions: apply(arithmetic.notRecorded) },
        },
      },
      settling: { entry: apply(arithmetic.settle(status)), on: { 'checkpoints.settled': 'ended' } },
      ended: { entry: apply(arithmetic.end(status)), on: { 'stop.requested': {}, 'savepoint.published': {} } },
    },
  }) as const

export const job = jobSetup.createMachine({
  id: 'job',
  context: ({ input }) => ({
    ...input,
    states: Array.from({ length: input.tasks }, () => 'CREATED' as const),
    awaitFinalCheckpoint: Array.from({ length: input.tasks }, () => false),
    finalCheckpointCalled: false,
    attempt: 1,
    backoffOver: false,
    restoreFailed: null,
    revision: 0,
    sealed: null,
    cause: null,
    denied: null,
    notRecorded: null,
  }),
  initial: 'initializing',
  on: {
    'stop.requested': { actions: apply(arithmetic.answerStop('refuseStop')) },
    'savepoint.published': { actions: apply(arithmetic.denySeal) },
  },
  states: {
    initializing: {
      // Nothing is ours yet, so nothing is recorded: another process may own the record.
      on: {
        'job.initialized': 'created',
        'failure.reported': { guard: 'isCurrent', target: 'failed.ended', actions: apply(arithmetic.blame) },
        'cancel.requested': 'canceled.ended',
        'suspend.requested': 'suspended.ended',
      },
    },
    created: {
      initial: 'recording',
      on: {
        'failure.reported': { guard: 'isCurrent', target: 'failed', actions: apply(arithmetic.blame) },
        'cancel.requested': { target: 'canceled', actions: apply(arithmetic.cancelled) },
        'suspend.requested': 'suspended',
      },
      states: {
        recording: {
          entry: apply(arithmetic.writeRecord('CREATED')),
          on: {
            'record.written': { guard: 'isNewestRevision', target: 'restoring' },
            'record.notWritten': {
              guard: 'isNewestRevision',
              target: '#job.failed.ended',
              actions: apply(arithmetic.blame),
            },
          },
        },
        restoring: {
          entry: apply((c) => ({ next: {}, orders: [{ type: 'restoreState', attempt: c.attempt }] })),
          on: {
            'state.restored': { guard: 'isCurrent', target: '#job.running', actions: apply(arithmetic.deploy) },
            'state.notRestored': [
              { guard: 'isCurrentAndFinal', target: '#job.failed', actions: apply(arithmetic.blame) },
              { guard: 'isCurrent', target: '#job.restarting.asking', actions: apply(arithmetic.ask) },
            ],
            // An enumerator that fails before the first deployment.
            'failure.reported': [
              { guard: 'isCurrentAndFinal', target: '#job.failed', actions: apply(arithmetic.blame) },
              { guard: 'isCurrent', target: '#job.restarting.asking', actions: apply(arithmetic.ask) },
            ],
          },
        },
      },
    },
    running: {
      initial: 'working',
      exit: apply(() => ({ next: {}, orders: [{ type: 'stopScheduler' }] })),
      on: {
        ...cancel,
        'task.changed': [{ guard: 'finishesAll', target: 'finished', actions: apply(arithmetic.note) }, note],
      },
      states: {
        working: {
          on: {
            'task.failed': fate,
            'failure.reported': fate,
            'record.notWritten': fate,
            'task.changed': [
              { guard: 'finishesAll', target: '#job.finished', actions: apply(arithmetic.note) },
              { guard: 'finishesOne', actions: apply(arithmetic.awaitFinalCheckpoint) },
            ],
            'finalCheckpoint.awaited': { guard: 'isCurrent', actions: apply(arithmetic.awaitFinalCheckpoint) },
            'finalCheckpoint.ended': { guard: 'isCurrent', actions: apply(arithmetic.endFinalCheckpoint) },
            'stop.requested': { target: 'stopping', actions: apply(arithmetic.answerStop('admitStop')) },
            'suspend.requested': [
              {
                guard: 'suspendsToCheckpoint',
                target: 'lastCheckpoint',
                actions: apply(arithmetic.takeLastCheckpoint),
              },
              { target: 'leaving' },
            ],
          },
        },
        // A savepoint is to end the job. Sources may have stopped for it: only that savepoint may cover what comes of it.
        stopping: {
          exit: apply(arithmetic.overtakeStop),
          on: {
            'task.failed': fate,
            'failure.reported': fate,
            'record.notWritten': fate,
            'finalCheckpoint.awaited': { guard: 'isCurrent', actions: apply(arithmetic.noteAwaiting) },
            'finalCheckpoint.ended': { guard: 'isCurrent', actions: apply(arithmetic.noteFinalCheckpoint) },
            'stop.abandoned': { target: 'working', actions: apply(arithmetic.resumeCheckpoints) },
            'stop.failed': [
              { guard: 'isCurrentAndEnding', target: 'working', actions: apply(arithmetic.resumeCheckpoints) },
              ...fate,
            ],
            'savepoint.published': { guard: 'isCurrent', target: 'sealing', actions: apply(arithmetic.seal) },
            'suspend.requested': 'leaving',
          },
        },
        sealing: {
          exit: apply(arithmetic.answerSeal),
          on: {
            ...anyFailureIsTheEnd,
            'record.notWritten': failsForGood,
            'record.written': { guard: 'isNewestRevision', target: 'committing' },
            'suspend.requested': 'leaving',
          },
        },
        // The record names the savepoint: what it covers is committed, then the tasks finish.
        committing: { on: { ...anyFailureIsTheEnd, 'suspend.requested': 'leaving' } },
        asking: {
          on: {
            'restart.granted': { guard: 'isCurrent', target: '#job.restarting', actions: apply(arithmetic.granted) },
            'restart.denied': { guard: 'isCurrent', target: '#job.failing', actions: apply(arithmetic.denied) },
            'task.failed': finalOrRecord,
            'failure.reported': finalOrRecord,
            'suspend.requested': 'leaving',
          },
        },
        lastCheckpoint: {
          exit: apply(arithmetic.stopTimer('suspension')),
          on: {
            'suspension.checkpointed': { guard: 'isCurrent', target: 'leaving' },
            'suspension.notCheckpointed': leaveAndRecord,
            'timer.fired': { guard: 'isSuspension', target: 'leaving' },
            'task.failed': leaveAndRecord,
            'failure.reported': leaveAndRecord,
          },
        },
        leaving: {
          entry: apply(arithmetic.cancelTasks),
          always: { guard: 'allGone', target: '#job.suspended' },
          on: { 'task.failed': [stuckFailsTheJob, record], 'failure.reported': record },
        },
      },
    },
    restarting: {
      initial: 'waiting',
      entry: apply(arithmetic.cancelTasks),
      exit: apply(arithmetic.stopTimer('backoff')),
      on: {
        ...cancel,
        'task.changed': note,
        'task.failed': finalOrRecord,
        'failure.reported': finalOrRecord,
        'suspend.requested': '.leaving',
      },
      states: {
        waiting: {
          always: { guard: 'mayRestart', target: 'restoring' },
          on: { 'timer.fired': { guard: 'isBackoff', actions: apply(arithmetic.backedOff) } },
        },
        restoring: {
          entry: apply(arithmetic.prepareNext),
          on: {
            'state.restored': [
              { guard: 'isCurrentAndSound', target: '#job.running', actions: apply(arithmetic.deploy) },
              { guard: 'isCurrent', target: 'asking', actions: apply(arithmetic.askAfterRestore) },
            ],
            // Put to the strategy when the restoring is over: two of them never run side by side.
            'failure.reported': [
              { guard: 'isCurrentAndFinal', target: '#job.failing', actions: apply(arithmetic.blame) },
              { guard: 'isCurrent', actions: apply(arithmetic.failRestore) },
            ],
            'state.notRestored': [
              { guard: 'isCurrentAndFinal', target: '#job.failing', actions: apply(arithmetic.blame) },
              { guard: 'isCurrent', target: 'asking', actions: apply(arithmetic.ask) },
            ],
          },
        },
        // The restore failed: that is a failure like any other.
        asking: {
          on: {
            'restart.granted': { guard: 'isCurrent', target: 'waiting', actions: apply(arithmetic.granted) },
            'restart.denied': { guard: 'isCurrent', target: '#job.failing', actions: apply(arithmetic.denied) },
          },
        },
        leaving: {
          always: { guard: 'allGone', target: '#job.suspended' },
          on: { 'task.failed': [stuckFailsTheJob, record], 'suspend.requested': {} },
        },
      },
    },
    failing: {
      entry: apply(arithmetic.cancelTasks),
      always: { guard: 'allGone', target: 'failed' },
      on: leaving,
    },
    cancelling: {
      entry: apply(arithmetic.cancelTasks),
      always: { guard: 'allGone', target: 'canceled' },
      on: { ...leaving, 'task.failed': [stuckFailsTheJob, record] },
    },
    suspended: terminal('SUSPENDED'),
    finished: terminal('FINISHED'),
    failed: terminal('FAILED'),
    canceled: terminal('CANCELED'),
  },
})

/** What a client sees: the status of the job, whatever happens inside it. */
export function jobStatus(snapshot: { readonly value: unknown }): JobStatus {
  const value = snapshot.value as string | Readonly<Record<string, unknown>>
  return (typeof value === 'string' ? value : Object.keys(value)[0])?.toUpperCase() as JobStatus
}

/** Whether the last order was given: nothing follows any more. */
export const jobHasEnded = (snapshot: { readonly value: unknown }): boolean =>
  JSON.stringify(snapshot.value).includes('"ended"')
