/** Two pipelines in one job that nothing joins: what fails in one leaves the other alone, and both stay exact. */
import { expect, it } from 'vitest'
import { SimulatedFileSystem } from '../../src/base/simulated-file-system.ts'
import {
  defineSource,
  type JobClient,
  RestartStrategies,
  type Source,
  type StreamExecutionEnvironment,
  WatermarkStrategy,
} from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { byNumber, Ledger, type LedgerHooks, range, startingBehind } from './parts.ts'

const COUNT = 40
const EVERY_MS = 10
const KEYS = 3

interface SideOptions {
  readonly count?: number
  /** Each once. */
  readonly failAt?: readonly number[]
  readonly hooks?: LedgerHooks<number>
  readonly wrap?: (source: Source<number>) => Source<number>
}

/** One of the two, and what was seen of it. */
interface Side {
  readonly name: string
  readonly reads: number[]
  readonly sink: Ledger<number>
  readonly expected: readonly number[]
}

const WRITTEN = new WeakMap<World, Record<string, Side>>()

/** A running sum per key behind an exchange. In another process the same sides go on: their ledgers lie outside of the job. */
function side(env: StreamExecutionEnvironment, world: World, name: string, options: SideOptions = {}): Side {
  const { count = COUNT, failAt = [], hooks, wrap = (source) => source } = options
  const left = new Set(failAt)
  const reads: number[] = []
  const sink = WRITTEN.get(world)?.[name]?.sink ?? new Ledger<number>(hooks)
  const source = defineSource<number, number>({
    boundedness: 'bounded',
    splits: () => [name],
    start: () => 0,
    async *read(_, position) {
      for (let index = position; index < count; index++) {
        await world.sleep(EVERY_MS)
        reads.push(index)
        yield { value: index, position: index + 1 }
      }
    },
  })
  env
    .fromSource(wrap(source), WatermarkStrategy.noWatermarks(), `${name}-source`)
    .uid(`${name}-source`)
    .map((value) => {
      if (left.delete(value)) throw new Error(`${name} is down at ${value}`)
      return { key: value % KEYS, sum: value }
    })
    .keyBy(({ key }) => key)
    .reduce((one, other) => ({ key: one.key, sum: one.sum + other.sum }))
    .setParallelism(2)
    .uid(`${name}-sums`)
    .map(({ sum }) => sum)
    .sinkTo(sink)
    .uid(`${name}-ledger`)
  const sums = new Map<number, number>()
  const expected = range(0, count - 1).map((value) => {
    const sum = (sums.get(value % KEYS) ?? 0) + value
    sums.set(value % KEYS, sum)
    return sum
  })
  return { name, reads, sink, expected }
}

interface PairOptions {
  readonly a?: SideOptions
  readonly b?: SideOptions
  readonly intervalMs?: number
  readonly delay?: number | '1 h'
  readonly strategy?: 'region' | 'full'
}

async function started(world: World, options: PairOptions = {}): Promise<{ client: JobClient; a: Side; b: Side }> {
  const { intervalMs = 70, delay = 60, strategy } = options
  const env = world.env()
  env.enableCheckpointing(intervalMs).setRestartStrategy(RestartStrategies.fixedDelayRestart(5, delay))
  env.getCheckpointConfig().setCheckpointStorage('/checkpoints')
  if (strategy !== undefined) env.configure({ 'jobmanager.execution.failover-strategy': strategy })
  const a = side(env, world, 'a', options.a)
  const b = side(env, world, 'b', options.b)
  WRITTEN.set(world, { a, b })
  return { client: await world.until(env.executeAsync('pair', { resume: 'latest' })), a, b }
}

const isExact = ({ sink, expected, name }: Side) =>
  expect(sink.committed.toSorted(byNumber), name).toEqual(expected.toSorted(byNumber))

/** In which attempts the tasks of a side have run. */
const attempts = (world: World, { name }: Side) => {
  const own = world.ofType('task.status').filter(({ vertex }) => vertex.includes(`${name}-`) || vertex === name)
  return [...new Set(own.map(({ attempt }) => attempt))].toSorted(byNumber)
}

const restarting = (world: World) => world.when(() => world.statuses().at(-1) === 'RESTARTING')

/** Its enumerator takes so long to start again. */
const slowToRestore = (world: World, ms: number) => (source: Source<number>) =>
  startingBehind(source, (made) => (made === 0 ? undefined : world.sleep(ms)))

/** Counts how often its enumerator is made and closed. */
const counted = (counts: { made: number; closed: number }) => (source: Source<number>) => {
  const watched: Source<number> = {
    ...source,
    boundedness: source.boundedness,
    createReader: (context) => source.createReader(context),
    createEnumerator(context, restored) {
      const enumerator = source.createEnumerator(context, restored)
      const close = enumerator.close.bind(enumerator)
      counts.made++
      return Object.assign(enumerator, {
        close() {
          counts.closed++
          return close()
        },
      })
    },
  }
  return watched
}

describeJobs('Two pipelines of one job', (newWorld, link) => {
  it('fail apart: one restarts, the other reads nothing again, keeps its attempt and goes on meanwhile', async () => {
    const world = newWorld()
    const [ofA, ofB] = [
      { made: 0, closed: 0 },
      { made: 0, closed: 0 },
    ]
    const { client, a, b } = await started(world, {
      a: { failAt: [20], wrap: counted(ofA) },
      b: { wrap: counted(ofB) },
      delay: 100,
    })
    await restarting(world)
    const before = [a.sink.written.length, b.sink.written.length] as const
    expect(await world.failure(client.triggerSavepoint('/savepoints'))).toMatchObject({
      code: 'CHECKPOINT_FAILED',
      details: { reason: 'NOT_ALL_REQUIRED_TASKS_RUNNING' },
    })
    await world.advance(95)
    expect(world.statuses().at(-1)).toBe('RESTARTING')
    expect([a.sink.written.length - before[0], b.sink.written.length - before[1]]).toEqual([0, 10])
    expect([ofA, ofB]).toEqual([
      { made: 1, closed: 1 },
      { made: 1, closed: 0 },
    ])
    const completed = world.ofType('checkpoint.completed').length
    await world.when(() => world.ofType('checkpoint.completed').length > completed)
    expect(world.statuses()).toEqual(['RUNNING', 'RESTARTING', 'RUNNING'])
    await world.until(client.getJobExecutionResult())
    expect(b.reads).toEqual(range(0, COUNT - 1))
    expect(a.reads.length).toBeGreaterThan(COUNT)
    expect([attempts(world, a), attempts(world, b), ofA.made, ofB.made]).toEqual([[1, 2], [1], 2, 1])
    for (const one of [a, b]) isExact(one)
    // What a task that ran on has counted is counted once.
    const recordsIn = world.handles[0]?.metrics().recordsIn ?? 0
    expect(recordsIn).toBeGreaterThanOrEqual(2 * COUNT)
    expect(recordsIn).toBeLessThanOrEqual(a.reads.length + b.reads.length)
  })

  it('restart together where the strategy says full, and after a failure that is no task’s', async () => {
    for (const [strategy, failsInEnumerator] of [
      ['full', false],
      ['region', true],
    ] as const) {
      const world = newWorld()
      const wrap = (source: Source<number>): Source<number> => ({
        ...source,
        boundedness: source.boundedness,
        createReader: (context) => source.createReader(context),
        createEnumerator(context, restored) {
          if (restored === undefined) world.clock.setTimer(200, () => context.fail(new Error('enumerator is down')))
          return source.createEnumerator(context, restored)
        },
      })
      const { client, a, b } = await started(world, { strategy, a: failsInEnumerator ? { wrap } : { failAt: [20] } })
      await world.until(client.getJobExecutionResult())
      expect([attempts(world, a), attempts(world, b)]).toEqual([
        [1, 2],
        [1, 2],
      ])
      expect(b.reads.length).toBeGreaterThan(COUNT)
      for (const one of [a, b]) isExact(one)
    }
  })

  it('that fail at once restart at once, and the strategy is asked once', async () => {
    const world = newWorld()
    const { client, a, b } = await started(world, { a: { failAt: [20] }, b: { failAt: [20] } })
    await world.until(client.getJobExecutionResult())
    expect(world.ofType('restart.scheduled')).toHaveLength(1)
    expect([attempts(world, a), attempts(world, b)]).toEqual([
      [1, 2],
      [1, 2],
    ])
    for (const one of [a, b]) isExact(one)
  })

  it('come back together where one fails while the other is restored, without another question to the strategy', async () => {
    const world = newWorld()
    const { client, a, b } = await started(world, {
      a: { failAt: [20], wrap: slowToRestore(world, 80) },
      b: { failAt: [30] },
    })
    await world.until(client.getJobExecutionResult())
    expect(world.ofType('restart.scheduled')).toHaveLength(1)
    // The second one was given up before it was deployed.
    expect([attempts(world, a), attempts(world, b)]).toEqual([
      [1, 3],
      [1, 3],
    ])
    for (const one of [a, b]) isExact(one)
  })

  it('fail one after the other: each goes back to the newest checkpoint of its time', async () => {
    const world = newWorld()
    const { client, a, b } = await started(world, { a: { failAt: [12, 33] }, b: { failAt: [25] }, delay: 20 })
    await world.until(client.getJobExecutionResult())
    expect([attempts(world, a), attempts(world, b)]).toEqual([
      [1, 2, 4],
      [1, 3],
    ])
    for (const one of [a, b]) isExact(one)
  })

  it('end apart: what has finished stays finished when the other fails', async () => {
    const world = newWorld()
    const { client, a, b } = await started(world, { a: { failAt: [33] }, b: { count: 10 } })
    await world.until(client.getJobExecutionResult())
    const finished = world.ofType('task.status').filter(({ vertex }) => vertex.includes('b-'))
    expect(finished.filter(({ status }) => status === 'SCHEDULED').every(({ attempt }) => attempt === 1)).toBe(true)
    expect([b.reads.length, attempts(world, a), attempts(world, b)]).toEqual([10, [1, 2], [1]])
    for (const one of [a, b]) isExact(one)
  })

  it('end at once where one comes to its end while the other restarts: the final checkpoint is called for then, too', async () => {
    const world = newWorld()
    const { client, a, b } = await started(world, {
      a: { count: 22, failAt: [20] },
      b: { count: 23 },
      delay: 500,
      intervalMs: 3_600_000,
    })
    const startMs = world.clock.now()
    await world.until(client.getJobExecutionResult())
    expect(world.clock.now() - startMs).toBeLessThan(2_000)
    expect(b.reads).toHaveLength(23)
    for (const one of [a, b]) isExact(one)
  })

  it('are cancelled and suspended both, during a restart of one; a stop is refused then', async () => {
    for (const end of ['cancel', 'suspend'] as const) {
      const world = newWorld()
      const { client, a, b } = await started(world, { a: { failAt: [20] }, delay: '1 h' })
      await restarting(world)
      await world.advance(50)
      const stop = client.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints' })
      expect(await world.failure(stop)).toMatchObject({ code: 'CHECKPOINT_FAILED' })
      expect(world.statuses().at(-1)).toBe('RESTARTING')
      await world.until(client[end]())
      expect(await client.getJobStatus()).toBe(end === 'cancel' ? 'CANCELED' : 'SUSPENDED')
      const written = b.sink.written.length
      await world.advance(100)
      expect(b.sink.written).toHaveLength(written)
      for (const { sink } of [a, b]) expect(sink.log.filter((line) => line.startsWith('close'))).toHaveLength(1)
      expect(world.timersLeft()).toBe(0)
      if (end === 'cancel') continue
      const resumed = await started(world)
      await world.until(resumed.client.getJobExecutionResult())
      for (const one of [a, b]) isExact(one)
    }
  })

  it('go back both where one fails while a savepoint stops the job: the sources of the other have stopped for it', async () => {
    const world = newWorld()
    let stops = false
    const prepare = () => {
      if (!stops) return
      stops = false
      throw new Error('a is down')
    }
    const { client, a, b } = await started(world, { a: { hooks: { prepare } }, intervalMs: 110 })
    await world.advance(155)
    stops = true
    const stop = client.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints' })
    expect(await world.failure(stop)).toMatchObject({ code: 'CHECKPOINT_FAILED' })
    await world.until(client.getJobExecutionResult())
    expect([attempts(world, a), attempts(world, b)]).toEqual([
      [1, 2],
      [1, 2],
    ])
    for (const one of [a, b]) isExact(one)
  })

  it('go on exactly in another process, wherever it dies after one of them was restarted', async () => {
    for (const diesAtMs of link === 'direct' ? [215, 260, 285, 310, 345] : [290]) {
      const world = newWorld()
      const { a, b } = await started(world, { a: { failAt: [20] }, delay: 50 })
      await world.advance(diesAtMs)
      world.files.interfere = () => ({ type: 'stop' })
      await world.until(Promise.race([world.files.stopped, world.sleep(500)]))
      const next = newWorld()
      Object.assign(next.ports, {
        files: new SimulatedFileSystem({ disk: world.files.disk, turns: next, clock: next.clock }),
      })
      WRITTEN.set(next, { a, b })
      const resumed = await started(next)
      await next.until(resumed.client.getJobExecutionResult())
      for (const one of [resumed.a, resumed.b]) isExact(one)
    }
  })
})
