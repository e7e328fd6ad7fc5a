/** Every way in which ending a job with a savepoint can go, with two requests, each replayed against the real host. */
import { describe, expect, test } from 'vitest'
import type { SnapshotFrom } from 'xstate'
import type { Cause } from '#machines/cause'
import {
  stopWithSavepoint as machine,
  type StopFact,
  type StopOrder,
  type StopRefusal,
  type StopRequest,
} from '#machines/stop-with-savepoint'
import type { ChartStep } from '../../src/runtime/control/host-chart.ts'
import { hostStopWithSavepoint, type StopNews } from '../../src/runtime/control/stop-with-savepoint.ts'
import { type ExploredEdge, explore, inWords, unusedTransitions } from './explore.ts'
import { neverReached } from './never-reached.ts'

type Edge = ExploredEdge<typeof machine>
type Chart = SnapshotFrom<typeof machine>

const cause: Cause = { code: 'CHECKPOINT_FAILED', message: 'no', restartHelps: true, thrown: null }
const wish = (ends: StopRequest['ends']) =>
  ({ ends, drain: false, format: 'canonical', targetDirectory: '/sp' }) as const
const STATUSES = ['FINISHED', 'FAILED', 'CANCELED', 'SUSPENDED'] as const

/** How many asked, and whether the job has ended. */
interface Environment {
  readonly asked: number
  readonly ended: boolean
}

function* possible({ value, context }: Chart, { asked, ended }: Environment): Generator<StopFact> {
  if (asked < 2)
    for (const ends of ['stop', 'cancel'] as const)
      yield { type: 'stop.requested', requestId: asked + 1, ...wish(ends) }
  if (value === 'asking') yield* [{ type: 'stop.admitted' } as const, { type: 'stop.refused' } as const]
  // Answers come for old requests as well.
  for (let requestId = 1; requestId <= asked; requestId++) {
    yield { type: 'scheduler.stopped', requestId }
    yield { type: 'scheduler.notStopped', requestId, cause }
    yield { type: 'savepoint.completed', requestId, savepoint: `sp-${requestId}` }
    yield { type: 'savepoint.failed', requestId, cause }
  }
  if (typeof value === 'object' && context.request?.ends === 'stop') {
    yield { type: 'tasks.triggered' }
    yield { type: 'savepoint.sealed', savepoint: 'sealed' }
  }
  if (ended) return
  if (value !== 'asking') yield { type: 'stop.overtaken' }
  if (value === 'overtaken') yield { type: 'restart.begun' }
  for (const status of STATUSES) for (const recorded of [true, false]) yield { type: 'job.ended', status, recorded }
}

const { edges } = explore(machine, {
  input: undefined,
  environment: { asked: 0, ended: false },
  facts: (snapshot, environment) =>
    [...possible(snapshot, environment)].map((fact) => ({
      fact,
      environment: {
        asked: environment.asked + (fact.type === 'stop.requested' ? 1 : 0),
        ended: environment.ended || fact.type === 'job.ended',
      },
    })),
  limit: 20_000,
})

const words = ({ path, fact }: Edge) => inWords([...path, fact])
const gives = <T extends StopOrder['type']>({ orders }: Edge, type: T) =>
  orders.filter((order): order is Extract<StopOrder, { type: T }> => order.type === type)
const place = (value: unknown) => JSON.stringify(value)

/** Answers come as facts here, never from the work itself. */
async function replay({ path, fact }: Edge) {
  const steps: ChartStep[] = []
  const did: string[] = []
  const answers: string[] = []
  const begins = (what: string) => () => {
    did.push(what)
    return new Promise<never>(() => {})
  }
  const does = (what: string) => () => void did.push(what)
  const host = hostStopWithSavepoint({
    id: 'job/stop',
    askJob: does('askJob'),
    stopScheduler: begins('stopScheduler'),
    triggerSavepoint: begins('triggerSavepoint'),
    abandonStop: does('abandonStop'),
    cancelJob: does('cancelJob'),
    failJob: does('failJob'),
    causeOf: () => cause,
    refusal: (_, why: StopRefusal) => new Error(why.type),
    failed: (broken) => {
      throw broken
    },
    tap: { stepped: (step) => steps.push(step) },
  })
  host.start()
  for (const each of [...path, fact]) {
    if (each.type !== 'stop.requested') {
      host.send(each as StopNews)
      continue
    }
    const { type: _, requestId, ...asked } = each
    host.request(asked).then(
      (savepoint) => void answers.push(`${requestId} ${savepoint}`),
      (refused: Error) => void answers.push(`${requestId} ${refused.message}`),
    )
  }
  await new Promise<void>((told) => setImmediate(told))
  return { last: steps.at(-1), did, answers }
}

describe('ending a job with a savepoint', () => {
  test('is walked completely: every state is reached and every transition taken', () => {
    expect(neverReached(machine, edges)).toEqual([])
    expect(unusedTransitions(machine, edges)).toEqual([])
  })

  test('its host does on every edge what the chart orders, and answers whoever asked', async () => {
    expect(edges.length).toBeGreaterThan(200)
    for (const edge of edges) {
      const { last, did, answers } = await replay(edge)
      expect(last, words(edge)).toMatchObject({ fact: edge.fact, value: edge.after.value, orders: edge.orders })
      const answering = ['answerStop', 'rejectStop']
      const work = edge.orders.map(({ type }) => type).filter((type) => !answering.includes(type))
      expect(did.slice(did.length - work.length)).toEqual(work)
      for (const { requestId, savepoint } of gives(edge, 'answerStop'))
        expect(answers).toContain(`${requestId} ${savepoint}`)
      for (const { requestId, why } of gives(edge, 'rejectStop')) expect(answers).toContain(`${requestId} ${why.type}`)
    }
  })

  test('answers each request once, and never leaves one behind', async () => {
    for (const edge of edges) {
      const asked = [...edge.path, edge.fact].filter(({ type }) => type === 'stop.requested').length
      const { answers } = await replay(edge)
      const waits = edge.after.context.request === null ? 0 : 1
      expect(answers.length, words(edge)).toBe(asked - waits)
      if (edge.after.value === 'idle' || edge.after.value === 'over') expect(waits).toBe(0)
    }
  })

  test('takes the savepoint only when the scheduler has stopped and nothing can complete before it', () => {
    for (const edge of edges) {
      if (gives(edge, 'triggerSavepoint').length === 0) continue
      expect([edge.before.value, edge.fact.type]).toEqual(['stoppingScheduler', 'scheduler.stopped'])
      expect(edge.fact).toMatchObject({ requestId: edge.before.context.request?.requestId })
    }
  })

  test('where no savepoint comes of it and nothing has stopped, the job is told that it runs on', () => {
    for (const edge of edges) {
      const [rejected] = gives(edge, 'rejectStop')
      if (rejected?.why.type !== 'failed') continue
      expect(gives(edge, 'abandonStop').length, words(edge)).toBe(rejected.why.restarts ? 0 : 1)
      expect(gives(edge, 'failJob').length).toBe(rejected.why.restarts ? 1 : 0)
    }
  })

  test('sends the job back to its last checkpoint only where sources may have stopped for a savepoint that will not be', () => {
    const sent = edges.filter((edge) => gives(edge, 'failJob').length > 0)
    expect(sent.length).toBeGreaterThan(0)
    for (const edge of sent) {
      expect([place(edge.before.value), edge.fact.type]).toEqual([
        '{"takingSavepoint":"triggered"}',
        'savepoint.failed',
      ])
      expect(edge.before.context.request?.ends).toBe('stop')
    }
  })

  test('cancels with the savepoint that has just completed, and with no other', () => {
    const cancels = edges.filter((edge) => gives(edge, 'cancelJob').length > 0)
    expect(cancels.length).toBeGreaterThan(0)
    for (const edge of cancels) {
      const { requestId, ends } = edge.before.context.request as StopRequest
      expect([ends, edge.fact], words(edge)).toEqual([
        'cancel',
        { type: 'savepoint.completed', requestId, savepoint: `sp-${requestId}` },
      ])
      expect(gives(edge, 'cancelJob')).toEqual([{ type: 'cancelJob', savepoint: `sp-${requestId}` }])
    }
  })

  test('succeeds only with the end that was asked for, and names the savepoint in every other', () => {
    for (const edge of edges) {
      const { before, fact } = edge
      if (fact.type !== 'job.ended' || before.context.request === null) continue
      const { ends, requestId } = before.context.request
      const { savepoint } = before.context
      const asAsked = ends === 'stop' ? fact.status === 'FINISHED' : fact.status === 'CANCELED' && fact.recorded
      if (savepoint !== null && asAsked)
        expect(edge.orders, words(edge)).toEqual([{ type: 'answerStop', requestId, savepoint }])
      else
        expect(gives(edge, 'rejectStop'), words(edge)).toMatchObject([{ requestId, why: { type: 'ended', savepoint } }])
    }
  })

  test('a savepoint with which the job ends is never given up again: only the end of the job follows', () => {
    for (const edge of edges) {
      if (edge.before.value !== 'ending' || edge.fact.type === 'job.ended') continue
      expect(edge.after.value, words(edge)).toBe('ending')
      const others = edge.orders.filter((order) => order.type !== 'rejectStop' || order.why.type !== 'busy')
      expect(others).toEqual([])
    }
  })

  test('an answer to an older request changes nothing', () => {
    for (const edge of edges) {
      const { before, after, fact, orders } = edge
      if (!('requestId' in fact) || fact.type === 'stop.requested') continue
      if (fact.requestId === before.context.request?.requestId) continue
      expect([after.value, after.context, orders], words(edge)).toEqual([before.value, before.context, []])
    }
  })
})
