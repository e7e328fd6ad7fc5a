/**
 * What matters of the coordinator's state for what it may do next: ids by rank, times by order, askers without a name.
 * For exploring the chart; nothing at run time reads it.
 */
import type { CheckpointRequest, CoordinatorContext, Json } from './checkpoint-coordinator-vocabulary.ts'

export function abstraction({
  value,
  context,
}: {
  readonly value: unknown
  readonly context: CoordinatorContext
}): Json {
  const c = context
  const ids = [
    ...c.pending.map((one) => one.checkpointId),
    ...c.completed.map((one) => one.checkpointId),
    ...c.recentlyExpired,
    ...c.recentlyCompleted,
    ...c.failures.counted,
    c.failures.lastSucceededId,
  ].sort((one, other) => one - other)
  const rank = (id: number | null) => (id === null ? null : [...new Set(ids)].indexOf(id))
  const asked = ({ kind, requestId, full }: CheckpointRequest) =>
    `${kind}${requestId === null ? ' tick' : ''}${full ? ' full' : ''}`
  return {
    value: JSON.stringify(value),
    queue: c.queue.map(asked),
    looks: c.looks,
    triggering: c.triggering && [asked(c.triggering.request), rank(c.triggering.checkpointId)],
    pending: c.pending.map((one) => [rank(one.checkpointId), one.kind, one.requestId === null, one.full]),
    ready: c.ready.map(rank),
    finalizing: rank(c.finalizing),
    completed: c.completed.map((one) => [rank(one.checkpointId), one.discardable]),
    expired: c.recentlyExpired.map(rank),
    done: c.recentlyCompleted.map(rank),
    cleaning: c.cleaning,
    pausing: pause(c),
    planned: c.plannedAtMs !== null,
    backlogged: c.backlogged,
    failures: [c.failures.count, c.failures.counted.map(rank), rank(c.failures.lastSucceededId)],
    forceFull: c.forceFull,
    endStatus: c.endStatus,
  }
}

/** How the end of the pause after the last completion lies to the next tick. */
function pause({ lastCompletionAtMs, plannedAtMs, settings }: CoordinatorContext): 'none' | 'over by then' | 'longer' {
  if (lastCompletionAtMs === null) return 'none'
  return plannedAtMs !== null && lastCompletionAtMs + settings.minPauseMs > plannedAtMs ? 'longer' : 'over by then'
}
