/** Every state and fact of a task's life, with and without a final checkpoint, each replayed against the real host. */
import { describe, expect, test } from 'vitest'
import type { Cause } from '#machines/cause'
import { type ExecutionState, type TaskFact, task } from '#machines/task'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import { causes } from '../../src/runtime/control/causes.ts'
import type { ChartStep } from '../../src/runtime/control/host-chart.ts'
import { hostTask } from '../../src/runtime/control/task.ts'
import { type ExploredEdge, explore, inWords, unusedTransitions } from './explore.ts'
import { neverReached } from './never-reached.ts'

const cause: Cause = { code: 'USER_FUNCTION_FAILED', message: 'boom', restartHelps: true, thrown: null }
const FACTS: readonly TaskFact[] = [
  { type: 'task.scheduled' },
  { type: 'deployment.started' },
  { type: 'task.deployed' },
  { type: 'state.restored', finished: false },
  { type: 'state.restored', finished: true },
  { type: 'operators.opened' },
  { type: 'committables.committed' },
  { type: 'inFlight.processed' },
  { type: 'data.ended', drained: true, savepoint: null },
  { type: 'data.ended', drained: true, savepoint: 6 },
  { type: 'data.ended', drained: false, savepoint: 6 },
  { type: 'operators.finished' },
  { type: 'output.drained' },
  { type: 'checkpoint.snapshotted', checkpointId: 5 },
  { type: 'checkpoint.snapshotted', checkpointId: 6 },
  { type: 'checkpoint.committed', checkpointId: 4 },
  { type: 'checkpoint.committed', checkpointId: 5 },
  { type: 'checkpoint.committed', checkpointId: 6 },
  { type: 'operators.closed' },
  { type: 'cancel.requested' },
  { type: 'operators.disposed' },
  { type: 'timer.fired', timer: 'cancellation' },
  { type: 'task.failed', cause },
]
const input = (finalCheckpoint: boolean) => ({ task: 3, attempt: 7, finalCheckpoint, cancellationTimeoutMs: 180_000 })

const walk = (finalCheckpoint: boolean) =>
  explore(task, {
    input: input(finalCheckpoint),
    environment: null,
    facts: () => FACTS.map((fact) => ({ fact, environment: null })),
    limit: 10_000,
  }).edges
const withFinal = walk(true)
const withoutFinal = walk(false)
const edges = [...withFinal, ...withoutFinal]

/** Answers come as facts here, never from the work itself. */
const NEVER = new Promise<never>(() => {})

/** Each edge once: the claims below look at the same run of it. */
const replayed = new Map<ExploredEdge<typeof task>, ReturnType<typeof replayAnew>>()
function replay(edge: ExploredEdge<typeof task>) {
  const known = replayed.get(edge) ?? replayAnew(edge)
  replayed.set(edge, known)
  return known
}

function replayAnew({ path, fact, before }: ExploredEdge<typeof task>) {
  const steps: ChartStep[] = []
  const did: string[] = []
  const begins = (what: string) => () => {
    did.push(what)
    return NEVER
  }
  const reports: { readonly state: ExecutionState; readonly cause: Cause | null }[] = []
  const host = hostTask({
    id: 'job/count-3#7/task',
    ...input(before.context.finalCheckpoint),
    clock: new VirtualClock(),
    causeOf: (thrown) => causes().of(thrown, 'USER_FUNCTION_FAILED'),
    reportState(report) {
      did.push('reportState')
      reports.push(report)
    },
    deploy: begins('deploy'),
    restoreState: begins('restoreState'),
    openOperators: begins('openOperators'),
    commitRestored: begins('commitRestored'),
    processInFlight: begins('processInFlight'),
    run: () => void did.push('run'),
    finishOperators: begins('finishOperators'),
    drainOutput: begins('drainOutput'),
    awaitFinalCheckpoint: () => void did.push('awaitFinalCheckpoint'),
    endPartitions: () => void did.push('endPartitions'),
    closeOperators: begins('closeOperators'),
    disposeOperators: begins('disposeOperators'),
    failed: (broken) => {
      throw broken
    },
    tap: { stepped: (step) => steps.push(step) },
  })
  host.start()
  for (const each of [...path, fact]) host.send(each)
  return { last: steps.at(-1), did, reports }
}

const top = (value: unknown) => (typeof value === 'string' ? value : Object.keys(value as object)[0])
const isOver = (value: unknown) =>
  ['finished', 'canceled'].includes(value as string) || JSON.stringify(value) === '{"failed":"gone"}'

describe('a task', () => {
  test('is walked completely: every state is reached and every transition taken', () => {
    expect(neverReached(task, edges)).toEqual([])
    expect(unusedTransitions(task, edges)).toEqual([])
  })

  test('its host does on every edge what the chart orders, and nothing else', () => {
    for (const edge of edges) {
      const { last, did } = replay(edge)
      expect(last, inWords([...edge.path, edge.fact])).toMatchObject({
        fact: edge.fact,
        value: edge.after.value,
        orders: edge.orders,
      })
      const work = edge.orders.map(({ type }) => type).filter((type) => !type.endsWith('Timer'))
      expect(did.slice(did.length - work.length)).toEqual(work)
    }
  })

  test('once nothing of it runs any more, no fact changes or orders anything', () => {
    for (const { before, after, orders } of edges)
      if (isOver(before.value)) expect([after.value, orders]).toEqual([before.value, []])
  })

  test('reports only the states of Flink, in the order of a life, and each at most once', () => {
    const order = ['SCHEDULED', 'DEPLOYING', 'INITIALIZING', 'RUNNING', 'CANCELING', 'FINISHED', 'CANCELED', 'FAILED']
    for (const edge of edges) {
      const places = replay(edge).reports.map(({ state }) => order.indexOf(state))
      expect(places, inWords([...edge.path, edge.fact])).toEqual([...new Set(places)].sort((one, other) => one - other))
    }
  })

  test('is told to be gone (FINISHED, CANCELED, FAILED) as its last word, exactly when nothing of it runs any more', () => {
    for (const edge of edges) {
      const gone = replay(edge).reports.filter(({ state }) => ['FINISHED', 'CANCELED', 'FAILED'].includes(state))
      expect(gone).toHaveLength(isOver(edge.after.value) ? 1 : 0)
    }
  })

  test('is RUNNING only after what the checkpoint held is committed and processed, or when it had finished before', () => {
    for (const { path, before, after, fact } of edges) {
      if (top(before.value) === 'running' || top(after.value) !== 'running') continue
      if (fact.type === 'state.restored') expect(fact.finished).toBe(true)
      else
        expect([path.some(({ type }) => type === 'committables.committed'), fact.type]).toEqual([
          true,
          'inFlight.processed',
        ])
    }
  })

  test('processes what was in flight once, when everything restored is committed and before it runs', () => {
    for (const edge of edges) {
      const { did } = replay(edge)
      const at = (what: string) => did.indexOf(what)
      expect(did.filter((each) => each === 'processInFlight').length).toBeLessThanOrEqual(1)
      if (did.includes('run')) expect(at('processInFlight')).toBeLessThan(at('run'))
      if (did.includes('processInFlight')) expect(at('commitRestored')).toBeLessThan(at('processInFlight'))
    }
  })

  test('calls for its final checkpoint only when nothing that it sent is in flight any more', () => {
    for (const edge of withFinal) {
      const { did } = replay(edge)
      if (!did.includes('awaitFinalCheckpoint')) continue
      expect(did.indexOf('drainOutput')).toBeLessThan(did.indexOf('awaitFinalCheckpoint'))
      expect([...edge.path, edge.fact].some(({ type }) => type === 'output.drained')).toBe(true)
    }
  })

  test('processes no record before it is RUNNING, and is told to run once', () => {
    for (const edge of edges) {
      const { did, reports } = replay(edge)
      expect(did.filter((each) => each === 'run').length).toBeLessThanOrEqual(1)
      if (did.includes('run')) expect(reports.map(({ state }) => state)).toContain('RUNNING')
    }
  })

  test('that waits for its final checkpoint ends only with one that it snapshotted after finish()', () => {
    for (const { path, before, after, fact } of withFinal) {
      if (JSON.stringify(before.value) !== '{"running":"awaitingFinalCheckpoint"}') continue
      if (JSON.stringify(after.value) !== '{"running":"closing"}') continue
      const finishedAt = path.findIndex(({ type }) => type === 'operators.finished')
      const snapshotted = path
        .slice(finishedAt)
        .flatMap((each) => (each.type === 'checkpoint.snapshotted' ? [each.checkpointId] : []))
      expect(fact.type === 'checkpoint.committed' ? fact.checkpointId : 0).toBeGreaterThanOrEqual(
        Math.min(...snapshotted),
      )
    }
  })

  test('whose data ended for a savepoint ends with that one alone, and calls for no other checkpoint', () => {
    const stopped = edges.filter(({ path }) => path.some((each) => each.type === 'data.ended' && each.savepoint === 6))
    const ends = stopped.filter(({ before, after }) => before.context.endsWith === 6 && after.value !== before.value)
    for (const { before, after, fact, orders } of ends) {
      expect(orders.map(({ type }) => type)).not.toContain('awaitFinalCheckpoint')
      if (JSON.stringify(before.value) !== '{"running":"awaitingSavepoint"}') continue
      if (JSON.stringify(after.value) !== '{"running":"closing"}') continue
      expect(fact).toEqual({ type: 'checkpoint.committed', checkpointId: 6 })
    }
    expect(ends.map(({ after }) => JSON.stringify(after.value))).toContain('{"running":"closing"}')
  })

  test('without checkpoints waits for none', () => {
    expect(withoutFinal.map(({ after }) => JSON.stringify(after.value))).not.toContain(
      '{"running":"awaitingFinalCheckpoint"}',
    )
    expect(withFinal.map(({ after }) => JSON.stringify(after.value))).toContain('{"running":"awaitingFinalCheckpoint"}')
  })

  test('ends its partitions before it closes its operators, and sends end of data itself only when it was restored as finished', () => {
    for (const { path, fact, orders } of edges) {
      const end = orders.find((order) => order.type === 'endPartitions')
      if (end === undefined) continue
      expect(orders.findIndex(({ type }) => type === 'endPartitions')).toBeLessThan(
        orders.findIndex(({ type }) => type === 'closeOperators'),
      )
      const hadFinished = [...path, fact].some((each) => each.type === 'state.restored' && each.finished)
      expect(end).toEqual({ type: 'endPartitions', withEndOfData: hadFinished })
    }
  })

  test('a user function that throws while the task is cancelled changes nothing', () => {
    for (const { before, after, fact, orders } of edges)
      if (before.value === 'canceling' && fact.type === 'task.failed')
        expect([after.value, orders]).toEqual(['canceling', []])
  })

  test('one that does not end in time after a cancellation or a failure fails for good', () => {
    for (const edge of edges) {
      if (edge.fact.type !== 'timer.fired' || edge.after.value === edge.before.value) continue
      const { cause: why } = replay(edge).reports.at(-1) ?? {}
      if (isOver(edge.before.value)) continue
      if (top(edge.after.value) === 'failed')
        expect(why).toMatchObject({ code: 'TASK_CANCELLATION_TIMED_OUT', restartHelps: false })
    }
  })

  test('the timer of a cancellation is started by it and stopped by its end', () => {
    const clock = new VirtualClock()
    const reports: string[] = []
    let dispose = () => {}
    const make = () =>
      hostTask({
        id: 'job/count-3#7/task',
        ...input(true),
        clock,
        causeOf: (thrown) => causes().of(thrown, 'USER_FUNCTION_FAILED'),
        reportState: ({ state }) => void reports.push(state),
        deploy() {},
        restoreState: () => ({ finished: false }),
        openOperators() {},
        commitRestored() {},
        processInFlight() {},
        run() {},
        finishOperators() {},
        drainOutput() {},
        awaitFinalCheckpoint() {},
        endPartitions() {},
        closeOperators() {},
        disposeOperators: () =>
          new Promise((resolve) => {
            dispose = resolve
          }),
        failed: (broken) => {
          throw broken
        },
      })
    const stuck = make()
    stuck.start()
    for (const type of ['task.scheduled', 'deployment.started', 'cancel.requested'] as const) stuck.send({ type })
    clock.advance(179_999)
    expect(reports).toEqual(['SCHEDULED', 'DEPLOYING', 'INITIALIZING', 'RUNNING', 'CANCELING'])
    clock.advance(1)
    expect(reports.at(-1)).toBe('FAILED')
    dispose()
    expect(clock.nextDeadlineMs()).toBeUndefined()
  })
})
