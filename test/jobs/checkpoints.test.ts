/** Checkpoints of whole jobs: when they are taken, what may go wrong with one, and what a restart finds in it. */
import { expect, it } from 'vitest'
import {
  CollectSink,
  DataGeneratorSource,
  type DataStream,
  RestartStrategies,
  type StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { byNumber, Ledger, range, ticks, timedSource } from './parts.ts'

const START = 1_000_000

const fromTicks = (env: StreamExecutionEnvironment, world: World, count: number, everyMs: number) =>
  env.fromSource(ticks(world, count, everyMs), WatermarkStrategy.noWatermarks(), 'ticks')

const triggeredAt = (world: World) => world.ofType('checkpoint.triggered').map(({ atMs }) => atMs - START)

/** Counts per key. */
const counted = (stream: DataStream<number>, keys: number, failAt?: (value: number, attempt: number) => boolean) =>
  stream
    .keyBy((value) => value % keys)
    .process<string>((context) => {
      const count = context.getState(new ValueStateDescriptor('count', { default: () => 0 }))
      return {
        processElement(value, at, out) {
          if (failAt?.(value, context.attemptNumber) === true) throw new Error(`at ${value}`)
          count.update(count.value() + 1)
          out.collect(`${at.getCurrentKey()}:${count.value()}`)
        },
      }
    })

const expectedCounts = (records: number, keys: number) =>
  range(0, records - 1)
    .map((value) => `${value % keys}:${Math.floor(value / keys) + 1}`)
    .toSorted()

describeJobs('Checkpoints', (newWorld) => {
  it('come every interval, with rising ids, and once more at the end', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(100)
    const sink = new Ledger<number>()
    fromTicks(env, world, 10, 50).sinkTo(sink)
    await world.until(env.execute('x'))
    const first = triggeredAt(world)[0] as number
    expect(first).toBeLessThanOrEqual(100)
    expect(triggeredAt(world).slice(0, 4)).toEqual([0, 1, 2, 3].map((index) => first + 100 * index))
    expect(triggeredAt(world).at(-1)).toBe(500)
    expect(world.ofType('checkpoint.completed').map(({ checkpointId }) => checkpointId)).toEqual(
      range(1, world.ofType('checkpoint.triggered').length),
    )
    expect(sink.committed).toEqual(range(0, 9))
  })

  it('leave the min pause between the end of one and the next', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(100).getCheckpointConfig().setMinPauseBetweenCheckpoints(70)
    const sink = new Ledger<number>({ makeDurable: () => world.sleep(80) })
    fromTicks(env, world, 20, 50).sinkTo(sink)
    await world.until(env.execute('x'))
    const completed = world.ofType('checkpoint.completed')
    const triggered = world.ofType('checkpoint.triggered').slice(0, -1)
    expect(triggered.length).toBeGreaterThan(5)
    for (const { checkpointId, atMs } of triggered.slice(1)) {
      const before = completed.find((event) => event.checkpointId === checkpointId - 1)
      expect(atMs - (before?.atMs ?? 0)).toBeGreaterThanOrEqual(70)
    }
  })

  it('that take too long expire; the next one covers what they would have', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(100).getCheckpointConfig().setCheckpointTimeout(200).setTolerableCheckpointFailureNumber(10)
    let prepared = 0
    const sink = new Ledger<number>({ flush: () => (prepared++ === 0 ? world.sleep(1_000) : undefined) })
    fromTicks(env, world, 30, 50).rebalance().sinkTo(sink)
    await world.until(env.execute('x'))
    const [first] = world.ofType('checkpoint.aborted')
    expect(first).toMatchObject({ checkpointId: 1, reason: 'CHECKPOINT_EXPIRED' })
    expect((first?.atMs ?? 0) - START - (triggeredAt(world)[0] ?? 0)).toBe(200)
    expect(world.ofType('restart.scheduled')).toEqual([])
    expect(sink.committed).toEqual(range(0, 29))
  })

  it('that expire fail the job where none may fail, and the job goes on exactly', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(100).setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 10))
    env.getCheckpointConfig().setCheckpointTimeout(200)
    const sink = new Ledger<string>({
      makeDurable: (checkpointId, { attempt }) =>
        checkpointId >= 3 && attempt === 0 ? new Promise(() => {}) : undefined,
    })
    counted(fromTicks(env, world, 30, 20), 3).sinkTo(sink)
    await world.until(env.execute('x'))
    expect(world.ofType('restart.scheduled')).toHaveLength(1)
    expect(world.ofType('restart.scheduled')[0]?.error).toMatchObject({ code: 'CHECKPOINT_FAILURES_EXCEEDED' })
    expect(sink.committed.toSorted()).toEqual(expectedCounts(30, 3))
  })

  it.each([1, 3])(
    'hold the state of each key exactly: it goes on where it was (parallelism %i)',
    async (parallelism) => {
      const world = newWorld({ roundMs: 1 })
      const env = world.env().setParallelism(parallelism)
      env.enableCheckpointing(20).setRestartStrategy(RestartStrategies.fixedDelayRestart(10, 5))
      const [ledger, collected] = [new Ledger<string>(), new CollectSink<string>()]
      const counts = counted(
        env.fromSource(
          new DataGeneratorSource((index) => index, { count: 3_000, ratePerSecond: 10_000 }),
          WatermarkStrategy.noWatermarks(),
          'numbers',
        ),
        7,
        (value, attempt) => value === 500 * (attempt + 1) && attempt < 5,
      )
      counts.sinkTo(ledger)
      counts.sinkTo(collected)
      await world.until(env.execute('x'))
      expect(world.ofType('restart.scheduled')).toHaveLength(5)
      expect(world.ofType('checkpoint.completed').length).toBeGreaterThan(5)
      expect(ledger.committed.toSorted()).toEqual(expectedCounts(3_000, 7))
      expect([...collected.results()].toSorted()).toEqual(expectedCounts(3_000, 7))
    },
  )

  it('only decline where a snapshot throws and tasks may outlive that', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).getCheckpointConfig().setFailTasksOnCheckpointingErrors(false)
    const sink = new Ledger<number>()
    fromTicks(env, world, 20, 20)
      .rebalance()
      .process<number>(() => ({
        processElement: (value, _, out) => out.collect(value),
        snapshotState({ getCheckpointId }) {
          if (getCheckpointId() % 2 === 1) throw new Error('odd')
        },
      }))
      .rebalance()
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(world.ofType('restart.scheduled')).toEqual([])
    const declined = (reason: string) => reason !== 'CHECKPOINT_DECLINED_TASK_CLOSING'
    const aborted = world.ofType('checkpoint.aborted').filter(({ reason }) => declined(reason))
    expect(aborted.length).toBeGreaterThan(2)
    for (const { checkpointId, reason, message } of aborted) {
      expect((checkpointId ?? 0) % 2).toBe(1)
      expect({ reason, message }).toEqual({ reason: 'CHECKPOINT_DECLINED', message: 'odd' })
    }
    expect(sink.committed).toEqual(range(0, 19))
  })

  it('only decline where a sink throws while it prepares; a marker takes the place of the barrier', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).getCheckpointConfig().setFailTasksOnCheckpointingErrors(false)
    let prepared = 0
    const sink = new Ledger<number>({
      flush: (endOfInput) => {
        if (!endOfInput && prepared++ % 2 === 0) throw new Error('not now')
      },
    })
    fromTicks(env, world, 20, 20).sinkTo(sink)
    await world.until(env.execute('x'))
    expect(world.ofType('restart.scheduled')).toEqual([])
    expect(world.ofType('checkpoint.aborted').length).toBeGreaterThan(2)
    expect(sink.committed).toEqual(range(0, 19))
  })

  it('let no record through while a sink prepares, and none get lost meanwhile', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50)
    let preparing = false
    let between = 0
    const sink = new Ledger<number>({
      write: () => {
        if (preparing) between++
      },
      flush: async () => {
        preparing = true
        await world.sleep(25)
        preparing = false
      },
    })
    fromTicks(env, world, 60, 5).rebalance().sinkTo(sink)
    await world.until(env.execute('x'))
    expect(world.ofType('checkpoint.completed').length).toBeGreaterThan(3)
    expect(between).toBe(0)
    expect(sink.committed).toEqual(range(0, 59))
  })

  it('fail the task where a snapshot throws, and the very object is told', async () => {
    const world = newWorld()
    const env = world.env()
    const thrown = new Error('no snapshot')
    env.enableCheckpointing(50).setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 10))
    env.getCheckpointConfig().setFailTasksOnCheckpointingErrors(true)
    const sink = new Ledger<number>()
    fromTicks(env, world, 20, 20)
      .process<number>(({ attemptNumber }) => ({
        processElement: (value, _, out) => out.collect(value),
        snapshotState({ getCheckpointId }) {
          if (attemptNumber === 0 && getCheckpointId() === 3) throw thrown
        },
      }))
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(world.ofType('restart.scheduled').map(({ error }) => error)).toEqual([thrown])
    expect(sink.committed).toEqual(range(0, 19))
  })

  it('may overlap where two are allowed', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).getCheckpointConfig().setMaxConcurrentCheckpoints(2)
    env.setRestartStrategy(RestartStrategies.fixedDelayRestart(3, 10))
    let most = 0
    const open = [0, 0]
    const sink = new Ledger<string>({
      makeDurable: async (_, { attempt }) => {
        open[attempt] = (open[attempt] ?? 0) + 1
        most = Math.max(most, ...open)
        await world.sleep(120)
        open[attempt] = (open[attempt] ?? 0) - 1
      },
    })
    counted(fromTicks(env, world, 60, 10), 3, (value, attempt) => value === 45 && attempt === 0).sinkTo(sink)
    await world.until(env.execute('x'))
    expect(most).toBe(2)
    expect(world.ofType('restart.scheduled')).toHaveLength(1)
    expect(sink.committed.toSorted()).toEqual(expectedCounts(60, 3))
    for (const attempt of ['0/', '1/']) {
      const ids = sink.commits.flatMap(({ id, checkpointId }) => (id.startsWith(attempt) ? [checkpointId] : []))
      expect([...new Set(ids)]).toEqual([...new Set(ids)].toSorted(byNumber))
    }
  })

  it('at least once lose nothing', async () => {
    const world = newWorld({ roundMs: 1 })
    const env = world.env().setParallelism(2)
    env.enableCheckpointing(20, 'AT_LEAST_ONCE').setRestartStrategy(RestartStrategies.fixedDelayRestart(10, 5))
    const sink = new Ledger<number>()
    const other = env.fromSequence(0, 999)
    env
      .fromSequence(1_000, 1_999)
      .union(other)
      .rebalance()
      .process<number>(({ attemptNumber }) => ({
        processElement(value, _, out) {
          if (attemptNumber < 2 && value === 700 + attemptNumber * 100) throw new Error('down')
          out.collect(value)
        },
      }))
      .keyBy((value) => value % 5)
      .reduce((_, value) => value)
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(world.ofType('restart.scheduled')).toHaveLength(2)
    expect([...new Set(sink.committed)].toSorted(byNumber)).toEqual(range(0, 1_999))
  })

  it('are told to functions in order: prepared, frozen, complete; an aborted one is told as aborted', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).getCheckpointConfig().setFailTasksOnCheckpointingErrors(false)
    const log: string[] = []
    fromTicks(env, world, 10, 20)
      .process<number>(() => ({
        processElement: (value, _, out) => out.collect(value),
        snapshotState({ getCheckpointId }) {
          log.push(`snapshot ${getCheckpointId()}`)
          if (getCheckpointId() === 2) throw new Error('no')
        },
        notifyCheckpointComplete: (id) => void log.push(`complete ${id}`),
        notifyCheckpointAborted: (id) => void log.push(`aborted ${id}`),
      }))
      .sinkTo(new Ledger({ flush: () => void log.push('flush') }))
    await world.until(env.execute('x'))
    expect(log.slice(0, 8)).toEqual([
      ...['flush', 'snapshot 1', 'complete 1'],
      ...['flush', 'snapshot 2', 'aborted 2'],
      ...['flush', 'snapshot 3'],
    ])
  })

  it('go on when a source has finished, also where more of them are due than there is time for', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(10)
    const [early, late] = [new Ledger<number>({ makeDurable: () => world.sleep(35) }), new Ledger<number>()]
    fromTicks(env, world, 5, 10)
      .rebalance()
      .map((value) => value)
      .sinkTo(early)
    fromTicks(env, world, 50, 20)
      .rebalance()
      .map((value) => value)
      .sinkTo(late)
    const client = await world.until(env.executeAsync('x'))
    await world.until(client.getJobExecutionResult())
    expect(early.committed).toEqual(range(0, 4))
    expect(late.committed).toEqual(range(0, 49))
    expect(world.clock.now() - START).toBeLessThan(1_200)
    expect(world.ofType('checkpoint.aborted').filter(({ reason }) => reason === 'CHECKPOINT_EXPIRED')).toEqual([])
    const finishedAt = world.ofType('task.status').find(({ status }) => status === 'FINISHED')?.atMs ?? 0
    const after = world.ofType('checkpoint.completed').filter(({ atMs }) => atMs > finishedAt)
    expect(after.length).toBeGreaterThan(10)
  })

  it('of a job of which a part has finished are restored without running that part again', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(30).setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 10))
    const [early, late] = [new Ledger<string>(), new Ledger<string>()]
    counted(fromTicks(env, world, 5, 10), 2).sinkTo(early)
    counted(fromTicks(env, world, 50, 20), 2, (value, attempt) => value === 40 && attempt === 0).sinkTo(late)
    await world.until(env.execute('x'))
    expect(world.ofType('restart.scheduled')).toHaveLength(1)
    expect(early.committed.toSorted()).toEqual(expectedCounts(5, 2))
    expect(late.committed.toSorted()).toEqual(expectedCounts(50, 2))
    expect(early.log.filter((line) => line.startsWith('close 1'))).toEqual([])
  })

  it('that finish a bounded job do not wait for an interval of ten minutes', async () => {
    const world = newWorld()
    const env = world.env().setParallelism(2)
    env.enableCheckpointing('10 min')
    const sink = new Ledger<number>()
    env
      .fromSequence(1, 100)
      .rebalance()
      .map((value) => value)
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(world.clock.now()).toBe(START)
    expect(world.ofType('checkpoint.completed')).toHaveLength(1)
    expect(sink.committed.toSorted(byNumber)).toEqual(range(1, 100))
  })

  it('are not needed for the end: without them the sink commits at the end of the input', async () => {
    const world = newWorld()
    const env = world.env()
    const sink = new Ledger<number>()
    env.fromSequence(1, 10).sinkTo(sink)
    await world.until(env.execute('x'))
    expect(world.ofType('checkpoint.triggered')).toEqual([])
    expect(sink.committed).toEqual(range(1, 10))
  })

  it('after the end of some input cannot be switched off: what follows the last checkpoint would never be committed', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).configure({ 'execution.checkpointing.checkpoints-after-tasks-finish': false })
    fromTicks(env, world, 5, 30).sinkTo(new Ledger<number>())
    expect(await world.failure(env.execute('x'))).toMatchObject({ code: 'UNSUPPORTED' })
  })

  it('are taken on request, and refused when the job is over', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing('10 min')
    fromTicks(env, world, 10, 30).sinkTo(new Ledger())
    const client = await world.until(env.executeAsync('x'))
    await world.advance(50)
    expect(await world.until(client.triggerCheckpoint())).toBe(1)
    expect(await world.until(client.triggerCheckpoint())).toBe(2)
    await world.until(client.getJobExecutionResult())
    expect(await world.failure(client.triggerCheckpoint())).toMatchObject({ code: 'CHECKPOINT_FAILED' })
  })

  it('that are acknowledged late, by an attempt that is gone, count for nothing', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 10))
    let settle = () => {}
    const late = new Promise<void>((resolve) => {
      settle = resolve
    })
    const sink = new Ledger<number>({
      makeDurable: (checkpointId, { attempt }) => (attempt === 0 && checkpointId === 2 ? late : undefined),
    })
    fromTicks(env, world, 20, 10)
      .process<number>(({ attemptNumber }) => ({
        processElement(value, _, out) {
          if (attemptNumber === 0 && value === 12) throw new Error('down')
          out.collect(value)
        },
      }))
      .sinkTo(sink)
    const client = await world.until(env.executeAsync('x'))
    await world.when(() => world.statuses().filter((status) => status === 'RUNNING').length === 2)
    settle()
    await world.until(client.getJobExecutionResult())
    const completed = world.ofType('checkpoint.completed').map(({ checkpointId }) => checkpointId)
    expect(completed).not.toContain(2)
    expect(sink.committed).toEqual(range(0, 19))
  })

  it('never bring a watermark back: it begins anew after a restart', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(30).setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 10))
    const seen: string[] = []
    env
      .fromSource(
        timedSource(world, {
          a: range(0, 9).map((value) => ({ afterMs: 10 * value, value, timestamp: value * 1_000 })),
        }),
        WatermarkStrategy.forMonotonousTimestamps(),
        'timed',
      )
      .process<number>(({ attemptNumber }) => ({
        open: () => void seen.push(`open ${attemptNumber}`),
        processElement(value, context, out) {
          const watermark = context.timerService().currentWatermark()
          if (attemptNumber === 0 && value === 8) throw new Error('down')
          if (watermark === Number.NEGATIVE_INFINITY) seen.push(`none before ${value}`)
          out.collect(value)
        },
      }))
      .sinkTo(new Ledger())
    env.configure({ 'pipeline.auto-watermark-interval': 15 })
    await world.until(env.execute('x'))
    const again = seen.indexOf('open 1')
    expect(again).toBeGreaterThan(0)
    expect(seen.slice(again + 1).length).toBeGreaterThan(0)
  })
})
