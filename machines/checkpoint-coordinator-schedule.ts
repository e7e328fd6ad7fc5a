/**
 * When the periodic timer is due. Ticks keep a fixed rate: a late one does not move the next. Ends in orders for the
 * timer; a timer is named by its due time, so that one that was replaced and fires all the same is recognised.
 */
import type {
  CheckpointRequest,
  CoordinatorContext,
  CoordinatorFact,
  CoordinatorOrder,
  CoordinatorStep,
} from './checkpoint-coordinator-vocabulary.ts'

/** The interval now, in ms; null: no periodic checkpoints now. During backlog it is not raised to the pause. */
function currentIntervalMs({ settings, backlogged }: CoordinatorContext): number | null {
  const { intervalMs, intervalDuringBacklogMs, minPauseMs } = settings
  if (intervalMs === null) return null
  if (backlogged.length > 0 && intervalDuringBacklogMs !== null)
    return intervalDuringBacklogMs === 0 ? null : intervalDuringBacklogMs
  return Math.max(intervalMs, minPauseMs)
}

const tickName = (plannedAtMs: number) => `tick@${plannedAtMs}`

/** Whether the timer that fired is the one that is planned. */
export function isTick(context: CoordinatorContext, fact: CoordinatorFact): boolean {
  return fact.type === 'timer.fired' && context.plannedAtMs !== null && fact.name === tickName(context.plannedAtMs)
}

/** The timer is set to another time, or (null) to none. */
export function plan(context: CoordinatorContext, plannedAtMs: number | null, atMs: number): CoordinatorStep {
  const orders: CoordinatorOrder[] = []
  if (context.plannedAtMs !== null) orders.push({ type: 'cancelTimer', name: tickName(context.plannedAtMs) })
  if (plannedAtMs !== null)
    orders.push({ type: 'startTimer', name: tickName(plannedAtMs), delayMs: Math.max(0, plannedAtMs - atMs) })
  return { next: { plannedAtMs }, orders }
}

export function planFirst(context: CoordinatorContext, fact: CoordinatorFact): CoordinatorStep {
  const { intervalMs, minPauseMs } = context.settings
  if (fact.type !== 'scheduler.started' || intervalMs === null) return { next: {}, orders: [] }
  return plan(context, fact.atMs + (fact.firstDelayMs ?? Math.max(intervalMs, minPauseMs)), fact.atMs)
}

/** After a tick: one interval after the time it was planned for. */
export function planNext(context: CoordinatorContext, fact: CoordinatorFact): CoordinatorStep {
  const intervalMs = currentIntervalMs(context)
  const fired = { ...context, plannedAtMs: null }
  return plan(
    fired,
    intervalMs === null || context.plannedAtMs === null ? null : context.plannedAtMs + intervalMs,
    fact.atMs,
  )
}

/** A report of backlog can only pull the next tick in, never push it out. */
export function planForBacklog(context: CoordinatorContext, fact: CoordinatorFact): CoordinatorStep {
  const intervalMs = currentIntervalMs(context)
  if (intervalMs === null) return { next: {}, orders: [] }
  const sooner = fact.atMs + intervalMs
  if (context.plannedAtMs !== null && context.plannedAtMs <= sooner) return { next: {}, orders: [] }
  return plan(context, sooner, fact.atMs)
}

export function noteBacklog(context: CoordinatorContext, fact: CoordinatorFact): CoordinatorStep {
  if (fact.type !== 'backlog.changed') return { next: {}, orders: [] }
  const others = context.backlogged.filter((source) => source !== fact.source)
  return { next: { backlogged: fact.backlog ? [...others, fact.source].sort() : others }, orders: [] }
}

export function periodicRequest(atMs: number): CheckpointRequest {
  return { kind: 'checkpoint', requestId: null, targetDirectory: null, full: false, options: null, atMs }
}
