/**
 * Ends a job with a savepoint: stop with savepoint, with or without drain, and cancel with savepoint. It decides in which
 * order the scheduler stops, the savepoint is taken and the job ends, and what follows where one of these fails. What is
 * committed when, the charts of the job and of its tasks decide.
 */
import { setup } from 'xstate'
import type { Cause } from './cause.ts'
import type { SavepointOptions } from './checkpoint-coordinator-vocabulary.ts'
import type { TerminalStatus } from './job-vocabulary.ts'

/** What somebody asks for. */
export interface StopRequest extends SavepointOptions {
  /** The asker's number for it. */
  readonly requestId: number
  readonly ends: 'stop' | 'cancel'
  readonly targetDirectory: string
}

interface Answered {
  readonly requestId: number
}

export type StopFact =
  | ({ readonly type: 'stop.requested' } & StopRequest)
  /** By the job: it runs, and no other end was asked for. */
  | { readonly type: 'stop.admitted' }
  | { readonly type: 'stop.refused' }
  /** Nothing that was triggered before can complete any more. */
  | ({ readonly type: 'scheduler.stopped' } & Answered)
  | ({ readonly type: 'scheduler.notStopped'; readonly cause: Cause } & Answered)
  /** The trigger of the savepoint that stops the job is on its way: from now on sources may have stopped. */
  | { readonly type: 'tasks.triggered' }
  /** The job's record is about to name it: the job ends with it, well or badly. */
  | { readonly type: 'savepoint.sealed'; readonly savepoint: string }
  | ({ readonly type: 'savepoint.completed'; readonly savepoint: string } & Answered)
  | ({ readonly type: 'savepoint.failed'; readonly cause: Cause } & Answered)
  /** The job has failed, or somebody has suspended or cancelled it: what comes of that is the answer. */
  | { readonly type: 'stop.overtaken' }
  /** It begins anew from its last checkpoint. */
  | { readonly type: 'restart.begun' }
  | { readonly type: 'job.ended'; readonly status: TerminalStatus; readonly recorded: boolean }

export type StopOrder =
  /** Answer stop.admitted or stop.refused. */
  | { readonly type: 'askJob' }
  /** Give up what is queued and pending, and let time trigger nothing; answer scheduler.stopped or scheduler.notStopped. */
  | ({ readonly type: 'stopScheduler' } & Answered)
  /** Answer savepoint.completed or savepoint.failed. */
  | ({ readonly type: 'triggerSavepoint' } & StopRequest)
  /** Tell the job that it runs on, and that its scheduler may start again. */
  | { readonly type: 'abandonStop' }
  /** With this savepoint in the record. */
  | { readonly type: 'cancelJob'; readonly savepoint: string }
  /** Sources may have stopped for a savepoint that will not be: then the job restarts from its last checkpoint, if it may. */
  | { readonly type: 'failJob'; readonly cause: Cause }
  | ({ readonly type: 'answerStop'; readonly savepoint: string } & Answered)
  | ({ readonly type: 'rejectStop'; readonly ends: StopRequest['ends']; readonly why: StopRefusal } & Answered)

export type StopRefusal =
  /** Another stop is under way. */
  | { readonly type: 'busy' }
  | { readonly type: 'notRunning' }
  /** The savepoint was not taken. `restarts`: where sources had stopped, the job has to go back to its last checkpoint for that. */
  | { readonly type: 'failed'; readonly cause: Cause; readonly restarts: boolean }
  /** Something else failed the job meanwhile. */
  | { readonly type: 'restarted' }
  /** Otherwise than was asked. `savepoint`: it was taken; null: it was not. */
  | {
      readonly type: 'ended'
      readonly status: TerminalStatus
      readonly savepoint: string | null
      readonly recorded: boolean
    }

interface Context {
  readonly request: StopRequest | null
  /** The savepoint with which the job ends; null: it is not complete. */
  readonly savepoint: string | null
}

interface Step {
  readonly next: Partial<Context>
  readonly orders: readonly StopOrder[]
}

const nothing: Step = { next: {}, orders: [] }
const forgotten: Context = { request: null, savepoint: null }

function reject({ request }: Context, why: StopRefusal): readonly StopOrder[] {
  return request === null ? [] : [{ type: 'rejectStop', requestId: request.requestId, ends: request.ends, why }]
}

const rejectNew =
  (why: StopRefusal) =>
  (_: Context, f: StopFact): Step =>
    f.type === 'stop.requested'
      ? { next: {}, orders: [{ type: 'rejectStop', requestId: f.requestId, ends: f.ends, why }] }
      : nothing

function begin(_: Context, f: StopFact): Step {
  if (f.type !== 'stop.requested') return nothing
  const { type: _type, ...request } = f
  return { next: { request, savepoint: null }, orders: [{ type: 'askJob' }] }
}

const giveUp =
  (why: StopRefusal, ...before: readonly StopOrder[]) =>
  (c: Context): Step => ({ next: forgotten, orders: [...before, ...reject(c, why)] })

const stopScheduler = ({ request }: Context): Step =>
  request === null ? nothing : { next: {}, orders: [{ type: 'stopScheduler', requestId: request.requestId }] }

const triggerSavepoint = ({ request }: Context): Step =>
  request === null ? nothing : { next: {}, orders: [{ type: 'triggerSavepoint', ...request }] }

/** Nothing has stopped but the scheduler: the job runs on as if nobody had asked. */
function goOn(c: Context, f: StopFact): Step {
  if (!('cause' in f)) return nothing
  return giveUp({ type: 'failed', cause: f.cause, restarts: false }, { type: 'abandonStop' })(c)
}

function failJob(c: Context, f: StopFact): Step {
  if (!('cause' in f)) return nothing
  return giveUp({ type: 'failed', cause: f.cause, restarts: true }, { type: 'failJob', cause: f.cause })(c)
}

const keep = (_: Context, f: StopFact): Step =>
  f.type === 'savepoint.sealed' || f.type === 'savepoint.completed'
    ? { next: { savepoint: f.savepoint }, orders: [] }
    : nothing

const cancelJob = (c: Context, f: StopFact): Step =>
  f.type !== 'savepoint.completed'
    ? nothing
    : { next: keep(c, f).next, orders: [{ type: 'cancelJob', savepoint: f.savepoint }] }

/** Whatever was under way: the job's end is the answer. */
function answer(c: Context, f: StopFact): Step {
  if (f.type !== 'job.ended' || c.request === null) return nothing
  const { request, savepoint } = c
  const { status, recorded } = f
  if (savepoint !== null && isAsAsked(c, f))
    return { next: forgotten, orders: [{ type: 'answerStop', requestId: request.requestId, savepoint }] }
  return giveUp({ type: 'ended', status, savepoint, recorded })(c)
}

/** A cancelled job is recorded with its savepoint at its end alone, a stopped one before anything is committed. */
function isAsAsked({ request }: Context, f: StopFact): boolean {
  if (f.type !== 'job.ended') return false
  return request?.ends === 'stop' ? f.status === 'FINISHED' : f.status === 'CANCELED' && f.recorded
}

const stopSetup = setup({
  types: { context: {} as Context, events: {} as StopFact, emitted: {} as StopOrder },
  guards: {
    isOurs: ({ context, event }) => 'requestId' in event && event.requestId === context.request?.requestId,
    isOurCancel: ({ context, event }) =>
      'requestId' in event && event.requestId === context.request?.requestId && context.request.ends === 'cancel',
  },
})

const apply = (decide: (c: Context, f: StopFact) => Step) =>
  stopSetup.enqueueActions(({ context, event, enqueue }) => {
    const step = decide(context, event)
    enqueue.assign(step.next)
    for (const order of step.orders) enqueue.emit(order)
  })

/** While a request is dealt with. */
const underWay = {
  'stop.requested': { actions: apply(rejectNew({ type: 'busy' })) },
  'job.ended': { target: '#stopWithSavepoint.over', actions: apply(answer) },
} as const
const canBeOvertaken = { ...underWay, 'stop.overtaken': '#stopWithSavepoint.overtaken' } as const

export const stopWithSavepoint = stopSetup.createMachine({
  id: 'stopWithSavepoint',
  context: forgotten,
  initial: 'idle',
  states: {
    idle: {
      on: { 'stop.requested': { target: 'asking', actions: apply(begin) }, 'job.ended': 'over' },
    },
    asking: {
      on: {
        ...underWay,
        'stop.admitted': { target: 'stoppingScheduler', actions: apply(stopScheduler) },
        'stop.refused': { target: 'idle', actions: apply(giveUp({ type: 'notRunning' })) },
      },
    },
    // What is being made durable comes to its end first: the savepoint is the next to complete.
    stoppingScheduler: {
      on: {
        ...canBeOvertaken,
        'scheduler.stopped': { guard: 'isOurs', target: 'takingSavepoint', actions: apply(triggerSavepoint) },
        'scheduler.notStopped': { guard: 'isOurs', target: 'idle', actions: apply(goOn) },
      },
    },
    takingSavepoint: {
      initial: 'triggering',
      on: {
        ...canBeOvertaken,
        'savepoint.completed': { guard: 'isOurCancel', target: 'ending', actions: apply(cancelJob) },
        'savepoint.sealed': { target: 'ending', actions: apply(keep) },
      },
      states: {
        /** Nothing has stopped yet. A job that is cancelled goes on all the while. */
        triggering: {
          on: {
            'tasks.triggered': 'triggered',
            'savepoint.failed': { guard: 'isOurs', target: '#stopWithSavepoint.idle', actions: apply(goOn) },
          },
        },
        triggered: {
          on: { 'savepoint.failed': { guard: 'isOurs', target: '#stopWithSavepoint.idle', actions: apply(failJob) } },
        },
      },
    },
    overtaken: {
      on: {
        ...underWay,
        'restart.begun': { target: 'idle', actions: apply(giveUp({ type: 'restarted' })) },
      },
    },
    /** The savepoint is there, and the job does not run on from here. */
    ending: { on: underWay },
    over: { on: { 'stop.requested': { actions: apply(rejectNew({ type: 'notRunning' })) } } },
  },
})

/** Whether a stop is being dealt with: then nobody else may have a checkpoint. */
export const isStopping = (snapshot: { readonly value: unknown }): boolean =>
  snapshot.value !== 'idle' && snapshot.value !== 'over'
