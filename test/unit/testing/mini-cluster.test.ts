import { describe, expect, test } from 'vitest'
import {
  type Collector,
  CollectSink,
  DiscardingSink,
  defineSource,
  FileSink,
  type KeyedContext,
  KeyedProcessFunction,
  ReducingStateDescriptor,
  RestartStrategies,
  type RuntimeContext,
  type StreamExecutionEnvironment,
  WatermarkStrategy,
} from '../../../src/index.ts'
import {
  crashAt,
  crashAtRandom,
  failingDisk,
  fullDisk,
  ManualClock,
  MiniCluster,
  slowDisk,
} from '../../../src/testing/index.ts'

const LINES = Array.from({ length: 200 }, (_, line) => `${line % 7} ${line}`)
const CHECKPOINTS = { 'execution.checkpointing.dir': '/checkpoints' }

/** A line every 5 ms. */
const lines = (cluster: MiniCluster) =>
  defineSource<string, number>({
    boundedness: 'bounded',
    splits: () => ['lines'],
    start: () => 0,
    async *read(_, position) {
      for (let line = position; line < LINES.length; line++) {
        await cluster.sleep(5)
        yield { value: LINES[line] as string, position: line + 1 }
      }
    },
  })

/** Counts the lines of each key, into files. */
function countJob(cluster: MiniCluster, env: StreamExecutionEnvironment): void {
  const paced = lines(cluster)
  env.enableCheckpointing(100).setRestartStrategy(RestartStrategies.fixedDelayRestart(200, 10))
  env
    .fromSource(paced, WatermarkStrategy.noWatermarks(), 'lines')
    .uid('lines')
    .keyBy((line) => line.split(' ')[0] ?? '')
    .process((context) => new Count(context))
    .uid('count')
    .sinkTo(FileSink.forLines('/out'))
    .uid('sink')
}

class Count extends KeyedProcessFunction<string, string, string> {
  readonly #count
  constructor(context: RuntimeContext) {
    super()
    this.#count = context.getReducingState(SUM)
  }
  processElement(_: string, context: KeyedContext<string>, out: Collector<string>): undefined {
    this.#count.add(1)
    out.collect(`${context.getCurrentKey()} ${this.#count.get()}`)
  }
}
const SUM = new ReducingStateDescriptor<number>('count', (a, b) => a + b)

const expected = () => {
  const counts = new Map<string, number>()
  return LINES.map((line) => {
    const key = line.split(' ')[0] ?? ''
    counts.set(key, (counts.get(key) ?? 0) + 1)
    return `${key} ${counts.get(key)}`
  }).sort()
}

/** Finished files only: the names of others begin with a dot. */
const output = (cluster: MiniCluster) =>
  cluster.files
    .list('/out')
    .filter((path) => /\/part-[^/]*$/.test(path))
    .flatMap((path) => cluster.files.read(path)?.trimEnd().split('\n') ?? [])
    .sort()

/** A tick every 10 ms on the clock of the cluster, for ever. */
const ticks = (cluster: MiniCluster) =>
  defineSource<number, number>({
    boundedness: 'continuous-unbounded',
    splits: () => ['ticks'],
    start: () => 0,
    async *read(_, position) {
      for (let tick = position; ; tick++) {
        await cluster.sleep(10)
        yield { value: tick, position: tick + 1 }
      }
    },
  })

function tickJob(cluster: MiniCluster, sink: CollectSink<number>): StreamExecutionEnvironment {
  const env = cluster.environment()
  env.enableCheckpointing(100)
  env.fromSource(ticks(cluster), WatermarkStrategy.noWatermarks(), 'ticks').uid('ticks').sinkTo(sink)
  return env
}

describe('A mini cluster', () => {
  test('runs a job to its end, with output in memory', async () => {
    await using cluster = new MiniCluster({ configuration: CHECKPOINTS })
    const env = cluster.environment()
    countJob(cluster, env)
    await cluster.until(env.execute('count'))
    expect(output(cluster)).toEqual(expected())
  })

  test('lets time stand still until it is moved, and what is due happen by itself', async () => {
    await using cluster = new MiniCluster()
    const job = await tickJob(cluster, new CollectSink<number>()).executeAsync('ticks')
    await cluster.untilRunning(job)
    const atMs = cluster.clock.now()
    await new Promise((resolve) => setImmediate(resolve))
    expect(cluster.clock.now()).toBe(atMs)
    await cluster.advance(1000)
    expect(cluster.clock.now()).toBe(atMs + 1000)
    const completed = cluster.eventsOf(job).filter(({ type }) => type === 'checkpoint.completed')
    expect(completed.map(({ atMs: at }) => at - atMs)).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 900, 1000])
    await cluster.until(job.cancel())
  })

  test('waits for checkpoints one after the other', async () => {
    await using cluster = new MiniCluster()
    const job = await tickJob(cluster, new CollectSink<number>()).executeAsync('ticks')
    expect(await cluster.untilCheckpoint(job)).toBe(1)
    expect(await cluster.untilCheckpoint(job)).toBe(2)
    expect(cluster.clock.now()).toBe(200)
  })

  test('runs several jobs beside each other on one clock', async () => {
    await using cluster = new MiniCluster()
    const jobs = await Promise.all(
      ['one', 'two'].map((name) => tickJob(cluster, new CollectSink<number>()).executeAsync(name)),
    )
    for (const job of jobs) await cluster.untilRunning(job)
    await cluster.advance(500)
    for (const job of jobs) expect(await job.getJobStatus()).toBe('RUNNING')
    expect(new Set(jobs.map(({ jobId }) => jobId)).size).toBe(2)
  })

  test('gives a job that always has work its share of time', async () => {
    await using cluster = new MiniCluster()
    const env = cluster.environment()
    env.enableCheckpointing(100)
    let seen = 0
    env
      .fromSequence(1, 2 ** 50)
      .map((value) => {
        seen++
        return value
      })
      .sinkTo(new DiscardingSink())
    const job = await env.executeAsync('busy')
    await cluster.untilCheckpoint(job)
    expect(seen).toBeGreaterThan(100)
  })

  test('takes the clock that it is given, or the real one', async () => {
    const clock = new ManualClock({ startMs: 1_700_000_000_000 })
    await using cluster = new MiniCluster({ clock })
    expect(cluster.clock).toBe(clock)
    await using real = new MiniCluster({ clock: 'real' })
    const env = real.environment()
    const results = new CollectSink<number>()
    env
      .fromData([1, 2, 3])
      .map((value) => value * 2)
      .sinkTo(results)
    await real.until(env.execute('real'))
    expect(results.results()).toEqual([2, 4, 6])
    await expect(real.advance(1)).rejects.toMatchObject({ code: 'TEST_MISUSE' })
  })

  test('tells what failed a job that was to run', async () => {
    await using cluster = new MiniCluster()
    const env = cluster.environment()
    const error = new Error('bad record')
    env
      .fromData([1])
      .map((): number => {
        throw error
      })
      .sinkTo(new CollectSink<number>())
    const job = await env.executeAsync('fails')
    await expect(cluster.untilCheckpoint(job)).rejects.toMatchObject({ code: 'JOB_FAILED', cause: error })
  })

  test('says what never comes, instead of waiting for it', async () => {
    await using cluster = new MiniCluster()
    const env = cluster.environment()
    const silent = defineSource<number, number>({
      boundedness: 'continuous-unbounded',
      splits: () => ['never'],
      start: () => 0,
      async *read() {
        await new Promise(() => {})
      },
    })
    env.fromSource(silent, WatermarkStrategy.noWatermarks(), 'silent').sinkTo(new CollectSink<number>())
    const job = await env.executeAsync('silent')
    await expect(cluster.until(job.getJobExecutionResult())).rejects.toMatchObject({
      code: 'SIMULATION_STUCK',
      message: expect.stringContaining('job "silent" is RUNNING'),
    })
  })
})

describe('A process of a mini cluster', () => {
  test.each(['nothing', 'posix', 'ordered'] as const)(
    'is exact when it is killed again and again (%s lost)',
    async (loss) => {
      await using cluster = new MiniCluster({ configuration: CHECKPOINTS, seed: 7 })
      let lives = 0
      for (let over = false; !over; lives++) {
        const env = cluster.environment()
        countJob(cluster, env)
        const undo = lives < 8 ? cluster.inject(crashAt(() => true, 25 + 20 * lives)) : () => {}
        const running = cluster.until(env.execute('count', { resume: 'latest' }))
        over = await running.then(
          () => true,
          () => false,
        )
        undo()
        if (over) continue
        if (loss !== 'nothing') cluster.kill({ powerLoss: loss })
        cluster.restart()
      }
      expect(lives).toBeGreaterThan(4)
      expect(output(cluster)).toEqual(expected())
    },
  )

  test('does nothing any more once it was killed, and tells whoever waits', async () => {
    await using cluster = new MiniCluster({ configuration: CHECKPOINTS })
    const env = tickJob(cluster, new CollectSink<number>())
    const job = await env.executeAsync('ticks')
    await cluster.untilCheckpoint(job)
    const waiting = cluster.until(job.getJobExecutionResult())
    cluster.kill()
    await expect(waiting).rejects.toMatchObject({ code: 'PROCESS_KILLED' })
    const events = cluster.eventsOf(job).length
    const files = cluster.files.list()
    await cluster.advance(10_000)
    expect(cluster.eventsOf(job)).toHaveLength(events)
    expect(cluster.files.list()).toEqual(files)
    expect(() => cluster.environment()).toThrow(/killed/)
    cluster.restart()
    await expect(tickJobOn(env)).rejects.toMatchObject({ code: 'PROCESS_KILLED' })
  })

  test('finds the newest checkpoint of the one before', async () => {
    await using cluster = new MiniCluster({ configuration: CHECKPOINTS })
    await cluster.untilCheckpoint(await tickJob(cluster, new CollectSink<number>()).executeAsync('ticks'))
    cluster.kill()
    cluster.restart()
    const job = await tickJob(cluster, new CollectSink<number>()).executeAsync('ticks', { resume: 'latest' })
    expect(await cluster.untilCheckpoint(job)).toBe(2)
  })

  test('leaves what it has written when it is killed, and not all of it when the power fails', async () => {
    const left = async (powerLoss: 'posix' | 'ordered' | undefined, seed: number) => {
      await using cluster = new MiniCluster({ seed, configuration: CHECKPOINTS })
      const env = cluster.environment()
      countJob(cluster, env)
      await cluster.until(env.executeAsync('count'))
      // In the middle of a file, before its first sync.
      cluster.inject(crashAt(({ type, path }) => type === 'sync' && path.startsWith('/out')))
      await cluster.untilKilled()
      cluster.kill({ powerLoss })
      return cluster.files.list('/out').length
    }
    const seeds = [1, 2, 3, 4, 5, 6]
    for (const seed of seeds) expect(await left(undefined, seed)).toBe(1)
    for (const loss of ['posix', 'ordered'] as const)
      expect(await Promise.all(seeds.map((seed) => left(loss, seed)))).toContain(0)
  })

  test('is late with its timers when it has stood still', async () => {
    await using cluster = new MiniCluster()
    const times: number[] = []
    const env = cluster.environment()
    env
      .fromSource(ticks(cluster), WatermarkStrategy.noWatermarks(), 'ticks')
      .map((tick) => {
        times.push(cluster.clock.now())
        return tick
      })
      .sinkTo(new DiscardingSink())
    await cluster.untilRunning(await env.executeAsync('ticks'))
    await cluster.advance(5)
    cluster.clock.skip(1000)
    await cluster.advance(10)
    expect(times).toEqual([1005, 1015])
  })

  test('may have its wall clock set anew', async () => {
    await using cluster = new MiniCluster()
    const times: number[] = []
    const env = cluster.environment()
    env.fromSource(ticks(cluster), WatermarkStrategy.noWatermarks(), 'ticks').process(() => ({
      processElement: (_, context) => void times.push(context.timerService().currentProcessingTime()),
    }))
    const job = await env.executeAsync('ticks')
    await cluster.untilRunning(job)
    await cluster.advance(10)
    cluster.jumpClock(-1000)
    await cluster.advance(10)
    expect(times).toEqual([10, -980])
  })
})

describe('A disk that goes wrong', () => {
  const run = async (cluster: MiniCluster) => {
    const env = cluster.environment()
    countJob(cluster, env)
    return cluster.until(env.executeAsync('count'))
  }

  test('costs nothing but time while it is full', async () => {
    await using cluster = new MiniCluster({ configuration: CHECKPOINTS })
    const job = await run(cluster)
    const thereIsRoom = cluster.inject(fullDisk(({ path }) => path.startsWith('/out')))
    await cluster.advance(1000)
    expect(output(cluster)).toEqual([])
    expect(cluster.eventsOf(job).some(({ type }) => type === 'restart.scheduled')).toBe(true)
    thereIsRoom()
    await cluster.until(job.getJobExecutionResult())
    expect(output(cluster)).toEqual(expected())
  })

  test('may fail once at a chosen operation, with a chosen code', async () => {
    await using cluster = new MiniCluster({ configuration: CHECKPOINTS })
    cluster.inject(failingDisk(({ type, path }) => type === 'sync' && path.startsWith('/out'), { code: 'ENOSPC' }))
    const job = await run(cluster)
    await cluster.until(job.getJobExecutionResult())
    const restarts = cluster.eventsOf(job).filter(({ type }) => type === 'restart.scheduled')
    expect(restarts).toHaveLength(1)
    expect(output(cluster)).toEqual(expected())
  })

  test('may be slow', async () => {
    await using cluster = new MiniCluster({ configuration: CHECKPOINTS })
    cluster.inject(slowDisk(50, ({ type }) => type === 'sync'))
    const job = await run(cluster)
    await cluster.until(job.getJobExecutionResult())
    expect(cluster.clock.now()).toBeGreaterThan(100)
  })

  test('may be the last thing that a process asked for, at a place drawn from a seed', async () => {
    const places = new Set<number>()
    for (let seed = 1; seed <= 5; seed++) {
      await using cluster = new MiniCluster({ configuration: CHECKPOINTS })
      let operations = 0
      cluster.inject(() => void operations++)
      const job = await run(cluster)
      await cluster.untilRunning(job)
      operations = 0
      cluster.inject(crashAtRandom(seed, 40))
      await cluster.untilKilled()
      places.add(operations)
    }
    expect(places.size).toBeGreaterThan(2)
  })
})

async function tickJobOn(env: StreamExecutionEnvironment): Promise<unknown> {
  env.fromData([1]).sinkTo(new CollectSink<number>())
  return env.executeAsync('late')
}
