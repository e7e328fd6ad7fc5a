import { describe, expect, it } from 'vitest'
import { checkpointCoordinator } from '#machines/checkpoint-coordinator'
import { abstraction } from '#machines/checkpoint-coordinator-abstraction'
import type {
  CheckpointKind,
  CoordinatorContext,
  CoordinatorFact,
  CoordinatorInput,
  CoordinatorOrder,
  CoordinatorSettings,
} from '#machines/checkpoint-coordinator-vocabulary'
import { replayFacts, task } from './checkpoint-coordinator-replay.ts'
import { uncoveredTransitions } from './checkpoint-coverage.ts'
import { type ExploredEdge, explore, inWords, type Move } from './explore.ts'

type Edge = ExploredEdge<typeof checkpointCoordinator>
type Snapshot = Edge['before']
type Unstamped<Fact> = Fact extends unknown ? Omit<Fact, 'atMs'> : never

const TIMEOUT_MS = 1_000_000
const REFUSED = {
  code: 'NOT_SERIALIZABLE',
  message: 'no',
  restartHelps: false,
  thrown: null,
  operator: 'count',
} as const
const settings: CoordinatorSettings = {
  intervalMs: null,
  minPauseMs: 0,
  timeoutMs: TIMEOUT_MS,
  maxConcurrent: 1,
  maxQueued: 2,
  tolerableFailures: 1,
  unaligned: false,
  alignedTimeoutMs: 0,
  intervalDuringBacklogMs: null,
  numRetained: 1,
  retention: 'NO_EXTERNALIZED_CHECKPOINTS',
}

/** How often each may still happen. */
interface Budget {
  readonly nowMs: number
  readonly requests: number
  readonly ticks: number
  readonly starts: number
  readonly disturbances: number
}

interface Bounds {
  readonly kinds: readonly CheckpointKind[]
  readonly budget: Omit<Budget, 'nowMs'>
  readonly input: CoordinatorInput
}

function walkOf({ kinds, budget, input }: Bounds) {
  const walk = explore(checkpointCoordinator, {
    input,
    environment: { nowMs: 0, ...budget },
    limit: 100_000,
    identity: (snapshot, { nowMs: _, ...left }) => JSON.stringify([abstraction(snapshot), left]),
    facts: (snapshot, left) => facts(snapshot, left, kinds, budget.requests),
  })
  return { ...walk, input }
}

function facts(
  snapshot: Snapshot,
  left: Budget,
  kinds: readonly CheckpointKind[],
  allRequests: number,
): readonly Move<typeof checkpointCoordinator, Budget>[] {
  const { context } = snapshot
  const moves: Move<typeof checkpointCoordinator, Budget>[] = []
  const may = (fact: Unstamped<CoordinatorFact>, spent: Partial<Budget> = {}, atMs = left.nowMs) =>
    moves.push({ fact: { ...fact, atMs } as CoordinatorFact, environment: { ...left, ...spent, nowMs: atMs } })
  const disturbed = { disturbances: left.disturbances - 1 }

  if (snapshot.matches({ active: { trigger: 'planning' } })) {
    // A plan is made at once: only what was waiting already comes between.
    const plan = {
      type: 'plan.made',
      timestamp: left.nowMs,
      trigger: [task],
      waitFor: [task],
      commitTo: [task],
      finished: [],
    } as const
    may({ ...plan, notRunning: [] })
    if (left.disturbances > 0) may({ ...plan, notRunning: ['a'] }, disturbed)
    if (left.starts > 0) may({ type: 'scheduler.stopped' }, { starts: left.starts - 1 })
    if (left.disturbances > 0) may({ type: 'plan.failed', reason: 'IO_EXCEPTION', message: 'disk' }, disturbed)
    return moves
  }
  if (left.requests > 0)
    for (const kind of kinds)
      may(
        {
          type: 'checkpoint.requested',
          requestId: allRequests - left.requests + 1,
          kind,
          targetDirectory: null,
          full: false,
          options: null,
        },
        { requests: left.requests - 1 },
      )
  if (context.plannedAtMs !== null && left.ticks > 0)
    may(
      { type: 'timer.fired', name: `tick@${context.plannedAtMs}` },
      { ticks: left.ticks - 1 },
      Math.max(left.nowMs, context.plannedAtMs),
    )

  const triggering = context.triggering?.checkpointId ?? null
  if (triggering !== null) {
    may({ type: 'coordinators.acknowledged', checkpointId: triggering, snapshots: null })
    if (left.disturbances > 0)
      may(
        { type: 'coordinators.failed', checkpointId: triggering, reason: 'TRIGGER_CHECKPOINT_FAILURE', message: 'no' },
        disturbed,
      )
  }
  for (const { checkpointId } of context.pending) {
    const aborted = {
      type: 'pending.aborted',
      checkpointId,
      message: 'no',
      cause: null,
      task: null,
      visible: 'no',
    } as const
    if (checkpointId === context.finalizing) {
      const completed = { type: 'pending.completed', checkpointId, handle: null, bytes: 0, path: null } as const
      may(completed)
      // So late that the next tick falls into the pause.
      if (context.plannedAtMs !== null && context.plannedAtMs - 1 > left.nowMs)
        may(completed, {}, context.plannedAtMs - 1)
      if (left.disturbances > 0) {
        may({ ...aborted, reason: 'FINALIZE_CHECKPOINT_FAILURE' }, disturbed)
        may({ ...aborted, reason: 'FINALIZE_CHECKPOINT_FAILURE', visible: 'unknown' }, disturbed)
      }
      continue
    }
    if (checkpointId !== triggering && !context.ready.includes(checkpointId))
      may({ type: 'pending.acknowledged', checkpointId })
    if (left.disturbances > 0) may({ ...aborted, reason: 'CHECKPOINT_DECLINED', task, cause: REFUSED }, disturbed)
  }
  const [only, ...others] = context.pending
  if (left.disturbances > 0 && only !== undefined && others.length === 0 && context.plannedAtMs === null) {
    const { checkpointId } = only
    const aborted = {
      type: 'pending.aborted',
      checkpointId,
      message: 'no',
      cause: null,
      task: null,
      visible: 'no',
    } as const
    if (checkpointId !== context.finalizing) {
      may({ ...aborted, reason: 'CHECKPOINT_EXPIRED' }, disturbed, only.startedAtMs + TIMEOUT_MS)
      if (!context.ready.includes(checkpointId)) may({ ...aborted, reason: 'TASK_FAILURE' }, disturbed)
    }
  }
  for (const checkpointId of [99, context.recentlyExpired.at(-1), context.recentlyCompleted.at(-1)])
    if (checkpointId !== undefined) may({ type: 'task.acknowledged', checkpointId, ...task, handles: null })
  if (context.cleaning > 0) may({ type: 'discards.finished', count: 1 })
  if (
    snapshot.matches({ active: { completion: 'readingStore' } }) ||
    (snapshot.matches('shuttingDown') && isReading(context))
  ) {
    may({ type: 'store.read', completed: context.completed })
    may({ type: 'store.notRead', message: 'disk' })
  }
  if (left.starts > 0) {
    may({ type: 'scheduler.started', firstDelayMs: null }, { starts: left.starts - 1 })
    may({ type: 'backlog.changed', source: 's', backlog: context.backlogged.length === 0 }, { starts: left.starts - 1 })
    may({ type: 'scheduler.stopped' }, { starts: left.starts - 1 })
  }
  if (left.disturbances > 0) {
    may({ type: 'job.failedOver' }, disturbed)
    may({ type: 'discards.started', count: 2 }, disturbed)
    may({ type: 'coordinator.shutDown', jobStatus: 'FINISHED' }, disturbed)
  }
  return moves
}

/** The one that was being made durable is not pending any more: whether it is visible is being looked up. */
const isReading = ({ finalizing, pending }: CoordinatorContext) =>
  finalizing !== null && !pending.some((one) => one.checkpointId === finalizing)

const fresh: CoordinatorInput = { settings, nextCheckpointId: 1, completed: [], restoredFrom: null }
const walks = {
  'requests of all kinds': walkOf({
    kinds: ['checkpoint', 'savepoint', 'synchronousSavepoint'],
    budget: { requests: 2, ticks: 0, starts: 0, disturbances: 1 },
    input: fresh,
  }),
  'checkpoints side by side, disturbed twice': walkOf({
    kinds: ['checkpoint'],
    budget: { requests: 2, ticks: 0, starts: 0, disturbances: 2 },
    input: { ...fresh, settings: { ...settings, maxConcurrent: 2, tolerableFailures: 0, unaligned: true } },
  }),
  'periodic checkpoints with a pause and backlog': walkOf({
    kinds: ['checkpoint'],
    budget: { requests: 0, ticks: 2, starts: 3, disturbances: 0 },
    input: {
      ...fresh,
      settings: { ...settings, intervalMs: 10, minPauseMs: 4, intervalDuringBacklogMs: 0, maxQueued: 1 },
    },
  }),
  'after a restore that claims nothing, one after the other': walkOf({
    kinds: ['checkpoint', 'savepoint'],
    budget: { requests: 2, ticks: 0, starts: 0, disturbances: 0 },
    input: {
      settings: { ...settings, retention: 'RETAIN_ON_CANCELLATION' },
      nextCheckpointId: 8,
      completed: [{ checkpointId: 7, kind: 'savepoint', handle: null, discardable: false }],
      restoredFrom: { checkpointId: 7, claimMode: 'NO_CLAIM' },
    },
  }),
}

const of = <Type extends CoordinatorOrder['type']>(orders: readonly CoordinatorOrder[], type: Type) =>
  orders.filter((order): order is Extract<CoordinatorOrder, { type: Type }> => order.type === type)
const reported = (orders: readonly CoordinatorOrder[], type: string) =>
  of(orders, 'report').flatMap(({ event }) =>
    event.type === type && 'checkpointId' in event ? [event.checkpointId] : [],
  )
const ids = (snapshot: Snapshot) => snapshot.context.pending.map((one) => one.checkpointId)

describe('every edge of the checkpoint coordinator', () => {
  it('is reached', () => {
    expect(uncoveredTransitions(checkpointCoordinator, ...Object.values(walks))).toEqual([])
  })

  it('together they give every order', () => {
    const given = new Set(
      Object.values(walks).flatMap(({ edges }) => edges.flatMap(({ orders }) => orders.map((order) => order.type))),
    )
    expect([...given].sort()).toEqual([
      'abortPending',
      'acknowledgeCoordinators',
      'answerAcknowledgement',
      'answerRequest',
      'cancelTimer',
      'discardCheckpoint',
      'discardHandles',
      'failJob',
      'finalizeCheckpoint',
      'makePlan',
      'notifyAborted',
      'notifyComplete',
      'readStore',
      'rejectRequest',
      'releasePending',
      'report',
      'snapshotCoordinators',
      'startPending',
      'startTimer',
      'triggerTasks',
    ])
  })

  describe.each(Object.entries(walks))('%s', (_, walk) => {
    const each = (holds: (edge: Edge) => void) => {
      for (const edge of walk.edges) {
        try {
          holds(edge)
        } catch (thrown) {
          throw inStory(edge, thrown)
        }
      }
    }

    it('an id is given once and ends once: completed or aborted', () => {
      each(({ before, after, orders }) => {
        const ended = [...reported(orders, 'checkpoint.completed'), ...reported(orders, 'checkpoint.aborted')]
        expect(new Set(ended).size).toBe(ended.length)
        for (const id of ended) expect(ids(before)).toContain(id)
        for (const id of ended) expect(ids(after)).not.toContain(id)
        const started = of(orders, 'startPending').map((order) => order.checkpointId)
        for (const id of started) expect(id).toBe(before.context.nextCheckpointId)
        expect(ids(after).sort()).toEqual([...ids(before), ...started].filter((id) => !ended.includes(id)).sort())
      })
    })

    it('an abort is notified together with the abort, before any completion', () => {
      each(({ orders }) => {
        expect(of(orders, 'notifyAborted').map((order) => order.checkpointId)).toEqual(
          reported(orders, 'checkpoint.aborted'),
        )
        const types = orders.map((order) => order.type)
        if (types.includes('notifyComplete'))
          expect(types.lastIndexOf('notifyAborted')).toBeLessThan(types.indexOf('notifyComplete'))
      })
    })

    it('no more are pending than may be, but for a savepoint that is forced', () => {
      each(({ before, orders }) => {
        const { maxConcurrent, unaligned } = before.context.settings
        for (const { kind } of of(orders, 'startPending'))
          if (kind === 'checkpoint' || unaligned) expect(before.context.pending.length).toBeLessThan(maxConcurrent)
      })
    })

    it('one is made durable at a time, and only the outcome of that ends it', () => {
      each(({ before, fact, after, orders }) => {
        expect(of(orders, 'finalizeCheckpoint').length).toBeLessThanOrEqual(1)
        const { finalizing } = before.context
        if (finalizing === null || finalizing === after.context.finalizing) return
        const isOutcome = 'checkpointId' in fact ? fact.checkpointId === finalizing : fact.type.startsWith('store.')
        expect(isOutcome).toBe(true)
      })
    })

    it('an ordinary savepoint ends at durable metadata', () => {
      each(({ before, fact, after, orders }) => {
        const pending = before.context.pending.find(
          (one) => fact.type === 'pending.completed' && one.checkpointId === fact.checkpointId,
        )
        if (pending === undefined || pending.kind !== 'savepoint') return
        expect(of(orders, 'notifyComplete')).toEqual([])
        expect(reported(orders, 'checkpoint.aborted')).toEqual([])
        if (!after.matches('shutDown')) expect(after.context.completed).toEqual(before.context.completed)
      })
    })

    it('after a checkpoint or a stop nothing older is pending but savepoints', () => {
      each(({ orders, after }) => {
        for (const { checkpointId } of of(orders, 'notifyComplete'))
          for (const one of after.context.pending)
            if (one.checkpointId < checkpointId) expect(one.kind).not.toBe('checkpoint')
      })
    })

    it('only checkpoints are subsumed, and only by what is newer', () => {
      each(({ orders }) => {
        for (const { event } of of(orders, 'report')) {
          if (event.type !== 'checkpoint.aborted' || event.reason !== 'CHECKPOINT_SUBSUMED') continue
          expect(event.kind).toBe('checkpoint')
          expect(Math.max(...reported(orders, 'checkpoint.completed'))).toBeGreaterThan(event.checkpointId)
        }
      })
    })

    it('what the store keeps is in order and within its number, and what left it is deleted if it is ours', () => {
      each(({ before, fact, after, orders }) => {
        const kept = after.context.completed.map((one) => one.checkpointId)
        expect(kept).toEqual([...kept].sort((one, other) => one - other))
        expect(kept.length).toBeLessThanOrEqual(after.context.settings.numRetained)
        if (fact.type === 'store.read') return
        const gone = before.context.completed.filter((one) => !kept.includes(one.checkpointId) && one.discardable)
        for (const { checkpointId } of gone)
          expect(of(orders, 'discardCheckpoint').map((order) => order.checkpointId)).toContain(checkpointId)
      })
    })

    it('one look drops one request at most', () => {
      each(({ orders }) => {
        const early = of(orders, 'report').filter(
          ({ event }) => event.type === 'checkpoint.rejected' && event.reason === 'MINIMUM_TIME_BETWEEN_CHECKPOINTS',
        )
        // A completion that also ends older ones is more than one occasion to look.
        expect(early.length).toBeLessThanOrEqual(1 + reported(orders, 'checkpoint.aborted').length)
      })
    })

    it('a coordinator that is shut down starts nothing, and has nothing left', () => {
      each(({ before, after, orders }) => {
        if (!before.matches('active')) expect(of(orders, 'startPending')).toEqual([])
        if (!after.matches('shutDown')) return
        expect([after.context.pending, after.context.queue, after.context.plannedAtMs]).toEqual([[], [], null])
      })
    })

    it('is what the hosts do, and no asker is left without an answer or gets two', async () => {
      for (const edge of walk.edges) {
        try {
          await isWhatTheHostsDo(edge, walk.input)
        } catch (thrown) {
          throw inStory(edge, thrown)
        }
      }
    })
  })
})

async function isWhatTheHostsDo({ path, fact, after, orders }: Edge, input: CoordinatorInput): Promise<void> {
  const all = [...path, fact]
  const { coordinator, journal, events, answers } = await replayFacts(input, all)
  const seen = journal.slice(0, all.length)
  expect(seen.map((step) => step.fact.type).join()).toBe(all.map((one) => one.type).join())
  expect(JSON.stringify(seen.at(-1)?.value)).toBe(JSON.stringify(after.value))
  expect(
    seen
      .at(-1)
      ?.orders.map((order) => order.type)
      .join(),
  ).toBe(orders.map((order) => order.type).join())
  // Hosts make a plan at once, so there they are one step further.
  if (after.matches({ active: { trigger: 'planning' } })) return
  expect(journal.length).toBe(all.length)
  expect(JSON.stringify(coordinator.completed())).toBe(JSON.stringify(after.context.completed))

  const { pending, queue } = after.context
  const asked = all.filter((one) => one.type === 'checkpoint.requested').length
  expect(answers.length).toBe(asked - [...pending, ...queue].filter((one) => one.requestId !== null).length)
  const ends = events.flatMap((event) =>
    event.type === 'checkpoint.completed' || event.type === 'checkpoint.aborted' ? [event.checkpointId] : [],
  )
  expect(new Set(ends).size).toBe(ends.length)
}

/** What failed, and how the chart got there. */
function inStory({ path, fact }: Edge, thrown: unknown): unknown {
  if (thrown instanceof Error) thrown.message += `\n${inWords([...path, fact])}`
  return thrown
}
