/** Every state and fact of a job's life with one restart and two restores, each path replayed against the real host. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { JobFact, JobInput, JobOrder, Retention, TerminalStatus } from '#machines/job'
import { job as machine } from '#machines/job'
import { keepsCheckpoints } from '#machines/job-endings'
import { type ExploredEdge, inWords, unusedTransitions } from './explore.ts'
import { isAlive, isTerminal, place, replayJob, walkJob } from './job-environment.ts'
import { neverReached } from './never-reached.ts'

type Edge = ExploredEdge<typeof machine>

const one: JobInput = { regions: [0], retention: 'DELETE_ON_CANCELLATION', suspendsToCheckpoint: true }
const two: JobInput = { ...one, regions: [0, 0] }
const apart: JobInput = { ...one, regions: [0, 1] }
let oneTask: readonly Edge[] = []
let twoRegions: readonly Edge[] = []
/** Whatever the chart decides, it decides for two tasks as for one, and for two regions: claims are checked on all walks. */
let edges: readonly Edge[] = []

beforeAll(() => {
  oneTask = walkJob(one).edges
  twoRegions = walkJob(apart).edges
  edges = [...oneTask, ...walkJob(two).edges, ...twoRegions]
}, 60_000)

/** Of an edge, asked for by most claims on it: made once. */
const told = new Map<Edge, string>()
const words = (edge: Edge) => {
  const known = told.get(edge) ?? inWords([...edge.path, edge.fact])
  told.set(edge, known)
  return known
}
const gives = <T extends JobOrder['type']>({ orders }: Edge, type: T) =>
  orders.filter((order): order is Extract<JobOrder, { type: T }> => order.type === type)
const withoutThrown = (value: unknown) => JSON.parse(JSON.stringify(value).replaceAll(/"thrown":\d+/g, '"thrown":null'))
const statusOf = (value: unknown) => place(value).split('.')[0]?.toUpperCase()
const isFinish = (fact: JobFact) => fact.type === 'task.changed' && fact.state === 'FINISHED'
const isOfNow = ({ before: { context }, fact }: Edge) =>
  !('attempt' in fact) || fact.attempt === ('task' in fact ? context.attempts[fact.task] : context.attempt)
const aliveBefore = ({ before }: Edge, tasks: readonly number[]) =>
  tasks.filter((task) => isAlive(before.context.states[task]))
const restarting = ({ context }: Edge['after']) =>
  context.restarting.flatMap((restarts, task) => (restarts ? [task] : []))

describe('a job', () => {
  test('is walked completely: every state is reached and every transition taken', () => {
    expect(neverReached(machine, twoRegions)).toEqual([])
    const inMemory = walkJob({ ...one, suspendsToCheckpoint: false }).edges
    expect(unusedTransitions(machine, [...twoRegions, ...inMemory])).toEqual([])
  })

  test('its host does on every edge what the chart orders, in that order, and nothing else', async () => {
    expect(oneTask.length).toBeGreaterThan(3_000)
    for (const edge of oneTask) {
      const { last, deeds, status } = await replayJob(one, [...edge.path, edge.fact])
      expect(withoutThrown(last?.fact), words(edge)).toEqual(edge.fact)
      expect(last?.value, words(edge)).toEqual(edge.after.value)
      expect(withoutThrown(last?.orders), words(edge)).toEqual(withoutThrown(edge.orders))
      expect(status).toBe(statusOf(edge.after.value))
      const work = edge.orders
        .map(({ type }) => type)
        .filter((type) => type !== 'writeRecord' && !type.endsWith('Timer'))
      const done = deeds.filter(({ type }) => type !== 'writeRecord').map(({ type }) => type)
      expect(done.slice(done.length - work.length), words(edge)).toEqual(work)
      const revisions = deeds.flatMap((deed) => (deed.type === 'writeRecord' ? [deed.revision] : []))
      expect(revisions).toEqual(revisions.map((_, index) => index + 1))
    }
  })

  test('never leaves a terminal status', () => {
    for (const edge of edges)
      if (isTerminal(place(edge.before.value)))
        expect(statusOf(edge.after.value), words(edge)).toBe(statusOf(edge.before.value))
  })

  test('gives its result once, as its very last order', () => {
    for (const edge of edges) {
      if (place(edge.before.value).endsWith('ended'))
        expect([edge.after.value, edge.orders], words(edge)).toEqual([edge.before.value, []])
      if (gives(edge, 'endJob').length > 0) expect(edge.orders.at(-1)?.type).toBe('endJob')
      expect(gives(edge, 'endJob').length === 1).toBe(
        place(edge.after.value).endsWith('ended') && !place(edge.before.value).endsWith('ended'),
      )
    }
  })

  test('changes status only as Flink does', () => {
    const legal: Readonly<Record<string, readonly string[]>> = {
      INITIALIZING: ['CREATED', 'FAILED', 'CANCELED', 'SUSPENDED'],
      // Flink starts enumerators as RUNNING; here they start before, and may fail there.
      CREATED: ['RUNNING', 'RESTARTING', 'FAILED', 'CANCELED', 'SUSPENDED'],
      RUNNING: ['RESTARTING', 'FAILING', 'FAILED', 'CANCELLING', 'CANCELED', 'FINISHED', 'SUSPENDED'],
      RESTARTING: ['RUNNING', 'FAILING', 'FAILED', 'CANCELLING', 'CANCELED', 'SUSPENDED'],
      FAILING: ['FAILED'],
      CANCELLING: ['CANCELED', 'FAILING', 'FAILED'],
    }
    for (const edge of edges) {
      const [from, to] = [statusOf(edge.before.value) as string, statusOf(edge.after.value) as string]
      if (from !== to) expect(legal[from], words(edge)).toContain(to)
    }
  })

  test('nothing of an old attempt changes the new one', () => {
    for (const edge of edges) {
      const { before, after, fact, orders } = edge
      if (isOfNow(edge)) continue
      expect([after.value, after.context], words(edge)).toEqual([before.value, before.context])
      // Whoever waits is told that nothing comes of it.
      const denied = fact.type === 'savepoint.published' ? [{ type: 'denySeal', savepoint: 'late' }] : []
      expect(orders).toEqual(place(before.value).endsWith('ended') ? [] : denied)
    }
  })

  test('the next attempt is prepared only when all tasks that restart are gone and the backoff is over', () => {
    for (const edge of edges) {
      if (edge.after.context.attempt === edge.before.context.attempt) continue
      expect(edge.after.context.attempt).toBe(edge.before.context.attempt + 1)
      const backoffOver = edge.before.context.backoffOver || edge.fact.type === 'timer.fired'
      const lastOneGone = edge.fact.type === 'task.changed' || edge.fact.type === 'task.failed'
      const alive = aliveBefore(edge, restarting(edge.after)).length
      expect([backoffOver, alive], words(edge)).toEqual([true, lastOneGone ? 1 : 0])
      expect(gives(edge, 'restoreState')).toEqual([
        { type: 'restoreState', attempt: edge.after.context.attempt, tasks: restarting(edge.after) },
      ])
    }
  })

  test('tasks are deployed only with their state at hand, once an attempt, and never beside living ones', () => {
    for (const edge of edges) {
      const [deploy] = gives(edge, 'deployTasks')
      if (deploy === undefined) continue
      expect(edge.fact).toMatchObject({
        type: 'state.restored',
        attempt: deploy.attempt,
        checkpointId: deploy.checkpointId,
      })
      expect(deploy.tasks).toEqual(restarting(edge.before))
      expect(aliveBefore(edge, deploy.tasks)).toEqual([])
      for (const task of deploy.tasks) expect(edge.after.context.attempts[task]).toBe(deploy.attempt)
      expect(edge.path.filter((each) => each.type === 'state.restored' && each.attempt === deploy.attempt)).toEqual([])
    }
  })

  test('a failure is put to the restart strategy at most once an attempt, and only while the job runs or restores', () => {
    for (const edge of edges) {
      const asks = gives(edge, 'askRestart')
      expect(asks.length).toBeLessThanOrEqual(1)
      if (asks.length === 1)
        expect(
          ['created.restoring', 'running.working', 'running.stopping', 'restarting.restoring'],
          words(edge),
        ).toContain(place(edge.before.value))
    }
  })

  test('a failed task takes its region along, any other failure all, and so does every one while the job is being stopped', () => {
    const asked = edges.filter((edge) => gives(edge, 'askRestart').length === 1)
    for (const edge of asked) {
      const { fact, before, after } = edge
      const { regions } = before.context
      const all = regions.map((_, task) => task)
      const where = place(before.value)
      const region = fact.type === 'task.failed' ? all.filter((task) => regions[task] === regions[fact.task]) : all
      // What fails of reading state concerns nobody who runs.
      const expected =
        where === 'running.stopping' ? all : fact.type === 'state.notRestored' ? restarting(before) : region
      expect(restarting(after), words(edge)).toEqual(expected)
    }
    expect(new Set(asked.map(({ after }) => String(restarting(after))))).toEqual(new Set(['0', '1', '0,1']))
  })

  test('a task that does not restart keeps its attempt and its state, and is not cancelled, whatever becomes of the others', () => {
    let seen = 0
    for (const edge of twoRegions) {
      const { before, after, fact } = edge
      if (!['RUNNING', 'RESTARTING'].includes(statusOf(after.value) ?? '') || /leaving$/.test(place(after.value)))
        continue
      const cancelled = gives(edge, 'cancelTasks').flatMap(({ tasks }) => tasks.map(({ task }) => task))
      for (const task of [0, 1]) {
        if (before.context.restarting[task] || after.context.restarting[task]) continue
        seen++
        const [was, is] = [before.context, after.context]
        expect([is.attempts[task], cancelled.includes(task)], words(edge)).toEqual([was.attempts[task], false])
        const itself = 'task' in fact && fact.task === task
        if (!itself) expect(is.states[task]).toBe(was.states[task])
        if (!itself) expect(is.awaitFinalCheckpoint[task], words(edge)).toBe(was.awaitFinalCheckpoint[task])
      }
    }
    expect(seen).toBeGreaterThan(1_000)
  })

  test('whatever joins a restart is cancelled, in its own attempt, so that nobody waits for it in vain', () => {
    let joined = 0
    for (const edge of edges) {
      const { before, after } = edge
      if (statusOf(after.value) !== 'RESTARTING' || place(after.value) === 'restarting.leaving') continue
      const begins = statusOf(before.value) !== 'RESTARTING'
      const tasks = restarting(after).filter((task) => begins || !before.context.restarting[task])
      if (tasks.length > 0 && !begins) joined++
      expect(gives(edge, 'cancelTasks'), words(edge)).toEqual(
        tasks.length === 0
          ? []
          : [{ type: 'cancelTasks', tasks: tasks.map((task) => ({ task, attempt: before.context.attempts[task] })) }],
      )
    }
    expect(joined).toBeGreaterThan(10)
  })

  test('when it ends before its tasks do it cancels every one of them, those that run on beside a restart too', () => {
    for (const edge of edges) {
      const leaves = (value: unknown) => /^(failing|cancelling)$|leaving$/.test(place(value))
      if (!leaves(edge.after.value) || place(edge.before.value) === place(edge.after.value)) continue
      const all = edge.after.context.attempts.map((attempt, task) => ({ task, attempt }))
      expect(gives(edge, 'cancelTasks'), words(edge)).toEqual([{ type: 'cancelTasks', tasks: all }])
    }
  })

  test('a failure against which no restart helps is never put to the restart strategy', () => {
    for (const edge of edges)
      for (const { cause } of gives(edge, 'askRestart'))
        expect([cause.restartHelps, edge.before.context.sealed]).toEqual([true, null])
  })

  test('after the savepoint that ends it no failure is followed by a restart, and the end names the savepoint', () => {
    for (const edge of edges) {
      if (edge.before.context.sealed === null) continue
      expect(statusOf(edge.after.value), words(edge)).not.toBe('RESTARTING')
      for (const { sealed } of gives(edge, 'endJob')) expect(sealed).toEqual(edge.before.context.sealed)
    }
  })

  test('every failure that counts stands in the history, with what it decided or not', () => {
    for (const edge of edges) {
      const { fact, before, after } = edge
      if (fact.type !== 'task.failed' || !isOfNow(edge) || isTerminal(place(before.value))) continue
      if (before.context.states[fact.task] === after.context.states[fact.task]) continue
      expect(gives(edge, 'recordFailure'), words(edge)).toMatchObject([{ task: fact.task, cause: fact.cause }])
    }
  })

  test('a task that cannot be cancelled fails the job for good', () => {
    for (const edge of edges) {
      if (edge.fact.type !== 'task.failed' || edge.fact.cause.code !== 'TASK_CANCELLATION_TIMED_OUT') continue
      expect(['FAILING', 'FAILED'], words(edge)).toContain(statusOf(edge.after.value))
    }
  })

  test('the record of the end is durable before checkpoints are deleted', () => {
    for (const edge of edges) {
      const settles = place(edge.after.value).endsWith('settling') && !place(edge.before.value).endsWith('settling')
      expect(gives(edge, 'settleCheckpoints')).toHaveLength(settles ? 1 : 0)
      if (!settles) continue
      expect(edge.fact, words(edge)).toEqual({ type: 'record.written', revision: edge.before.context.revision })
    }
  })

  test('when the record of the end cannot be written the checkpoints stay, and the result says so', () => {
    for (const edge of edges) {
      if (edge.fact.type !== 'record.notWritten' || !place(edge.before.value).endsWith('recording')) continue
      if (!isTerminal(place(edge.before.value)) || edge.fact.revision !== edge.before.context.revision) continue
      expect(edge.orders, words(edge)).toMatchObject([{ type: 'endJob', notRecorded: { code: 'FILE_ERROR' } }])
    }
  })

  test('before it owns its directory it writes no record', () => {
    for (const edge of edges)
      if (place(edge.before.value) === 'initializing' && edge.fact.type !== 'job.initialized')
        expect(gives(edge, 'writeRecord')).toEqual([])
  })

  test('the periodic scheduler runs only while the job is RUNNING', () => {
    for (const edge of edges) {
      const [from, to] = [statusOf(edge.before.value), statusOf(edge.after.value)]
      const goesOn =
        place(edge.before.value) === 'running.stopping' &&
        ['stop.abandoned', 'stop.failed'].includes(edge.fact.type) &&
        place(edge.after.value) === 'running.working'
      expect(gives(edge, 'startScheduler').length === 1, words(edge)).toBe(
        (from !== 'RUNNING' && to === 'RUNNING') || goesOn,
      )
      if (from === 'RUNNING' && to !== 'RUNNING') expect(gives(edge, 'stopScheduler')).toHaveLength(1)
    }
  })

  test('calls for the final checkpoint when every unfinished task waits for it and none is under way, and at once when it was missed', () => {
    for (const edge of edges) {
      const { before, after, fact } = edge
      const waits = (task: number) =>
        after.context.awaitFinalCheckpoint[task] || after.context.states[task] === 'FINISHED'
      const works = place(before.value) === 'running.working'
      const goesOn = /^stop.(abandoned|failed)$/.test(fact.type) && place(before.value) === 'running.stopping'
      const moves = (fact.type === 'finalCheckpoint.awaited' || isFinish(fact)) && works
      const missed = fact.type === 'finalCheckpoint.ended' && fact.outcome === 'missed' && works
      const called =
        missed ||
        ((goesOn || moves) &&
          !before.context.finalCheckpointCalled &&
          after.context.states.every((_, task) => waits(task)))
      const allowed = place(after.value) === 'running.working' && isOfNow(edge)
      expect(gives(edge, 'triggerFinalCheckpoint').length === 1, words(edge)).toBe(called && allowed)
    }
    const callers = edges.filter((edge) => gives(edge, 'triggerFinalCheckpoint').length === 1)
    expect(new Set(callers.map(({ fact }) => fact.type))).toEqual(
      new Set(['finalCheckpoint.awaited', 'finalCheckpoint.ended', 'task.changed', 'stop.abandoned', 'stop.failed']),
    )
  })

  test('never has two calls for the final checkpoint under way, and remembers one until it has failed', () => {
    for (const edge of edges) {
      const { before, after, fact } = edge
      if (place(after.value) !== 'running.working' || !isOfNow(edge)) continue
      const ended = fact.type === 'finalCheckpoint.ended' ? fact.outcome : undefined
      const calls = gives(edge, 'triggerFinalCheckpoint').length
      if (calls === 1) expect(before.context.finalCheckpointCalled, words(edge)).toBe(ended === 'missed')
      const remembered = before.context.finalCheckpointCalled && place(before.value).startsWith('running')
      expect(after.context.finalCheckpointCalled, words(edge)).toBe(calls === 1 || (remembered && ended !== 'failed'))
    }
  })

  test('lets somebody end it with a savepoint only while it works, and answers everybody who asks while it lives', () => {
    for (const edge of edges) {
      const { before, fact, orders } = edge
      if (fact.type !== 'stop.requested' || place(before.value).endsWith('ended')) continue
      const admitted = place(before.value) === 'running.working'
      expect(orders, words(edge)).toEqual([{ type: admitted ? 'admitStop' : 'refuseStop' }])
    }
  })

  test('tells whoever wanted to end it with a savepoint when it goes another way, and only then', () => {
    for (const edge of edges) {
      const { before, after, fact } = edge
      const leaves = place(before.value) === 'running.stopping' && place(after.value) !== 'running.stopping'
      const asAsked =
        ['running.working', 'running.sealing'].includes(place(after.value)) ||
        (fact.type === 'cancel.requested' && fact.savepoint !== null) ||
        // Whoever asked has had the answer.
        fact.type === 'stop.failed'
      expect(gives(edge, 'overtakeStop').length === 1, words(edge)).toBe(leaves && !asAsked)
    }
  })

  test('fails of a stop that came to nothing unless every task has come to its end by itself', () => {
    const failed = edges.filter((edge) => edge.fact.type === 'stop.failed' && isOfNow(edge))
    expect(failed.length).toBeGreaterThan(0)
    for (const edge of failed) {
      const { states, awaitFinalCheckpoint } = edge.before.context
      const ended = states.every((state, task) => state === 'FINISHED' || awaitFinalCheckpoint[task])
      expect(place(edge.after.value) === 'running.working', words(edge)).toBe(ended)
      expect(gives(edge, 'recordFailure')).toHaveLength(ended ? 0 : 1)
      const isFinal = 'cause' in edge.fact && !edge.fact.cause.restartHelps
      if (!ended) expect(place(edge.after.value)).toMatch(isFinal ? /^failing|^failed/ : /^running.asking$/)
    }
  })

  test('lets a savepoint be committed only once its record names that one, and answers every savepoint once', () => {
    for (const edge of edges) {
      const { before, after, fact } = edge
      const sealing = (value: unknown) => place(value) === 'running.sealing'
      const leaves = sealing(before.value) && !sealing(after.value)
      const [confirmed, denied] = [gives(edge, 'confirmSeal').length, gives(edge, 'denySeal').length]
      const isNewest = fact.type === 'record.written' && fact.revision === before.context.revision
      expect(confirmed === 1, words(edge)).toBe(leaves && isNewest)
      if (confirmed === 1)
        expect([place(after.value), after.context.sealed?.savepoint]).toEqual(['running.committing', 'sp'])
      const taken = sealing(after.value) && !sealing(before.value)
      const refused = fact.type === 'savepoint.published' && !taken && !place(before.value).endsWith('ended')
      expect(denied, words(edge)).toBe((leaves && !isNewest) || refused ? 1 : 0)
    }
  })

  test('writes into its record the savepoint that it was stopped with before it answers for it', () => {
    for (const edge of edges) {
      const { before, after, fact } = edge
      if (place(after.value) !== 'running.sealing' || place(before.value) === 'running.sealing') continue
      expect(fact).toMatchObject({ type: 'savepoint.published', attempt: before.context.attempt })
      expect(edge.orders.map(({ type }) => type)).toEqual(['reportSealed', 'writeRecord'])
      expect(gives(edge, 'writeRecord')).toMatchObject([{ sealed: { savepoint: 'sp', drained: true } }])
    }
  })

  test('takes no last checkpoint when it is suspended while a savepoint is to end it: sources may have stopped', () => {
    for (const edge of edges)
      if (edge.fact.type === 'suspend.requested' && /stopping|sealing|committing/.test(place(edge.before.value))) {
        expect(gives(edge, 'takeSuspendCheckpoint'), words(edge)).toEqual([])
        expect(['running.leaving', 'suspended.recording']).toContain(place(edge.after.value))
      }
  })

  test('when suspended it takes one last checkpoint first, then cancels its tasks', () => {
    for (const edge of edges) {
      const [take] = gives(edge, 'takeSuspendCheckpoint')
      if (take === undefined) continue
      expect([place(edge.before.value), edge.fact.type]).toEqual(['running.working', 'suspend.requested'])
      expect(gives(edge, 'cancelTasks')).toEqual([])
      expect(gives(edge, 'startTimer')).toMatchObject([{ timer: 'suspension', delayMs: 10_000 }])
    }
    for (const edge of edges)
      if (place(edge.before.value) === 'running.lastCheckpoint' && place(edge.after.value) === 'running.leaving')
        expect(gives(edge, 'cancelTasks'), words(edge)).toHaveLength(1)
  })

  test('without a checkpoint directory it cancels its tasks at once when suspended', () => {
    const plain = walkJob({ ...one, suspendsToCheckpoint: false }).edges
    expect(plain.flatMap((edge) => gives(edge, 'takeSuspendCheckpoint'))).toEqual([])
    expect(plain.map(({ after }) => place(after.value))).toContain('running.leaving')
  })

  test('ends when all tasks are gone, whatever it was asked for on the way', () => {
    for (const edge of edges) {
      const where = place(edge.after.value)
      if (!/^(failing|cancelling)|leaving$/.test(where)) continue
      expect(edge.after.context.states.some(isAlive), words(edge)).toBe(true)
    }
  })

  test('keeps checkpoints as the retention policy says, and always when suspended', () => {
    const policies: readonly Retention[] = [
      'NO_EXTERNALIZED_CHECKPOINTS',
      'DELETE_ON_CANCELLATION',
      'RETAIN_ON_CANCELLATION',
    ]
    const statuses: readonly TerminalStatus[] = ['FINISHED', 'CANCELED', 'FAILED', 'SUSPENDED']
    expect(policies.map((policy) => statuses.map((status) => keepsCheckpoints(status, policy)))).toEqual([
      [false, false, false, true],
      [false, false, true, true],
      [false, true, true, true],
    ])
    for (const edge of edges) {
      for (const { status, checkpoints } of gives(edge, 'writeRecord'))
        expect(checkpoints, words(edge)).toBe(['FINISHED', 'CANCELED'].includes(status) ? 'deleting' : 'kept')
      for (const { keep } of gives(edge, 'settleCheckpoints'))
        expect(keep).toBe(!['FINISHED', 'CANCELED'].includes(statusOf(edge.after.value) ?? ''))
    }
  })
})
