/**
 * The life of one subtask in one attempt: Flink's ExecutionState. It decides when operators are restored, opened,
 * finished and closed, and when the task counts as gone. It never looks at a record, and knows no other task.
 */
import { setup } from 'xstate'
import type { Cause } from './cause.ts'

export type ExecutionState =
  | 'CREATED'
  | 'SCHEDULED'
  | 'DEPLOYING'
  | 'INITIALIZING'
  | 'RUNNING'
  | 'FINISHED'
  | 'CANCELING'
  | 'CANCELED'
  | 'FAILED'

export interface TaskInput {
  /** The place of this subtask in the job's list of tasks, from 0. */
  readonly task: number
  readonly attempt: number
  /** Whether the end waits for a checkpoint: checkpointing is on, also after tasks finished. */
  readonly finalCheckpoint: boolean
  readonly cancellationTimeoutMs: number
}

interface Context extends TaskInput {
  /** The first checkpoint that this task snapshotted after finish(); null before. */
  readonly finalFrom: number | null
  /** Why the task fails, kept until its operators are disposed of. */
  readonly cause: Cause | null
}

export type TaskFact =
  | { readonly type: 'task.scheduled' }
  | { readonly type: 'deployment.started' }
  /** Operators and channels exist. */
  | { readonly type: 'task.deployed' }
  /** `finished`: the checkpoint says that all operators of this subtask had finished. */
  | { readonly type: 'state.restored'; readonly finished: boolean }
  | { readonly type: 'operators.opened' }
  | { readonly type: 'committables.committed' }
  /** The source is exhausted, or end of data came on every input. */
  | { readonly type: 'data.ended' }
  | { readonly type: 'operators.finished' }
  /** The synchronous part of this checkpoint's snapshot is done. */
  | { readonly type: 'checkpoint.snapshotted'; readonly checkpointId: number }
  /** The checkpoint is complete and everything that this task had to commit for it is committed. */
  | { readonly type: 'checkpoint.committed'; readonly checkpointId: number }
  /** The savepoint that stops the job without draining is complete and committed. */
  | { readonly type: 'stop.committed' }
  | { readonly type: 'operators.closed' }
  | { readonly type: 'cancel.requested' }
  | { readonly type: 'operators.disposed' }
  | { readonly type: 'timer.fired'; readonly timer: 'cancellation' }
  | { readonly type: 'task.failed'; readonly cause: Cause }

export type TaskOrder =
  /** Tell the job. FAILED, CANCELED and FINISHED are told when nothing of the task runs any more. */
  | {
      readonly type: 'reportState'
      readonly task: number
      readonly attempt: number
      readonly state: ExecutionState
      readonly cause: Cause | null
    }
  /** Make operators and channels; answer task.deployed. */
  | { readonly type: 'deploy' }
  /** Answer state.restored. */
  | { readonly type: 'restoreState'; readonly attempt: number }
  /** The last of the chain first; answer operators.opened. */
  | { readonly type: 'openOperators' }
  /** Commit what the checkpoint holds uncommitted; answer committables.committed. */
  | { readonly type: 'commitRestored' }
  /** Records may be processed from now on. */
  | { readonly type: 'run' }
  /** Largest watermark, then finish() from first to last, then end of data downstream; answer operators.finished. */
  | { readonly type: 'finishOperators' }
  /** Nothing to do but to go on with checkpoints. */
  | { readonly type: 'awaitFinalCheckpoint' }
  /** End of partition downstream; `withEndOfData`: largest watermark and end of data before it, for nobody else sends them. */
  | { readonly type: 'endPartitions'; readonly withEndOfData: boolean }
  /** Answer operators.closed. */
  | { readonly type: 'closeOperators' }
  /** Stop processing, cut off what waits, close what is open; answer operators.disposed when nothing runs any more. */
  | { readonly type: 'disposeOperators' }
  | { readonly type: 'startTimer'; readonly timer: 'cancellation'; readonly delayMs: number }
  | { readonly type: 'stopTimer'; readonly timer: 'cancellation' }

interface Step {
  readonly next: Partial<Context>
  readonly orders: readonly TaskOrder[]
}

const report = (c: Context, state: ExecutionState, cause: Cause | null = null): TaskOrder => ({
  type: 'reportState',
  task: c.task,
  attempt: c.attempt,
  state,
  cause,
})

const to =
  (state: ExecutionState, ...orders: readonly TaskOrder[]) =>
  (c: Context): Step => ({ next: {}, orders: [report(c, state), ...orders] })

const order =
  (...orders: readonly TaskOrder[]) =>
  (): Step => ({ next: {}, orders })

const stuck = (c: Context): Cause => ({
  code: 'TASK_CANCELLATION_TIMED_OUT',
  message: `Subtask ${c.task} (attempt ${c.attempt}) did not end within ${c.cancellationTimeoutMs} ms of being cancelled.`,
  restartHelps: false,
  thrown: null,
})

const stopTimer: TaskOrder = { type: 'stopTimer', timer: 'cancellation' }

const dispose = (c: Context): readonly TaskOrder[] => [
  { type: 'startTimer', timer: 'cancellation', delayMs: c.cancellationTimeoutMs },
  { type: 'disposeOperators' },
]

function fail(_: Context, f: TaskFact): Step {
  return { next: f.type === 'task.failed' ? { cause: f.cause } : {}, orders: [] }
}

function snapshotted(c: Context, f: TaskFact): Step {
  return { next: f.type === 'checkpoint.snapshotted' ? { finalFrom: c.finalFrom ?? f.checkpointId } : {}, orders: [] }
}

const taskSetup = setup({
  types: { context: {} as Context, events: {} as TaskFact, emitted: {} as TaskOrder, input: {} as TaskInput },
  guards: {
    hadFinished: ({ event }) => event.type === 'state.restored' && event.finished,
    needsFinalCheckpoint: ({ context }) => context.finalCheckpoint,
    isFinal: ({ context, event }) =>
      event.type === 'checkpoint.committed' && context.finalFrom !== null && event.checkpointId >= context.finalFrom,
  },
})

const apply = (decide: (c: Context, f: TaskFact) => Step) =>
  taskSetup.enqueueActions(({ context, event, enqueue }) => {
    const step = decide(context, event)
    enqueue.assign(step.next)
    for (const each of step.orders) enqueue.emit(each)
  })

export const task = taskSetup.createMachine({
  id: 'task',
  context: ({ input }) => ({ ...input, finalFrom: null, cause: null }),
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
          on: { 'committables.committed': { target: '#task.running', actions: apply(to('RUNNING', { type: 'run' })) } },
        },
      },
    },
    running: {
      initial: 'processing',
      on: { 'cancel.requested': 'canceling', 'task.failed': { target: 'failed', actions: apply(fail) } },
      states: {
        processing: {
          on: {
            'data.ended': { target: 'finishing', actions: apply(order({ type: 'finishOperators' })) },
            'stop.committed': {
              target: 'closing',
              actions: apply(order({ type: 'endPartitions', withEndOfData: false })),
            },
          },
        },
        finishing: {
          on: {
            'operators.finished': [
              {
                guard: 'needsFinalCheckpoint',
                target: 'awaitingFinalCheckpoint',
                actions: apply(order({ type: 'awaitFinalCheckpoint' })),
              },
              { target: 'closing', actions: apply(order({ type: 'endPartitions', withEndOfData: false })) },
            ],
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
            'stop.committed': {
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
