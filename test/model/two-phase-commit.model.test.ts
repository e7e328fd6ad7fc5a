/** Every state and fact of one sink transaction, each path replayed against the real host, behind an older transaction. */
import { describe, expect, test } from 'vitest'
import type { Cause } from '#machines/cause'
import {
  twoPhaseCommit as machine,
  standing,
  type TwoPhaseCommitFact,
  type TwoPhaseCommitOrder,
} from '#machines/two-phase-commit'
import { StreamError } from '../../src/base/errors.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import type { CommitRequest } from '../../src/operators/sink.ts'
import { causes } from '../../src/runtime/control/causes.ts'
import type { ChartStep } from '../../src/runtime/control/host-chart.ts'
import { twoPhaseCommit } from '../../src/runtime/control/two-phase-commit.ts'
import { type ExploredEdge, explore, inWords, unusedTransitions } from './explore.ts'
import { neverReached } from './never-reached.ts'

type Edge = ExploredEdge<typeof machine>

const OWN = 5
const cause: Cause = { code: 'COMMIT_FAILED', message: 'the outside world says no', restartHelps: true, thrown: null }
const input = { retries: 1, commitTimeoutMs: 60_000, ignoreFailuresAfterMs: 100, startedAtMs: 0 }

/** What the sink, the coordinator and the committer may tell a transaction in its phase. */
function facts(phase: string, pending: readonly number[]): readonly TwoPhaseCommitFact[] {
  switch (phase) {
    case 'open':
      return [
        { type: 'transaction.preCommitted', checkpointId: OWN, announced: 0, arrived: 0 },
        { type: 'transaction.preCommitted', checkpointId: OWN, announced: 2, arrived: 2 },
        { type: 'transaction.preCommitted', checkpointId: OWN, announced: 2, arrived: 1 },
        { type: 'transaction.restored', checkpointId: OWN, count: 2 },
        { type: 'transaction.closed' },
      ]
    case 'preCommitted':
      return [
        { type: 'committables.arrived', count: 1 },
        { type: 'checkpoint.completed', checkpointId: OWN - 1 },
        { type: 'checkpoint.completed', checkpointId: OWN },
        { type: 'checkpoint.completed', checkpointId: OWN + 1 },
        { type: 'input.ended' },
      ]
    case 'due':
      return [{ type: 'turn.came' }]
    case 'committing':
      return [
        { type: 'commit.answered', retryLater: [], failed: null },
        { type: 'commit.answered', retryLater: pending.slice(0, 1), failed: null },
        { type: 'commit.answered', retryLater: pending, failed: null },
        { type: 'commit.answered', retryLater: [], failed: { places: pending.slice(0, 1), cause } },
        { type: 'commit.failed', cause, atMs: 100 },
        { type: 'commit.failed', cause, atMs: 101 },
        { type: 'timer.fired', timer: 'commit' },
      ]
    default:
      return LATE
  }
}

/** What may still come when all is said and done. */
const LATE: readonly TwoPhaseCommitFact[] = [
  { type: 'checkpoint.completed', checkpointId: OWN + 1 },
  { type: 'input.ended' },
  { type: 'turn.came' },
  { type: 'commit.answered', retryLater: [], failed: null },
  { type: 'commit.failed', cause, atMs: 500 },
  { type: 'timer.fired', timer: 'commit' },
  { type: 'transaction.closed' },
]

const { edges } = explore(machine, {
  input,
  environment: { arrivals: 0 },
  facts: (snapshot, { arrivals }) =>
    facts(standing(snapshot).phase, standing(snapshot).pending)
      .filter(({ type }) => type !== 'committables.arrived' || arrivals === 0)
      .map((fact) => ({ fact, environment: { arrivals: arrivals + (fact.type === 'committables.arrived' ? 1 : 0) } })),
  limit: 10_000,
})

interface Call {
  readonly requests: readonly CommitRequest<string>[]
  answer(): void
  refuse(thrown: unknown): void
}

/** The microtasks of a settled commit. */
const settled = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

/** Drives the host by its doors alone; an older transaction, whose commit answers when the turn comes, holds it up before. */
async function replay(path: readonly TwoPhaseCommitFact[]) {
  const clock = new VirtualClock()
  const calls: Call[] = []
  const steps: ChartStep[] = []
  const errors: unknown[] = []
  const transactions = twoPhaseCommit<string>({
    id: 'job/sink-0#1/transactions',
    clock,
    causes: causes(),
    retries: input.retries,
    commitTimeoutMs: input.commitTimeoutMs,
    ignoreFailuresAfterMs: input.ignoreFailuresAfterMs,
    checkpointing: false,
    commit: (requests) => new Promise<void>((answer, refuse) => calls.push({ requests, answer, refuse })),
    failed: (broken) => {
      throw broken
    },
    tap: { stepped: (step) => steps.push(step) },
  })
  const note = (promise: Promise<void>) => void promise.catch((thrown) => errors.push(thrown))
  let made = 0
  const committables = (count: number) => Array.from({ length: count }, () => `own ${made++}`)

  transactions.preCommit(1, ['older'])
  note(transactions.complete(1))
  const older = calls.shift() as Call
  for (const fact of path) {
    switch (fact.type) {
      case 'transaction.preCommitted':
        transactions.preCommit(fact.checkpointId, committables(fact.arrived), fact.announced)
        break
      case 'committables.arrived':
        transactions.preCommit(OWN, committables(fact.count))
        break
      case 'transaction.restored':
        note(
          transactions.restored(
            committables(fact.count).map((committable) => ({
              checkpointId: fact.checkpointId,
              committable,
              startedAtMs: 0,
            })),
          ),
        )
        break
      case 'checkpoint.completed':
        note(transactions.complete(fact.checkpointId))
        break
      case 'input.ended':
        note(transactions.endInput())
        break
      case 'turn.came':
        older.answer()
        break
      case 'commit.answered': {
        const { requests, answer } = calls.shift() as Call
        const named = (place: number) => requests.find(({ committable }) => committable === `own ${place}`)
        for (const place of fact.retryLater) named(place)?.retryLater()
        for (const place of fact.failed?.places ?? [])
          named(place)?.failed(new StreamError('COMMIT_FAILED', { message: cause.message }))
        answer()
        break
      }
      case 'commit.failed':
        clock.skip(fact.atMs)
        calls.shift()?.refuse(new StreamError('COMMIT_FAILED', { message: cause.message }))
        break
      case 'timer.fired':
        clock.advance(input.commitTimeoutMs)
        break
      case 'transaction.closed':
        transactions.begin('own')
        note(transactions.close())
        older.answer()
    }
    await settled()
  }
  const release = async () => {
    older.answer()
    await settled()
  }
  return { release, steps: steps.filter(({ id }) => id.endsWith('/2')), errors, pending: transactions.pending() }
}

/** Causes carry the number under which the host keeps what was thrown: a matter of the host alone. */
const withoutThrown = (value: unknown) => JSON.parse(JSON.stringify(value).replaceAll(/"thrown":\d+/g, '"thrown":null'))

const isAlive = ({ before }: Edge) => ['open', 'preCommitted', 'due', 'committing'].includes(standing(before).phase)
/** An empty transaction needs no chart: the host makes none. */
const isEmpty = ({ path, fact }: Edge) =>
  [...path, fact].some((each) => each.type === 'transaction.preCommitted' && each.announced === 0)
const replayable = edges.filter((edge) => isAlive(edge) && !isEmpty(edge))

const ordersOf = (edge: Edge, type: TwoPhaseCommitOrder['type']) => edge.orders.filter((order) => order.type === type)

describe('a sink transaction', () => {
  test('is walked completely: every state is reached and every transition taken', () => {
    expect(neverReached(machine, edges)).toEqual([])
    expect(unusedTransitions(machine, edges)).toEqual([])
  })

  test('takes in the real host every edge as in the chart', async () => {
    expect(replayable.length).toBeGreaterThan(100)
    for (const { path, fact, after, orders } of replayable) {
      const { steps } = await replay([...path, fact])
      const last = steps.findLast((step) => step.fact.type === fact.type)
      const where = inWords([...path, fact])
      expect(withoutThrown(last?.fact), where).toEqual(fact)
      expect(last?.value, where).toEqual(after.value)
      expect(withoutThrown(last?.orders), where).toEqual(orders)
    }
  })

  test('is never committed before a checkpoint that covers it is complete, unless it was restored or the input ended', () => {
    for (const edge of edges) {
      if (ordersOf(edge, 'commit').length === 0) continue
      const allowed = [...edge.path, edge.fact].some(
        (fact) =>
          (fact.type === 'checkpoint.completed' && fact.checkpointId >= OWN) ||
          fact.type === 'transaction.restored' ||
          fact.type === 'input.ended',
      )
      expect(allowed, inWords([...edge.path, edge.fact])).toBe(true)
    }
  })

  test('is not committed while announced committables are missing: that fails the task', () => {
    for (const edge of edges) {
      const { phase } = standing(edge.before)
      const { arrived, announced } = edge.before.context
      if (phase !== 'preCommitted' || arrived >= announced || standing(edge.after).phase !== 'preCommitted') continue
      if (edge.fact.type === 'committables.arrived') continue
      const covered =
        edge.fact.type === 'input.ended' || (edge.fact.type === 'checkpoint.completed' && edge.fact.checkpointId >= OWN)
      expect(edge.orders).toMatchObject(covered ? [{ type: 'failTask', cause: { code: 'COMMITTABLES_MISSING' } }] : [])
    }
  })

  test('is aborted only while it is open', () => {
    for (const edge of edges)
      if (ordersOf(edge, 'abortTransaction').length > 0) expect(standing(edge.before).phase).toBe('open')
  })

  test('an answer settles each committable exactly once: visible, tried again or kept', () => {
    for (const edge of edges) {
      if (edge.fact.type !== 'commit.answered' || standing(edge.before).phase !== 'committing') continue
      const visible = edge.orders.flatMap((order) => (order.type === 'reportCommitted' ? order.places : []))
      expect([...visible, ...standing(edge.after).pending].sort()).toEqual([...standing(edge.before).pending].sort())
    }
  })

  test('is tried again at most as often as allowed, then the task fails and what is left stays pending', () => {
    for (const edge of edges) {
      for (const order of edge.orders)
        if (order.type === 'commit') expect(order.attempt).toBeLessThanOrEqual(input.retries)
      if (standing(edge.after).phase === 'failed' && isAlive(edge)) {
        expect(ordersOf(edge, 'failTask')).toHaveLength(1)
        expect(standing(edge.after).pending).not.toEqual([])
      }
    }
  })

  test('a failure is forgiven only to a restored transaction that is older than its time limit', () => {
    for (const edge of edges) {
      if (standing(edge.after).phase !== 'expired' || !isAlive(edge)) continue
      expect(edge.before.context.restored).toBe(true)
      expect(edge.fact).toMatchObject({ type: 'commit.failed', atMs: 101 })
    }
  })

  test('once settled stays as it is, and orders nothing more', () => {
    for (const edge of edges)
      if (!isAlive(edge)) expect([edge.after.value, edge.orders]).toEqual([edge.before.value, []])
  })

  test('stays in every snapshot until its commit has answered', async () => {
    for (const edge of replayable) {
      const { phase, pending } = standing(edge.after)
      if (phase === 'open' || phase === 'aborted' || phase === 'expired') continue
      const left = (await replay([...edge.path, edge.fact])).pending.filter(({ checkpointId }) => checkpointId === OWN)
      expect(
        left.map(({ committable }) => committable),
        inWords([...edge.path, edge.fact]),
      ).toEqual(pending.map((place) => `own ${place}`))
    }
  })

  test('whoever waits for it hears of its failure', async () => {
    for (const edge of replayable) {
      if (ordersOf(edge, 'failTask').length === 0) continue
      const { errors, release } = await replay([...edge.path, edge.fact])
      await release()
      expect(errors.length, inWords([...edge.path, edge.fact])).toBeGreaterThan(0)
    }
  })
})
