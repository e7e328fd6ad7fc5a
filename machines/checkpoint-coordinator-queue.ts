/**
 * The queue of requests: in which order they stand, which one a full queue gives up, and whether the first may run.
 */
import type {
  CheckpointKind,
  CheckpointRequest,
  CoordinatorContext,
  CoordinatorSettings,
} from './checkpoint-coordinator-vocabulary.ts'

export const isSavepoint = (kind: CheckpointKind): boolean => kind !== 'checkpoint'

/** May run beside as many others as there are: a savepoint, as long as its barriers are like everybody's. */
function isForced(settings: CoordinatorSettings, request: CheckpointRequest): boolean {
  return isSavepoint(request.kind) && !settings.unaligned
}

/** The queue with one more request, and the one it gave up for that (possibly the new one). */
export function enqueue(
  settings: CoordinatorSettings,
  queue: readonly CheckpointRequest[],
  request: CheckpointRequest,
): { readonly queue: readonly CheckpointRequest[]; readonly refused: CheckpointRequest | null } {
  const last = queue.at(-1)
  if (queue.length >= settings.maxQueued && last !== undefined && last.requestId !== null)
    return { queue, refused: request }
  const behind = queue.findIndex((other) => comesBefore(settings, request, other))
  const longer = behind < 0 ? [...queue, request] : queue.toSpliced(behind, 0, request)
  if (longer.length <= settings.maxQueued) return { queue: longer, refused: null }
  return { queue: longer.slice(0, -1), refused: longer.at(-1) ?? null }
}

/** Of two that are equal, the one that came first. */
function comesBefore(settings: CoordinatorSettings, one: CheckpointRequest, other: CheckpointRequest): boolean {
  const rank = (request: CheckpointRequest) =>
    (isSavepoint(request.kind) ? 0 : 4) + (isForced(settings, request) ? 0 : 2) + (request.requestId !== null ? 0 : 1)
  const difference = rank(one) - rank(other)
  return difference !== 0 ? difference < 0 : one.atMs < other.atMs
}

/** What one look at the queue finds: the first request may run, or has come too early after the last completion, or waits. */
export type Look = { readonly finds: 'run' | 'wait' } | { readonly finds: 'early'; readonly remainingMs: number }

export function lookAtQueue(context: CoordinatorContext, atMs: number): Look {
  const { settings } = context
  const head = context.queue[0]
  if (head === undefined || context.cleaning > settings.maxConcurrent) return { finds: 'wait' }
  if (isForced(settings, head)) return { finds: 'run' }
  if (context.pending.length >= settings.maxConcurrent) return { finds: 'wait' }
  if (head.requestId !== null || context.lastCompletionAtMs === null) return { finds: 'run' }
  const remainingMs = context.lastCompletionAtMs + settings.minPauseMs - atMs
  return remainingMs > 0 ? { finds: 'early', remainingMs } : { finds: 'run' }
}
