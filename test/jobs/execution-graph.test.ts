/** What a job tells of its tasks and failures, exact on virtual time: statuses, attempts, who failed where, what came beside it. */
import { expect, it } from 'vitest'
import {
  type Configuration,
  RestartStrategies,
  type StreamExecutionEnvironment,
  WatermarkStrategy,
} from '../../src/index.ts'
import type { AttemptSnapshot, ExecutionGraphSnapshot } from '../../src/runtime/execution-graph-snapshot.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger, startingBehind, ticks } from './parts.ts'

const EVERY_MS = 10
const START_MS = 1_000_000

/** Of each side: at which records it fails, each once. */
type FailAt = Readonly<Record<string, readonly number[]>>

/** Pipelines that nothing joins, one for each name, each with two subtasks behind an exchange. */
function declare(env: StreamExecutionEnvironment, world: World, failAt: FailAt, count = 20) {
  for (const [name, at] of Object.entries(failAt)) {
    const left = new Set(at)
    env
      .fromSource(ticks(world, count, EVERY_MS), WatermarkStrategy.noWatermarks(), name)
      .uid(name)
      .keyBy(() => 'one')
      .map((value) => {
        if (left.delete(value)) throw new RangeError(`${name} is down at ${value}`)
        return value
      })
      .setParallelism(2)
      .name(`${name}-check`)
      .sinkTo(new Ledger<number>())
      .name(`${name}-ledger`)
  }
}

interface Wish {
  readonly failAt?: FailAt
  readonly restarts?: number
  readonly delayMs?: number
  readonly set?: Configuration
}

async function started(world: World, { failAt = { a: [] }, restarts = 5, delayMs = 50, set = {} }: Wish = {}) {
  const env = world.env().enableCheckpointing(1000).configure(set)
  env.setRestartStrategy(RestartStrategies.fixedDelayRestart(restarts, delayMs))
  declare(env, world, failAt)
  const client = await world.until(env.executeAsync('x'))
  return { client, told: () => toldBy(world) }
}

/** A job whose enumerator does that before it starts, each time. */
async function enumerating(world: World, first: () => void | Promise<void>) {
  const env = world.env().setRestartStrategy(RestartStrategies.fixedDelayRestart(5, 50))
  const source = startingBehind(ticks(world, 3, EVERY_MS), first)
  env.fromSource(source, WatermarkStrategy.noWatermarks(), 'source').sinkTo(new Ledger<number>())
  return world.until(env.executeAsync('x'))
}

/** It is plain JSON, whenever one asks. */
function toldBy(world: World): ExecutionGraphSnapshot {
  const told = world.handles[0]?.executionGraph()
  if (told === undefined) throw new Error('no job was started')
  expect(JSON.parse(JSON.stringify(told))).toEqual(told)
  return told
}

/** By vertex: of each subtask the number of its attempt and its status. */
const tasks = ({ vertices }: ExecutionGraphSnapshot) =>
  Object.fromEntries(
    vertices.map(({ name, subtasks }) => [name, subtasks.map(({ current }) => `${current.attempt} ${current.status}`)]),
  )

const attemptsOf = ({ vertices }: ExecutionGraphSnapshot, name: string): readonly (readonly AttemptSnapshot[])[] =>
  vertices
    .filter((vertex) => vertex.name.includes(name))
    .flatMap(({ subtasks }) => subtasks.map(({ previous, current }) => [...previous, current]))

const messages = ({ failures }: ExecutionGraphSnapshot) =>
  failures.map(({ throwable, concurrent }) => [throwable, ...concurrent.map((one) => one.throwable)])

const restarting = (world: World) => world.when(() => world.statuses().at(-1) === 'RESTARTING')

describeJobs('What a job tells of itself', (newWorld) => {
  it('is its graph: vertices with their operators in topological order, and what lies between them', async () => {
    const world = newWorld()
    const { client, told } = await started(world)
    const { vertices, edges, jobId, jobName, configuration } = told()
    expect([jobId, jobName]).toEqual([client.jobId, 'x'])
    expect(vertices).toMatchObject([
      { name: 'Source: a', parallelism: 1, maxParallelism: 128, isSource: true },
      { name: 'a-check', parallelism: 2, isSource: false, operators: [{ name: 'a-check', uid: null }] },
      { name: 'Sink: a-ledger', parallelism: 1, isSource: false },
    ])
    expect(vertices[0]?.operators).toEqual([{ id: vertices[0]?.id, name: 'Source: a', uid: 'a' }])
    expect(edges).toEqual([
      { from: 0, to: 1, input: 0, partitioner: 'hash' },
      { from: 1, to: 2, input: 0, partitioner: 'rebalance' },
    ])
    expect(configuration).toMatchObject({
      restartStrategy: 'Restart with fixed delay (PT0.05S). #5 restart attempts.',
      checkpointing: { intervalMs: 1000 },
    })
    await world.until(client.cancel())
  })

  it('is when it entered which status, and the same once it has finished', async () => {
    const world = newWorld()
    const { client, told } = await started(world)
    await world.when(() => world.statuses().at(-1) === 'RUNNING')
    expect(told()).toMatchObject({ status: 'RUNNING', startedAtMs: START_MS, endedAtMs: null })
    await world.until(client.getJobExecutionResult())
    const { status, startedAtMs, endedAtMs, statusAtMs, restarts, failures } = told()
    expect({ status, startedAtMs, restarts, failures }).toEqual({
      ...{ status: 'FINISHED', startedAtMs: START_MS, restarts: 0, failures: [] },
    })
    expect(endedAtMs).toBeGreaterThanOrEqual(START_MS + 20 * EVERY_MS)
    expect(Object.keys(statusAtMs)).toEqual(['INITIALIZING', 'CREATED', 'RUNNING', 'FINISHED'])
    expect(statusAtMs.FINISHED).toBe(endedAtMs)
    const [[only] = []] = attemptsOf(told(), 'Source')
    expect(Object.keys(only?.statusAtMs ?? {})).toEqual([
      ...['CREATED', 'SCHEDULED', 'DEPLOYING', 'INITIALIZING', 'RUNNING', 'FINISHED'],
    ])
    expect(only).toMatchObject({ attempt: 0, executionAttempt: 1, failure: null, endedAtMs: only?.statusAtMs.FINISHED })
    await world.advance(1000)
    expect(told().endedAtMs).toBe(endedAtMs)
  })

  it('is the same object until something happens', async () => {
    const world = newWorld()
    const { client } = await started(world)
    const look = () => world.handles[0]?.executionGraph()
    const first = look()
    expect(look()).toBe(first)
    await world.until(client.cancel())
    expect(look()).not.toBe(first)
  })
})

describeJobs('A failure of one of two pipelines', (newWorld) => {
  it('begins a new attempt of its tasks when the back-off is over; the others keep theirs', async () => {
    const world = newWorld()
    const { client, told } = await started(world, { failAt: { a: [7], b: [] } })
    await restarting(world)
    await world.advance(20)
    const before = told()
    expect(before).toMatchObject({ status: 'RESTARTING', restarts: 1, endedAtMs: null })
    expect(tasks(before)).toEqual({
      ...{ 'Source: a': ['0 CANCELED'], 'Sink: a-ledger': ['0 CANCELED'] },
      ...{ 'Source: b': ['0 RUNNING'], 'b-check': ['0 RUNNING', '0 RUNNING'], 'Sink: b-ledger': ['0 RUNNING'] },
      'a-check': expect.arrayContaining(['0 FAILED', '0 CANCELED']),
    })
    await world.when(() => world.statuses().at(-1) === 'RUNNING')
    await world.advance(20)
    const failedAtMs = START_MS + 8 * EVERY_MS
    const ofCheck = attemptsOf(told(), 'a-check')
    expect(ofCheck.map((attempts) => attempts.map(({ attempt }) => attempt))).toEqual([
      [0, 1],
      [0, 1],
    ])
    const failed = ofCheck.flat().filter(({ failure }) => failure !== null)
    expect(failed).toMatchObject([
      { attempt: 0, executionAttempt: 1, status: 'FAILED', failure: { name: 'RangeError', message: 'a is down at 7' } },
    ])
    expect(failed[0]?.endedAtMs).toBeGreaterThanOrEqual(failedAtMs)
    for (const current of ofCheck.map((attempts) => attempts.at(-1))) {
      expect(current).toMatchObject({ executionAttempt: 2, status: 'RUNNING', failure: null, endedAtMs: null })
      expect(current?.statusAtMs.CREATED).toBeGreaterThanOrEqual((failed[0]?.endedAtMs ?? 0) + 50)
    }
    expect(attemptsOf(told(), 'b-check').map((attempts) => attempts.length)).toEqual([1, 1])
    await world.until(client.cancel())
  })

  it('is told with operator, subtask and attempt, and its stack leads to the user’s function', async () => {
    const world = newWorld()
    const { client, told } = await started(world, { failAt: { a: [3, 5], b: [] } })
    await world.until(client.getJobExecutionResult())
    const { failures, vertices, restarts } = told()
    expect(restarts).toBe(2)
    const vertex = vertices.findIndex(({ name }) => name === 'a-check')
    const subtask = attemptsOf(told(), 'a-check').findIndex((attempts) => attempts[0]?.status === 'FAILED')
    expect(failures).toMatchObject([
      { throwable: { message: 'a is down at 5' }, task: { vertex, subtask, attempt: 1, operator: 'a-check' } },
      { throwable: { message: 'a is down at 3' }, task: { vertex, subtask, attempt: 0, operator: 'a-check' } },
    ])
    expect(failures.map(({ concurrent }) => concurrent)).toEqual([[], []])
    expect(failures[0]?.throwable.stack).toMatch(/^RangeError: a is down at 5\n.*execution-graph\.test\.ts/s)
    expect(failures[0]?.atMs).toBeGreaterThan(failures[1]?.atMs ?? Number.POSITIVE_INFINITY)
  })

  it('has the failures of the other beside it until the job runs again', async () => {
    const world = newWorld()
    const { client, told } = await started(world, { failAt: { a: [3, 12], b: [5] } })
    await world.until(client.getJobExecutionResult())
    expect(messages(told()).map((all) => all.map(({ message }) => message))).toEqual([
      ['a is down at 12'],
      ['a is down at 3', 'b is down at 5'],
    ])
    expect(told().failures[1]?.concurrent).toMatchObject([{ task: { subtask: 1, attempt: 0, operator: 'b-check' } }])
  })

  it('is listed among the newest, as many as the configuration says', async () => {
    const world = newWorld()
    const set = { 'web.exception-history-size': 2 }
    const { client, told } = await started(world, { failAt: { a: [2, 4, 6] }, set })
    await world.until(client.getJobExecutionResult())
    expect(messages(told()).map(([root]) => root?.message)).toEqual(['a is down at 6', 'a is down at 4'])
    expect(told().restarts).toBe(3)
  })

  it('that ends the job is the newest, and no task is left running', async () => {
    const world = newWorld()
    const { client, told } = await started(world, { failAt: { a: [3, 5], b: [] }, restarts: 1 })
    await world.failure(client.getJobExecutionResult())
    expect(told()).toMatchObject({ status: 'FAILED', restarts: 1 })
    expect(told().endedAtMs).toBe(told().statusAtMs.FAILED)
    expect(messages(told()).map(([root]) => root?.message)).toEqual(['a is down at 5', 'a is down at 3'])
    const left = Object.values(tasks(told())).flat()
    expect(left.filter((task) => !/FAILED|CANCELED/.test(task))).toEqual([])
  })

  it('that breaks the control plane itself is told too, and the job is over', async () => {
    const world = newWorld()
    const setTimer = world.clock.setTimer.bind(world.clock)
    world.clock.setTimer = (delayMs, fire) => {
      if (delayMs === 12_345) throw new Error('no back-off')
      return setTimer(delayMs, fire)
    }
    const { client, told } = await started(world, { failAt: { a: [3] }, delayMs: 12_345 })
    await world.failure(client.getJobExecutionResult())
    expect(told()).toMatchObject({ status: 'FAILED', endedAtMs: told().statusAtMs.FAILED })
    expect(await client.getJobStatus()).toBe('FAILED')
    const all = messages(told()).flat()
    expect(all.map(({ message }) => message)).toContain('The control plane broke: no back-off')
  })

  it('keeps the last sixteen attempts that are over', async () => {
    const world = newWorld()
    const failAt = { a: Array.from({ length: 18 }, (_, value) => value) }
    const { client, told } = await started(world, { failAt, restarts: 100, delayMs: 1 })
    await world.until(client.getJobExecutionResult())
    const [attempts = []] = attemptsOf(told(), 'a-check')
    expect(attempts.map(({ attempt }) => attempt)).toEqual(Array.from({ length: 17 }, (_, index) => index + 2))
    expect(told().failures).toHaveLength(16)
  })
})

describeJobs('A failure that is no task’s', (newWorld) => {
  it('names none, and every task gets a new attempt, also where the restore before it came to nothing', async () => {
    const world = newWorld()
    let times = 0
    const client = await enumerating(world, () => {
      times++
      if (times < 3) throw new Error(`no splits ${times}`)
    })
    await world.until(client.getJobExecutionResult())
    const { failures, restarts, vertices } = toldBy(world)
    expect(restarts).toBe(2)
    expect(failures).toMatchObject([
      { throwable: { message: 'no splits 2' }, task: null, concurrent: [] },
      { throwable: { message: 'no splits 1' }, task: null, concurrent: [] },
    ])
    // Those in between were never deployed.
    expect(vertices[0]?.subtasks[0]).toMatchObject({ previous: [], current: { attempt: 0, executionAttempt: 3 } })
  })
})

describeJobs('A job that ends early', (newWorld) => {
  it('while it waits for a restart leaves no task that could still run, and no failure more', async () => {
    const world = newWorld()
    const { client, told } = await started(world, { failAt: { a: [3], b: [] }, delayMs: 10_000 })
    await restarting(world)
    await world.until(client.cancel())
    expect(told()).toMatchObject({ status: 'CANCELED', restarts: 1 })
    expect(Object.values(tasks(told())).flat().filter((task) => !/FAILED|CANCELED/.test(task))).toEqual([]) // biome-ignore format: one line
    expect(told().failures).toHaveLength(1)
    expect(Object.keys(told().statusAtMs)).toContain('CANCELLING')
  })

  it('before its tasks were deployed has cancelled them all', async () => {
    const world = newWorld()
    const client = await enumerating(world, () => world.sleep(1000))
    await world.advance(100)
    expect(toldBy(world).status).toBe('CREATED')
    await world.until(client.cancel())
    const { status, endedAtMs, vertices } = toldBy(world)
    expect([status, endedAtMs]).toEqual(['CANCELED', START_MS + 100])
    expect(vertices[0]?.subtasks[0]?.current).toEqual({
      ...{ attempt: 0, executionAttempt: 0, status: 'CANCELED', endedAtMs, failure: null },
      statusAtMs: { CREATED: START_MS, CANCELED: endedAtMs },
    })
  })

  it('with a savepoint, or suspended, says so', async () => {
    for (const [end, status] of [
      ['stop', 'FINISHED'],
      ['suspend', 'SUSPENDED'],
    ] as const) {
      const world = newWorld()
      const { client, told } = await started(world)
      await world.advance(50)
      if (end === 'suspend') await world.until(client.suspend())
      else await world.until(client.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints' }))
      expect(told()).toMatchObject({ status, endedAtMs: told().statusAtMs[status] })
    }
  })
})
