import { describe, expect, it } from 'vitest'
import type { CoordinatorFact, PendingStart } from '#machines/checkpoint-coordinator-vocabulary'
import { type PendingFact, type PendingOrder, pendingCheckpoint } from '#machines/pending-checkpoint'
import { StreamError } from '../../src/base/errors.ts'
import { silentLogger } from '../../src/base/logger.ts'
import { eventLoopTurns } from '../../src/base/turns.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import type { CheckpointWork, Published } from '../../src/runtime/control/checkpoint-work.ts'
import type { ChartStep } from '../../src/runtime/control/host-chart.ts'
import { hostPendingCheckpoint } from '../../src/runtime/control/pending-checkpoint.ts'
import { uncoveredTransitions } from './checkpoint-coverage.ts'
import { explore, inWords } from './explore.ts'

const start: PendingStart = {
  checkpointId: 7,
  kind: 'checkpoint',
  timestamp: 0,
  timeoutMs: 100,
  full: false,
  targetDirectory: null,
  options: null,
  waitFor: [
    { task: 'a', attempt: 1 },
    { task: 'b', attempt: 1 },
  ],
  finished: [],
}
const REFUSED = {
  code: 'NOT_SERIALIZABLE',
  message: 'no',
  restartHelps: false,
  thrown: null,
  operator: 'count',
} as const
const at = { checkpointId: 7, atMs: 0 }
const acknowledgement = (task: string, attempt: number): PendingFact => ({
  ...at,
  type: 'task.acknowledged',
  task,
  attempt,
  handles: `state of ${task}`,
})
const declined = (task: string, attempt: number): PendingFact => ({
  ...at,
  type: 'task.declined',
  task,
  attempt,
  reason: 'CHECKPOINT_DECLINED',
  message: 'no',
  cause: REFUSED,
})
const taskFailed = (task: string, attempt: number): PendingFact => ({
  ...at,
  type: 'task.failed',
  task,
  attempt,
  message: 'gone',
})
const taskFinished = (task: string, attempt: number): PendingFact => ({ ...at, type: 'task.finished', task, attempt })
const notPublished = (visible: 'no' | 'unknown'): PendingFact => ({
  ...at,
  type: 'metadata.notPublished',
  reason: 'FINALIZE_CHECKPOINT_FAILURE',
  message: 'disk',
  visible,
})

const always: readonly PendingFact[] = [
  acknowledgement('a', 1),
  acknowledgement('b', 1),
  acknowledgement('a', 0),
  acknowledgement('z', 1),
  declined('a', 1),
  declined('a', 0),
  taskFailed('a', 1),
  taskFailed('b', 1),
  taskFailed('b', 0),
  taskFinished('b', 1),
  taskFinished('b', 0),
  { ...at, type: 'abort.ordered', reason: 'CHECKPOINT_SUBSUMED', message: 'older' },
  { ...at, type: 'finalization.granted' },
  { ...at, type: 'timer.fired', name: 'expiry@6' },
]
const coordinatorsAcknowledged: PendingFact = { ...at, type: 'coordinators.acknowledged', snapshots: 'splits' }
const expiry = { ...at, type: 'timer.fired', name: 'expiry@7', atMs: 100 } as const satisfies PendingFact
const published: PendingFact = { ...at, type: 'metadata.published', handle: 'chk-7', bytes: 10, path: '/chk-7' }

const walkOf = (input: PendingStart, more: readonly PendingFact[] = []) =>
  explore(pendingCheckpoint, {
    input,
    environment: null,
    limit: 5000,
    facts: (snapshot) =>
      [
        ...always,
        ...more,
        ...(snapshot.context.coordinators === null ? [coordinatorsAcknowledged] : []),
        ...(snapshot.matches('open') ? [expiry] : []),
        ...(snapshot.matches('finalizing') ? [published, notPublished('no'), notPublished('unknown')] : []),
      ].map((fact) => ({ fact, environment: null })),
  })
const walk = walkOf(start)
const stopping: PendingStart = { ...start, kind: 'synchronousSavepoint', targetDirectory: '/sp' }
const stopWalk = walkOf(stopping, [taskFinished('a', 1)])

describe('every edge of a pending checkpoint', () => {
  it('is reached', () => {
    const edges = [...walk.edges, ...stopWalk.edges]
    expect(uncoveredTransitions(pendingCheckpoint, { ...walk, edges })).toEqual([])
    expect(walk.states.length).toBeGreaterThan(10)
  })

  it('holds what it promises', () => {
    for (const { path, before, fact, after, orders } of walk.edges) {
      const story = inWords([...path, fact])
      const types = orders.map((order) => order.type)
      const count = (type: PendingOrder['type']) => types.filter((one) => one === type).length
      const ended = (snapshot: typeof before) => snapshot.matches('completed') || snapshot.matches('aborted')

      // Every acknowledgement is answered, once.
      expect(count('answerAcknowledgement'), story).toBe(fact.type === 'task.acknowledged' ? 1 : 0)
      // Nothing is published that somebody has not acknowledged.
      if (count('publishMetadata') > 0) {
        expect(after.context.acknowledged.map((one) => one.task).sort(), story).toEqual(['a', 'b'])
        expect(after.context.coordinators, story).not.toBeNull()
      }
      // While it is being published, the outcome of that alone ends it.
      if (before.matches('finalizing'))
        expect(after.matches('finalizing'), story).toBe(!fact.type.startsWith('metadata.'))
      // An end is final.
      if (ended(before)) expect(after.value, story).toEqual(before.value)
      // What was acknowledged is deleted with an abort, unless it may be visible.
      const aborts = after.matches('aborted') && !before.matches('aborted')
      expect(count('discardPending'), story).toBe(
        aborts && !(fact.type === 'metadata.notPublished' && fact.visible === 'unknown') ? 1 : 0,
      )
      // Every end is told to the coordinator once, but for the abort that it ordered itself.
      expect(count('reportAborted'), story).toBe(aborts && fact.type !== 'abort.ordered' ? 1 : 0)
      expect(count('reportCompleted'), story).toBe(after.matches('completed') && !before.matches('completed') ? 1 : 0)
      // A task of another attempt changes nothing.
      if ('attempt' in fact && fact.attempt === 0) expect(after.value, story).toEqual(before.value)
      // State is deleted only if no checkpoint will use it.
      if (count('discardHandles') > 0 && 'task' in fact && !before.matches('aborted'))
        expect(start.waitFor, story).not.toContainEqual({ task: fact.task, attempt: fact.attempt })
      // No timer is left behind.
      if (!after.matches('open') && before.matches('open')) expect(count('cancelTimer'), story).toBe(1)
    }
  })

  it('of a savepoint that stops the job: a task that finishes is missed no more, and it is given up when all have', () => {
    for (const { path, before, fact, after, orders } of stopWalk.edges) {
      const story = inWords([...path, fact])
      const ids = ({ context }: typeof before) => context.acknowledged.map(({ task }) => task)
      if (fact.type === 'task.finished' && fact.attempt === 1 && before.matches({ open: 'collecting' })) {
        const left = before.context.waitFor.filter(({ task }) => task !== fact.task)
        const counts = before.context.waitFor.length > left.length && !ids(before).includes(fact.task)
        expect(after.matches('aborted'), story).toBe(counts && left.length === 0)
        // Nobody stands still for it, so no task is to blame.
        if (after.matches('aborted')) expect(orders).toMatchObject([{}, {}, { type: 'reportAborted', task: null }])
        else expect(after.context.waitFor).toEqual(counts ? left : before.context.waitFor)
      }
      for (const order of orders)
        if (order.type === 'publishMetadata')
          expect([...ids(after), ...order.finished].toSorted(), story).toEqual(['a', 'b'])
    }
  })

  it('of a savepoint that stops the job: whoever is behind a task that finished is triggered, when tasks are triggered at all', () => {
    const stories = new Set<boolean>()
    for (const { path, before, fact, after, orders } of stopWalk.edges) {
      const story = inWords([...path, fact])
      const triggered = orders.filter(({ type }) => type === 'triggerTasksBehind')
      const isOneLess = after.context.waitFor.length < before.context.waitFor.length
      const wasTriggered = before.context.coordinators !== null
      const gone = before.context.finished.length > 0
      const isNow = fact.type === 'coordinators.acknowledged' && before.matches({ open: 'collecting' }) && gone
      expect(triggered, story).toHaveLength((isOneLess && wasTriggered) || isNow ? 1 : 0)
      if (triggered.length > 0) stories.add(wasTriggered)
      for (const order of triggered)
        expect(order).toMatchObject({ barrier: { checkpointId: 7, kind: 'synchronousSavepoint', mode: 'aligned' } })
    }
    expect([...stories].toSorted()).toEqual([false, true])
    expect(walk.edges.flatMap(({ orders }) => orders).filter(({ type }) => type === 'triggerTasksBehind')).toEqual([])
  })

  it('is what the host does', async () => {
    const edges = [
      ...walk.edges.map((edge) => ({ ...edge, input: start })),
      ...stopWalk.edges.map((edge) => ({ ...edge, input: stopping })),
    ]
    for (const { input, path, fact, after, orders } of edges) {
      const { host, journal } = await replay([...path, fact], input)
      const story = inWords([...path, fact])
      expect(
        journal.map((step) => step.fact.type),
        story,
      ).toEqual([...path, fact].map((one) => one.type))
      expect(host.snapshot().value, story).toEqual(after.value)
      expect(host.snapshot().context, story).toEqual(after.context)
      expect(
        journal.at(-1)?.orders.map((order) => order.type),
        story,
      ).toEqual(orders.map((order) => order.type))
    }
  })
})

describe('the host of a pending checkpoint', () => {
  it('tells the coordinator of the end, with its numbers', async () => {
    const facts = [
      acknowledgement('b', 1),
      acknowledgement('a', 1),
      coordinatorsAcknowledged,
      { ...at, type: 'finalization.granted' } as const,
      published,
    ]
    const { told, done } = await replay(facts)
    expect(told).toEqual([
      { type: 'pending.acknowledged', checkpointId: 7, atMs: 0 },
      { type: 'pending.completed', checkpointId: 7, handle: 'chk-7', bytes: 10, path: '/chk-7', atMs: 0 },
    ])
    expect(done).toEqual(['publish a,b splits'])
  })

  it('says that deleting has ended, also when it failed', async () => {
    const { told, done } = await replay([acknowledgement('b', 1), declined('a', 1)])
    expect(done).toEqual(['discardPending b'])
    expect(told.map((fact) => fact.type)).toEqual(['pending.aborted', 'discards.finished'])
  })

  it('hands on what was thrown in the task that declined', async () => {
    const { told } = await replay([declined('a', 1)])
    expect(told[0]).toMatchObject({ type: 'pending.aborted', task: { task: 'a', attempt: 1 }, cause: REFUSED })
  })

  it('leaves no timer when it is released', async () => {
    const { clock, release } = await replay([acknowledgement('b', 1)])
    expect(clock.nextDeadlineMs()).toBe(100)
    release()
    expect(clock.nextDeadlineMs()).toBeUndefined()
  })
})

/** Drives the host so that exactly these facts arise, by the way on which each arises in earnest. */
async function replay(facts: readonly PendingFact[], input = start) {
  const clock = new VirtualClock()
  const turns = eventLoopTurns()
  const journal: ChartStep[] = []
  const told: CoordinatorFact[] = []
  const done: string[] = []
  let settlePublication: { resolve(published: Published): void; reject(error: Error): void } | undefined
  const work = {
    clock,
    logger: silentLogger,
    tap: { stepped: (step: ChartStep) => void journal.push(step) },
    publish: (publication) => {
      done.push(`publish ${publication.acknowledged.map((one) => one.task)} ${publication.coordinators}`)
      return new Promise<Published>((resolve, reject) => {
        settlePublication = { resolve, reject }
      })
    },
    discardPending: async ({ acknowledged }) => {
      done.push(`discardPending ${acknowledged.map((one) => one.task)}`)
      throw new StreamError('FILE_ERROR', { message: 'cannot be deleted' })
    },
    discardHandles: async () => {},
    triggerTasksBehind: ({ barrier }) => done.push(`trigger behind ${JSON.stringify(barrier)}`),
  } satisfies Partial<CheckpointWork>
  const pending = hostPendingCheckpoint(input, {
    id: 'job/coordinator/checkpoint-7',
    work: work as unknown as CheckpointWork,
    tell: (fact) => told.push(fact),
    failed: (cause) => {
      throw cause
    },
  })
  pending.start()
  for (const fact of facts) {
    if (fact.type === 'timer.fired' && fact.name === expiry.name) clock.advance(100)
    else if (fact.type === 'metadata.published') settlePublication?.resolve(fact)
    else if (fact.type === 'metadata.notPublished')
      settlePublication?.reject(
        new StreamError('FILE_ERROR', { message: fact.message, details: { visible: fact.visible } }),
      )
    else pending.send(fact)
    await new Promise<void>((resolve) => turns.next(resolve))
  }
  return { host: pending.host, release: () => pending.release(), clock, journal, told, done }
}
