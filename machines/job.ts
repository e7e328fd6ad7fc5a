/**
 * The life of a job: Flink's JobStatus. It decides when tasks are deployed and cancelled, whether a failure is put to the
 * restart strategy, and in which order a job ends. It never triggers a checkpoint, save the last one of a suspended job.
 */
import { setup } from 'xstate'
import * as arithmetic from './job-arithmetic.ts'
import * as endings from './job-endings.ts'
import * as failover from './job-failover.ts'
import type { JobContext, JobFact, JobInput, JobOrder, JobStatus, TerminalStatus } from './job-vocabulary.ts'

export type * from './job-vocabulary.ts'

const jobSetup = setup({
  types: { context: {} as JobContext, events: {} as JobFact, emitted: {} as JobOrder, input: {} as JobInput },
  guards: {
    isCurrent: ({ context, event }) => arithmetic.isCurrent(context, event),
    isCurrentAndFinal: ({ context, event }) =>
      arithmetic.isCurrent(context, event) && arithmetic.isFinal(context, event),
    isCurrentAndStuck: ({ context, event }) => arithmetic.isCurrent(context, event) && failover.isStuck(event),
    finishesOne: ({ context, event }) => arithmetic.isCurrent(context, event) && arithmetic.finishesOne(event),
    finishesAll: ({ context, event }) => arithmetic.isCurrent(context, event) && arithmetic.finishesAll(context, event),
    isCurrentAndEnding: ({ context, event }) =>
      arithmetic.isCurrent(context, event) && endings.hasEndedByItself(context),
    suspendsToCheckpoint: ({ context }) => context.suspendsToCheckpoint,
    isBackoff: ({ context, event }) =>
      event.type === 'timer.fired' && event.timer === 'backoff' && event.attempt === context.attempt,
    isSuspension: ({ context, event }) =>
      event.type === 'timer.fired' && event.timer === 'suspension' && event.attempt === context.attempt,
    isNewestRevision: ({ context, event }) => 'revision' in event && event.revision === context.revision,
    isCurrentAndWhole: ({ context, event }) => arithmetic.isCurrent(context, event) && failover.isWhole(context),
    isCurrentAndNotSound: ({ context, event }) =>
      arithmetic.isCurrent(context, event) && context.restoreFailed !== null,
    allGone: ({ context }) => failover.allGone(context),
    mayRestart: ({ context }) => failover.mayRestart(context),
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
const noteAwaiting = { guard: 'isCurrent', actions: apply(arithmetic.noteAwaiting) } as const
const cancel = { 'cancel.requested': { target: '#job.cancelling', actions: apply(endings.cancelled) } } as const
const stuckFailsTheJob = {
  guard: 'isCurrentAndStuck',
  target: '#job.failing',
  actions: apply(arithmetic.blame),
} as const

const final = { guard: 'isCurrentAndFinal', target: '#job.failing', actions: apply(arithmetic.blame) } as const

/** A failure while the job runs: for good, or put to the restart strategy. */
const fate = [final, { guard: 'isCurrent', target: '#job.running.asking', actions: apply(failover.ask) }] as const
const fateOfAll = [
  final,
  { guard: 'isCurrent', target: '#job.running.asking', actions: apply(failover.askForAll) },
] as const

/** A failure while a decision is already being carried out: its tasks join, and it never starts a second restart. */
const finalOrJoin = [final, { guard: 'isCurrent', actions: apply(failover.join) }] as const
const finalOrJoinRestart = [final, { guard: 'isCurrent', actions: apply(failover.joinRestart) }] as const

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
        entry: apply(endings.recordEnd(status)),
        on: {
          'record.written': { guard: 'isNewestRevision', target: 'settling' },
          'record.notWritten': { guard: 'isNewestRevision', target: 'ended', actions: apply(endings.notRecorded) },
        },
      },
      settling: { entry: apply(endings.settle(status)), on: { 'checkpoints.settled': 'ended' } },
      ended: { entry: apply(endings.end(status)), on: { 'stop.requested': {}, 'savepoint.published': {} } },
    },
  }) as const

export const job = jobSetup.createMachine({
  id: 'job',
  context: ({ input }) => ({
    ...input,
    states: input.regions.map(() => 'CREATED' as const),
    attempts: input.regions.map(() => 1),
    restarting: input.regions.map(() => true),
    awaitFinalCheckpoint: input.regions.map(() => false),
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
    'stop.requested': { actions: apply(endings.answerStop('refuseStop')) },
    'savepoint.published': { actions: apply(endings.denySeal) },
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
        'cancel.requested': { target: 'canceled', actions: apply(endings.cancelled) },
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
          entry: apply(failover.restoreFirst),
          on: {
            'state.restored': { guard: 'isCurrent', target: '#job.running', actions: apply(failover.deploy) },
            'state.notRestored': [
              { guard: 'isCurrentAndFinal', target: '#job.failed', actions: apply(arithmetic.blame) },
              { guard: 'isCurrent', target: '#job.restarting.asking', actions: apply(failover.ask) },
            ],
            // An enumerator that fails before the first deployment.
            'failure.reported': [
              { guard: 'isCurrentAndFinal', target: '#job.failed', actions: apply(arithmetic.blame) },
              { guard: 'isCurrent', target: '#job.restarting.asking', actions: apply(failover.ask) },
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
            'stop.requested': { target: 'stopping', actions: apply(endings.answerStop('admitStop')) },
            'suspend.requested': [
              {
                guard: 'suspendsToCheckpoint',
                target: 'lastCheckpoint',
                actions: apply(endings.takeLastCheckpoint),
              },
              { target: 'leaving' },
            ],
          },
        },
        // A savepoint is to end the job. Sources may have stopped for it: only that savepoint may cover what comes of it.
        stopping: {
          exit: apply(endings.overtakeStop),
          on: {
            'task.failed': fateOfAll,
            'failure.reported': fateOfAll,
            'record.notWritten': fateOfAll,
            'finalCheckpoint.awaited': noteAwaiting,
            'finalCheckpoint.ended': { guard: 'isCurrent', actions: apply(arithmetic.noteFinalCheckpoint) },
            'stop.abandoned': { target: 'working', actions: apply(endings.resumeCheckpoints) },
            'stop.failed': [
              { guard: 'isCurrentAndEnding', target: 'working', actions: apply(endings.resumeCheckpoints) },
              ...fateOfAll,
            ],
            'savepoint.published': { guard: 'isCurrent', target: 'sealing', actions: apply(endings.seal) },
            'suspend.requested': 'leaving',
          },
        },
        sealing: {
          exit: apply(endings.answerSeal),
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
            'restart.granted': { guard: 'isCurrent', target: '#job.restarting', actions: apply(failover.granted) },
            'restart.denied': { guard: 'isCurrent', target: '#job.failing', actions: apply(failover.denied) },
            'task.failed': finalOrJoin,
            'failure.reported': finalOrJoin,
            'finalCheckpoint.awaited': noteAwaiting,
            'suspend.requested': 'leaving',
          },
        },
        lastCheckpoint: {
          exit: apply(failover.stopTimer('suspension')),
          on: {
            'suspension.checkpointed': { guard: 'isCurrent', target: 'leaving' },
            'suspension.notCheckpointed': leaveAndRecord,
            'timer.fired': { guard: 'isSuspension', target: 'leaving' },
            'task.failed': leaveAndRecord,
            'failure.reported': leaveAndRecord,
          },
        },
        leaving: {
          entry: apply(failover.cancelTasks),
          always: { guard: 'allGone', target: '#job.suspended' },
          on: { 'task.failed': [stuckFailsTheJob, record], 'failure.reported': record },
        },
      },
    },
    restarting: {
      initial: 'waiting',
      // The tasks of other regions run on.
      entry: apply(failover.cancelRestarting),
      exit: apply(failover.stopTimer('backoff')),
      on: {
        ...cancel,
        'task.changed': note,
        'task.failed': finalOrJoinRestart,
        'failure.reported': finalOrJoinRestart,
        'finalCheckpoint.awaited': noteAwaiting,
        'suspend.requested': '.leaving',
      },
      states: {
        waiting: {
          always: { guard: 'mayRestart', target: 'restoring' },
          on: { 'timer.fired': { guard: 'isBackoff', actions: apply(failover.backedOff) } },
        },
        restoring: {
          entry: apply(failover.prepareNext),
          on: {
            'state.restored': [
              { guard: 'isCurrentAndWhole', target: '#job.running', actions: apply(failover.deploy) },
              { guard: 'isCurrentAndNotSound', target: 'asking', actions: apply(failover.askAfterRestore) },
              // Tasks have joined: they go back to the same checkpoint together, so it is read once more.
              { guard: 'isCurrent', target: 'waiting' },
            ],
            // Put to the strategy when the restoring is over: two of them never run side by side.
            'failure.reported': [final, { guard: 'isCurrent', actions: apply(failover.failRestore) }],
            'state.notRestored': [final, { guard: 'isCurrent', target: 'asking', actions: apply(failover.ask) }],
          },
        },
        // The restore failed: that is a failure like any other.
        asking: {
          on: {
            'restart.granted': { guard: 'isCurrent', target: 'waiting', actions: apply(failover.granted) },
            'restart.denied': { guard: 'isCurrent', target: '#job.failing', actions: apply(failover.denied) },
          },
        },
        leaving: {
          entry: apply(failover.cancelTasks),
          always: { guard: 'allGone', target: '#job.suspended' },
          on: {
            'task.failed': [stuckFailsTheJob, record],
            'failure.reported': [final, record],
            'suspend.requested': {},
          },
        },
      },
    },
    failing: {
      entry: apply(failover.cancelTasks),
      always: { guard: 'allGone', target: 'failed' },
      on: leaving,
    },
    cancelling: {
      entry: apply(failover.cancelTasks),
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
