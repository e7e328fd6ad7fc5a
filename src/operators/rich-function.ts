/** What all operators around a user's function object share: its context, its life cycle, its checkpoint hooks. */
import { StreamError } from '../base/errors.ts'
import type { Collector, OutputTag, RichFunction, RuntimeContext } from './functions.ts'
import { keyedStateOf } from './keyed-state-of.ts'
import type { Input, Operator, OperatorContext } from './operator.ts'

/** The user's view of an operator context. */
export function runtimeContext(context: OperatorContext<never>): RuntimeContext {
  const { task } = context
  return {
    jobId: task.jobId,
    jobName: task.jobName,
    taskName: task.operatorName,
    indexOfThisSubtask: task.subtask,
    numberOfParallelSubtasks: task.parallelism,
    maxNumberOfParallelSubtasks: task.maxParallelism,
    attemptNumber: task.attempt,
    getState: (descriptor) => keyedStateOf(context).getState(descriptor),
    getListState: (descriptor) => keyedStateOf(context).getListState(descriptor),
    getMapState: (descriptor) => keyedStateOf(context).getMapState(descriptor),
    getReducingState: (descriptor) => keyedStateOf(context).getReducingState(descriptor),
    getAggregatingState: (descriptor) => keyedStateOf(context).getAggregatingState(descriptor),
  } as RuntimeContext
}

/** Calls the user's factory: once a subtask and attempt. */
export function madeBy<F>(create: (context: RuntimeContext) => F, context: OperatorContext<never>): F {
  try {
    return create(runtimeContext(context))
  } catch (thrown) {
    throw context.blame(thrown)
  }
}

/** A collector that stamps what it emits with the timestamp of what is being processed. */
export class StampingCollector<R> implements Collector<R> {
  timestamp = 0
  readonly #output: Input<R>

  constructor(output: Input<R>) {
    this.#output = output
  }

  collect(value: R): void {
    this.#output.processElement(value, this.timestamp)
  }
}

/** Emits into the side output of a tag; what nobody reads is dropped, as in Flink. */
export function emitToSide<S>(context: OperatorContext<never>, tag: OutputTag<S>, value: S, timestamp: number): void {
  context.sideOutput(tag.id)?.processElement(value, timestamp)
}

/** The life cycle of an operator whose work is a user's function object: every call is the user's code, and blamed on it. */
export function lifeCycleOf(
  fn: RichFunction,
  context: OperatorContext<never>,
): Required<
  Pick<Operator, 'open' | 'close' | 'notifyCheckpointComplete' | 'notifyCheckpointAborted' | 'snapshotState'>
> {
  const blame = (thrown: unknown): never => {
    throw context.blame(thrown)
  }
  /** A promise only where the function waits. No key is current: that of the last record would be anybody's. */
  const blamed = (call: () => void | Promise<void>): void | Promise<void> => {
    context.keyedState?.clearCurrentKey()
    let called: unknown
    try {
      called = call()
    } catch (thrown) {
      return blame(thrown)
    }
    if (typeof called === 'object' && called !== null && typeof (called as { then?: unknown }).then === 'function')
      return Promise.resolve(called as Promise<void>).catch(blame)
  }
  return {
    open() {
      initializeState(fn, context)
      return fn.open === undefined ? undefined : blamed(() => fn.open?.(runtimeContext(context)))
    },
    close: () => (fn.close === undefined ? undefined : blamed(() => fn.close?.())),
    notifyCheckpointComplete: (id) =>
      fn.notifyCheckpointComplete === undefined ? undefined : blamed(() => fn.notifyCheckpointComplete?.(id)),
    notifyCheckpointAborted: (id) =>
      fn.notifyCheckpointAborted === undefined ? undefined : blamed(() => fn.notifyCheckpointAborted?.(id)),
    snapshotState(id) {
      context.keyedState?.clearCurrentKey()
      try {
        refuseWaiting(fn.snapshotState?.({ getCheckpointId: () => id }), context, 'snapshotState')
      } catch (thrown) {
        throw context.blame(thrown)
      }
    },
  }
}

function initializeState(fn: RichFunction, context: OperatorContext<never>): void {
  const { restoredCheckpointId } = context.task
  try {
    const result = fn.initializeState?.({
      isRestored: () => restoredCheckpointId !== undefined,
      getRestoredCheckpointId: () => restoredCheckpointId,
      getOperatorStateStore: () => context.operatorState,
    })
    refuseWaiting(result, context, 'initializeState')
  } catch (thrown) {
    throw context.blame(thrown)
  }
}

function refuseWaiting(result: unknown, context: OperatorContext<never>, what: string): void {
  if (result === undefined) return
  throw new StreamError('FUNCTION_RESULT_INVALID', {
    message: `${what} of operator "${context.task.operatorName}" returned ${result instanceof Promise ? 'a promise' : 'a value'}.`,
    hint: `${what} is synchronous and returns nothing. Wait in open().`,
    details: { operator: context.task.operatorName, function: what },
  })
}
