/**
 * The life of one subtask in one attempt: Flink's ExecutionState. It decides when operators are restored, opened,
 * finished and closed, and when the task counts as gone. It never looks at a record, and knows no other task.
 */
import { setup } from 'xstate'
import type { Cause } from './cause.ts'
import type { ExecutionState, TaskContext, TaskFact, TaskInput, TaskOrder } from './task-vocabulary.ts'

export type * from './task-vocabulary.ts'

interface Step {
  readonly next: Partial<TaskContext>
  readonly orders: readonly TaskOrder[]
}

const report = (c: TaskContext, state: ExecutionState, cause: Cause | null = null): TaskOrder => ({
  type: 'reportState',
  task: c.task,
  attempt: c.attempt,
  state,
  cause,
})

const to =
  (state: ExecutionState, ...orders: readonly TaskOrder[]) =>
  (c: TaskContext): Step => ({ next: {}, orders: [report(c, state), ...orders] })

const order =
  (...orders: readonly TaskOrder[]) =>
  (): Step => ({ next: {}, orders })

const stuck = (c: TaskContext): Cause => ({
  code: 'TASK_CANCELLATION_TIMED_OUT',
  message: `Subtask ${c.task} (attempt ${c.attempt}) did not end within ${c.cancellationTimeoutMs} ms of being cancelled.`,
  restartHelps: false,
  thrown: null,
})

const stopTimer: TaskOrder = { type: 'stopTimer', timer: 'cancellation' }

const dispose = (c: TaskContext): readonly TaskOrder[] => [
  { type: 'startTimer', timer: 'cancellation', delayMs: c.cancellationTimeoutMs },
  { type: 'disposeOperators' },
]

function fail(_: TaskContext, f: TaskFact): Step {
  return { next: f.type === 'task.failed' ? { cause: f.cause } : {}, orders: [] }
}

function endData(_: TaskContext, f: TaskFact): Step {
  if (f.type !== 'data.ended') return { next: {}, orders: [] }
  const { drained, savepoint } = f
  return { next: { endsWith: savepoint }, orders: [{ type: 'finishOperators', drained, savepoint }] }
}

function snapshotted(c: TaskContext, f: TaskFact): Step {
  return { next: f.type === 'checkpoint.snapshotted' ? { finalFrom: c.finalFrom ?? f.checkpointId } : {}, orders: [] }
}

const taskSetup = setup({
  types: { context: {} as TaskContext, events: {} as TaskFact, emitted: {} as TaskOrder, input: {} as TaskInput },
  guards: {
    hadFinished: ({ event }) => event.type === 'state.restored' && event.finished,
    endsWithSavepoint: ({ context }) => context.endsWith !== null,
    isThatSavepoint: ({ context, event }) =>
      event.type === 'checkpoint.committed' && event.checkpointId === context.endsWith,
    needsFinalCheckpoint: ({ context }) => context.finalCheckpoint,
    isFinal: ({ context, event }) =>
      event.type === 'checkpoint.committed' && context.finalFrom !== null && event.checkpointId >= context.finalFrom,
  },
})

const apply = (decide: (c: TaskContext, f: TaskFact) => Step) =>
  taskSetup.enqueueActions(({ context, event, enqueue }) => {
    const step = decide(context, event)
    enqueue.assign(step.next)
    for (const each of step.orders) enqueue.emit(each)
  })

export const task = taskSetup.createMachine({
  id: 'task',
  context: ({ input }) => ({ ...input, finalFrom: null, endsWith: null, cause: null }),
  initial: 'created',
  states: {
    created: {
      on: {
        'task.scheduled': { target: 'scheduled', actions: apply(to('SCHEDULED')) },
        'cancel.requested': { target: 'canceled', actions: apply(to('CANCELED')) },
        'task.failed': { target: 'failed', actions: apply(fail) },
      },
    },
    scheduled: {
      on: {
        'deployment.started': { target: 'deploying', actions: apply(to('DEPLOYING', { type: 'deploy' })) },
        'cancel.requested': { target: 'canceled', actions: apply(to('CANCELED')) },
        'task.failed': { target: 'failed', actions: apply(fail) },
      },
    },
    deploying: {
      on: {
        'task.deployed': { target: 'initializing', actions: apply(to('INITIALIZING')) },
        'cancel.requested': 'canceling',
        'task.failed': { target: 'failed', actions: apply(fail) },
      },
    },
    initializing: {
      initial: 'restoring',
      on: { 'cancel.requested': 'canceling', 'task.failed': { target: 'failed', actions: apply(fail) } },
      states: {
        restoring: {
          entry: apply((c) => ({ next: {}, orders: [{ type: 'restoreState', attempt: c.attempt }] })),
          on: {
            'state.restored': [
              {
                guard: 'hadFinished',
                target: '#task.running.closing',
                actions: apply(to('RUNNING', { type: 'endPartitions', withEndOfData: true })),
              },
              { target: 'opening', actions: apply(order({ type: 'openOperators' })) },
            ],
          },
        },
        opening: {
          on: { 'operators.opened': { target: 'committing', actions: apply(order({ type: 'commitRestored' })) } },
        },
        committing: {
          on: {
            'committables.committed': { target: 'recovering', actions: apply(order({ type: 'processInFlight' })) },
          },
        },
        // What was in flight comes before everything new: with another parallelism it comes by other channels than the new.
        recovering: {
          on: { 'inFlight.processed': { target: '#task.running', actions: apply(to('RUNNING', { type: 'run' })) } },
        },
      },
    },
    running: {
      initial: 'processing',
      on: { 'cancel.requested': 'canceling', 'task.failed': { target: 'failed', actions: apply(fail) } },
      states: {
        processing: {
          on: {
            'data.ended': { target: 'finishing', actions: apply(endData) },
          },
        },
        finishing: {
          on: {
            'operators.finished': [
              { guard: 'endsWithSavepoint', target: 'awaitingSavepoint' },
              {
                guard: 'needsFinalCheckpoint',
                target: 'draining',
                actions: apply(order({ type: 'drainOutput' })),
              },
              { target: 'closing', actions: apply(order({ type: 'endPartitions', withEndOfData: false })) },
            ],
          },
        },
        // A checkpoint may overtake what was sent: whichever ends this task, nothing of that is in flight any more when it does.
        draining: {
          initial: 'uncovered',
          on: { 'checkpoint.snapshotted': { actions: apply(snapshotted) } },
          states: {
            uncovered: {
              on: {
                'output.drained': {
                  target: '#task.running.awaitingFinalCheckpoint',
                  actions: apply(order({ type: 'awaitFinalCheckpoint' })),
                },
                'checkpoint.committed': { guard: 'isFinal', target: 'covered' },
              },
            },
            covered: {
              on: {
                'output.drained': {
                  target: '#task.running.closing',
                  actions: apply(order({ type: 'endPartitions', withEndOfData: false })),
                },
              },
            },
          },
        },
        awaitingFinalCheckpoint: {
          on: {
            'checkpoint.snapshotted': { actions: apply(snapshotted) },
            'checkpoint.committed': {
              guard: 'isFinal',
              target: 'closing',
              actions: apply(order({ type: 'endPartitions', withEndOfData: false })),
            },
          },
        },
        // The job's own: no other checkpoint is called for, and none ends the task.
        awaitingSavepoint: {
          on: {
            'checkpoint.committed': {
              guard: 'isThatSavepoint',
              target: 'closing',
              actions: apply(order({ type: 'endPartitions', withEndOfData: false })),
            },
          },
        },
        closing: {
          entry: apply(order({ type: 'closeOperators' })),
          on: { 'operators.closed': { target: '#task.finished', actions: apply(to('FINISHED')) } },
        },
      },
    },
    finished: {},
    canceling: {
      // A user's function that throws while it is cut off changes nothing: the task is on its way out.
      entry: apply((c) => ({ next: {}, orders: [report(c, 'CANCELING'), ...dispose(c)] })),
      on: {
        'operators.disposed': {
          target: 'canceled',
          actions: apply((c) => ({ next: {}, orders: [stopTimer, report(c, 'CANCELED')] })),
        },
        'timer.fired': { target: 'failed.gone', actions: apply((c) => ({ next: { cause: stuck(c) }, orders: [] })) },
      },
    },
    canceled: {},
    failed: {
      initial: 'disposing',
      states: {
        disposing: {
          entry: apply((c) => ({ next: {}, orders: dispose(c) })),
          on: {
            'operators.disposed': { target: 'gone', actions: apply(order(stopTimer)) },
            'timer.fired': { target: 'gone', actions: apply((c) => ({ next: { cause: stuck(c) }, orders: [] })) },
          },
        },
        gone: { entry: apply((c) => ({ next: {}, orders: [report(c, 'FAILED', c.cause)] })) },
      },
    },
  },
})
