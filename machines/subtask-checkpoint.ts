/**
 * One checkpoint of one subtask, from the freezing of its state to the acknowledgement. It outlives an abort until what
 * was under way has come back and was thrown away. It writes nothing itself and does not look into locations and handles.
 */
import { setup } from 'xstate'
import type { Cause } from './cause.ts'

export interface SubtaskCheckpointInput {
  readonly attempt: number
  readonly checkpointId: number
  /** Plain JSON: where the bytes go. Null when that is not known yet: the state then stays frozen until it is. */
  readonly location: unknown
  readonly startedAtMs: number
}

/** Plain JSON. `atMs` is the wall clock when the fact became known. */
export type SubtaskCheckpointFact = { readonly atMs: number } & (
  | { readonly type: 'location.assigned'; readonly location: unknown }
  /** The synchronous part is over: later records do not change what will be written. */
  | { readonly type: 'snapshot.frozen' }
  | ({ readonly type: 'snapshot.notFrozen' } & Failure)
  | { readonly type: 'state.written'; readonly handles: unknown }
  | ({ readonly type: 'state.notWritten' } & Failure)
  /** By the coordinator, or because the subtask ends. */
  | { readonly type: 'checkpoint.aborted' }
)

interface Failure {
  /** One of Flink's checkpoint failure reasons. */
  readonly reason: string
  readonly message: string
  /** What was thrown: that of the job, when the checkpoint fails it. */
  readonly cause: Cause
}

export interface CheckpointAddress {
  readonly attempt: number
  readonly checkpointId: number
}

export type SubtaskCheckpointOrder = CheckpointAddress & Command

type Command =
  /** Answer: state.written or state.notWritten. */
  | { readonly type: 'startWriting'; readonly location: unknown }
  | ({ readonly type: 'acknowledge'; readonly handles: unknown } & SnapshotDurations)
  | ({ readonly type: 'decline' } & Failure)
  /** Asks the writer to stop. It answers all the same. */
  | { readonly type: 'cancelWriting' }
  /** The frozen state will not be written. */
  | { readonly type: 'releaseSnapshot' }
  /** Nobody will ask for this state: delete it. */
  | { readonly type: 'discardState'; readonly handles: unknown }
  /** Always the last one: nothing more will come of this checkpoint. */
  | { readonly type: 'forgetCheckpoint' }

export interface SnapshotDurations {
  /** From the start to the freezing. */
  readonly syncMs: number
  /** From the freezing to the last byte. */
  readonly asyncMs: number
}

interface Context extends SubtaskCheckpointInput {
  readonly frozenAtMs: number
}

interface Step {
  readonly next?: Partial<Context>
  readonly commands: readonly Command[]
}

const checkpoint = setup({
  types: {
    context: {} as Context,
    events: {} as SubtaskCheckpointFact,
    emitted: {} as SubtaskCheckpointOrder,
    input: {} as SubtaskCheckpointInput,
  },
  guards: { located: ({ context }) => context.location !== null },
})

const apply = (decide: (context: Context, fact: SubtaskCheckpointFact) => Step) =>
  checkpoint.enqueueActions(({ context, event, enqueue }) => {
    const { next, commands } = decide(context, event)
    if (next !== undefined) enqueue.assign(next)
    const { attempt, checkpointId } = context
    for (const command of commands) enqueue.emit({ attempt, checkpointId, ...command })
  })

export const subtaskCheckpoint = checkpoint.createMachine({
  id: 'subtaskCheckpoint',
  context: ({ input }) => ({ ...input, frozenAtMs: input.startedAtMs }),
  initial: 'preparing',
  states: {
    preparing: {
      on: {
        'location.assigned': { actions: apply(locate) },
        'snapshot.frozen': { target: 'frozen', actions: apply(freeze) },
        'snapshot.notFrozen': { target: 'declined', actions: apply(decline) },
        'checkpoint.aborted': 'abandoned',
      },
    },
    frozen: {
      always: { guard: 'located', target: 'writing', actions: apply(write) },
      on: {
        'location.assigned': { actions: apply(locate) },
        'checkpoint.aborted': { target: 'aborted', actions: apply(release) },
      },
    },
    writing: {
      on: {
        'state.written': { target: 'acknowledged', actions: apply(acknowledge) },
        'state.notWritten': { target: 'declined', actions: apply(decline) },
        'checkpoint.aborted': { target: 'abandoned', actions: apply(cancel) },
      },
    },
    /** Aborted, but what was begun is still under way: its result is awaited only to be thrown away. */
    abandoned: {
      on: {
        'snapshot.frozen': { target: 'aborted', actions: apply(release) },
        'snapshot.notFrozen': { target: 'aborted', actions: apply(forget) },
        'state.written': { target: 'aborted', actions: apply(discard) },
        'state.notWritten': { target: 'aborted', actions: apply(forget) },
      },
    },
    acknowledged: { type: 'final' },
    declined: { type: 'final' },
    aborted: { type: 'final' },
  },
})

function locate(_: Context, fact: SubtaskCheckpointFact): Step {
  return { next: fact.type === 'location.assigned' ? { location: fact.location } : {}, commands: [] }
}

function freeze(_: Context, { atMs }: SubtaskCheckpointFact): Step {
  return { next: { frozenAtMs: atMs }, commands: [] }
}

function write({ location }: Context): Step {
  return { commands: [{ type: 'startWriting', location }] }
}

function acknowledge({ startedAtMs, frozenAtMs }: Context, fact: SubtaskCheckpointFact): Step {
  if (fact.type !== 'state.written') return { commands: [] }
  const durations = { syncMs: frozenAtMs - startedAtMs, asyncMs: fact.atMs - frozenAtMs }
  return { commands: [{ type: 'acknowledge', handles: fact.handles, ...durations }, { type: 'forgetCheckpoint' }] }
}

function decline(_: Context, fact: SubtaskCheckpointFact): Step {
  if (fact.type !== 'snapshot.notFrozen' && fact.type !== 'state.notWritten') return { commands: [] }
  const { reason, message, cause } = fact
  return { commands: [{ type: 'decline', reason, message, cause }, { type: 'forgetCheckpoint' }] }
}

function cancel(): Step {
  return { commands: [{ type: 'cancelWriting' }] }
}

function release(): Step {
  return { commands: [{ type: 'releaseSnapshot' }, { type: 'forgetCheckpoint' }] }
}

function discard(_: Context, fact: SubtaskCheckpointFact): Step {
  if (fact.type !== 'state.written') return { commands: [] }
  return { commands: [{ type: 'discardState', handles: fact.handles }, { type: 'forgetCheckpoint' }] }
}

function forget(): Step {
  return { commands: [{ type: 'forgetCheckpoint' }] }
}
