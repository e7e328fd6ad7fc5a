/** Jobs of every shape that cannot keep up: edges of every kind into one task, ways that part and meet, silent inputs; at another parallelism too. */
import { describe, expect, it } from 'vitest'
import { simulatedStores } from '../../src/base/simulated-ordered-stores.ts'
import {
  type Configuration,
  type DataStream,
  MapStateDescriptor,
  OutputTag,
  type StreamExecutionEnvironment,
  WatermarkStrategy,
} from '../../src/index.ts'
// Loaded by the job when it needs them; that must not take time of a clock that stands still.
import '../../src/state/level/level-state-backend.ts'
import '../../src/state/level/scratch-folders.ts'
import '../../src/state/level/table-self-check.ts'
import { gate, strays } from './checkpoint-parts.ts'
import { World } from './harness.ts'
import { Ledger, range, ticks, timedSource } from './parts.ts'
import { edgesHeld, holding, numbered, numberedOf, overtaking, pressed } from './unaligned-parts.ts'

const COUNT = 60
const SLOW_MS = 4
const slowly = (world: World) => world.sleep(SLOW_MS)

type Build = (env: StreamExecutionEnvironment, sink: Ledger<string>, parallelism: number) => void

/** One run after the other, at these parallelisms; each is cut off behind a checkpoint that holds these edges, the last one ends. None may go on at `refusedAt`. */
async function rescaled(
  world: World,
  build: Build,
  runs: readonly (readonly [number, ...(readonly string[])])[],
  refusedAt?: number,
) {
  const sink = new Ledger<string>({ write: () => slowly(world) })
  for (const [index, [parallelism, ...edges]] of runs.entries()) {
    const start = (at: number) => {
      const env = overtaking(world, { 'execution.checkpointing.interval': 25 })
      build(env, sink, at)
      return env
    }
    if (index > 0 && refusedAt !== undefined) {
      const refused = await world.failure(start(refusedAt).executeAsync('x', { resume: 'latest' }))
      expect(refused.code).toBe('UNSUPPORTED')
    }
    const env = start(parallelism)
    const client = await world.until(env.executeAsync('x', index === 0 ? {} : { resume: 'latest' }))
    if (edges.length > 0) {
      const completed = world.ofType('checkpoint.completed').length
      await world.when(
        () =>
          world.ofType('checkpoint.completed').length > completed &&
          edges.every((edge) => edgesHeld(world).includes(edge)),
      )
      await world.until(client.suspend())
    } else await world.until(client.getJobExecutionResult())
  }
  return sink.committed.toSorted()
}

const RULES = new MapStateDescriptor<string, number>('rules')
const LATE = new OutputTag<string>('odd')

/** Messages take longest over this link; what is claimed here has no part in it. */
const newWorld = () => new World({ link: 'cloned' })

describe('Records in flight', () => {
  it('beside broadcast ones, to a function with broadcast state, are exact at the same parallelism, and refused at another', async () => {
    const world = newWorld()
    const at = (values: readonly number[], everyMs: number, fromMs = 0) =>
      values.map((value, index) => ({ afterMs: fromMs + index * everyMs, value }))
    const build: Build = (env, sink, parallelism) => {
      const rules = { all: at(range(1, 40), 2) }
      const events = { all: [...at(range(0, 69), 2), ...at(range(70, 79), 1, 1200)] }
      const ruled = env
        .fromSource(timedSource(world, rules), WatermarkStrategy.noWatermarks(), 'rules')
        .uid('rules')
        .broadcast(RULES)
      env
        .fromSource(timedSource(world, events), WatermarkStrategy.noWatermarks(), 'events')
        .uid('events')
        .keyBy((event) => event % 7)
        .connect(ruled)
        .process<string>(() => ({
          processElement(event, { getBroadcastState }, out) {
            const seen = [...getBroadcastState(RULES)]
            out.collect(
              event < 70
                ? `${event}`
                : `${event} knows ${seen.length}, once: ${seen.every(([, times]) => times === 1)}`,
            )
          },
          processBroadcastElement(rule, { getBroadcastState }, out) {
            // What waits for it differs from subtask to subtask.
            out.collect(`rule ${rule}`)
            const seen = getBroadcastState(RULES)
            seen.set(`${rule}`, (seen.get(`${rule}`) ?? 0) + 1)
          },
        }))
        .uid('ruled')
        .setParallelism(parallelism)
        .rebalance()
        .sinkTo(sink)
        .uid('slow')
        .setParallelism(1)
    }
    const lines = await rescaled(world, build, [[2, 'broadcast', 'hash'], [2, 'broadcast'], [2]], 3)
    expect(lines.filter((line) => line.startsWith('rule'))).toHaveLength(2 * 40)
    expect(lines.filter((line) => !line.startsWith('rule'))).toEqual(
      [...range(0, 69).map(String), ...range(70, 79).map((event) => `${event} knows 40, once: true`)].toSorted(),
    )
  })

  it('by a hash edge and a forward edge into the same task are exact from two subtasks to three to one', async () => {
    const world = newWorld()
    const splits = (name: string) =>
      Object.fromEntries(
        range(0, 2).map((split) => [
          `${split}`,
          range(0, 29).map((n) => ({ afterMs: n, value: `${name}${split}-${n}` })),
        ]),
      )
    const build: Build = (env, sink, parallelism) => {
      env.setParallelism(parallelism)
      const [forward, keyed] = ['f', 'k'].map((name) =>
        env.fromSource(timedSource(world, splits(name)), WatermarkStrategy.noWatermarks(), name).uid(name),
      ) as unknown as [DataStream<string>, DataStream<string>]
      forward
        .union(keyed.keyBy((value) => value))
        .map((value) => value)
        .uid('both')
        .sinkTo(sink)
        .uid('slow')
    }
    const lines = await rescaled(world, build, [[2, 'forward', 'hash'], [3, 'forward', 'hash'], [1]])
    expect(lines).toEqual(
      ['f', 'k']
        .flatMap((name) => Object.values(splits(name)).flatMap((split) => split.map(({ value }) => value)))
        .toSorted(),
    )
  })

  it('of a main and a side output are told apart, also where both come to the same task', async () => {
    const world = newWorld()
    const build: Build = (env, sink, parallelism) => {
      const parted = env
        .fromSource(ticks(world, 60, 1), WatermarkStrategy.noWatermarks(), 'ticks')
        .uid('ticks')
        .process<string>(() => ({
          processElement(value, context, out) {
            if (value % 2 === 0) out.collect(`main ${value}`)
            else context.output(LATE, `side ${value}`)
          },
        }))
        .uid('parted')
      parted
        .rebalance()
        .map((line) => `${line} by main`)
        .uid('by main')
        .union(
          parted
            .getSideOutput(LATE)
            .rebalance()
            .map((line) => `${line} by side`)
            .uid('by side'),
        )
        .union(parted.getSideOutput(LATE).rebalance())
        .rebalance()
        .sinkTo(sink)
        .uid('slow')
        .setParallelism(parallelism)
    }
    const lines = await rescaled(world, build, [[2, 'odd', 'rebalance'], [1]])
    expect(lines).toEqual(
      range(0, 59)
        .flatMap((value) => (value % 2 === 0 ? [`main ${value} by main`] : [`side ${value} by side`, `side ${value}`]))
        .toSorted(),
    )
  })

  it('that part and meet again, one way slower than the other, are exact whenever the job fails', async () => {
    for (const failAt of [30, 55, 80]) {
      const world = newWorld()
      let left = failAt
      const write = async () => {
        await slowly(world)
        if (--left === 0) throw new Error('down')
      }
      const [sink, aside] = [new Ledger<string>({ write }), new Ledger<string>({ write })]
      const env = overtaking(world)
      const source = env.fromSource(ticks(world, 40, 1), WatermarkStrategy.noWatermarks(), 'ticks')
      const counted = numbered(source, 2)
      const slow = counted
        .rebalance()
        .flatMap((line) => [line, `${line} again`])
        .setParallelism(2)
      // In its chain: the way waits for it.
      slow.sinkTo(aside).setParallelism(2)
      const quick = counted.rebalance().map((line) => `${line} quick`)
      slow.union(quick).rebalance().sinkTo(sink).setParallelism(2)
      await world.until(env.execute('x'))
      expect(left).toBeLessThan(0)
      expect(holding(world).length).toBeGreaterThan(0)
      const lines = numberedOf(40)
      const twice = lines.flatMap((line) => [line, `${line} again`])
      expect(aside.committed.toSorted()).toEqual(twice.toSorted())
      expect(sink.committed.toSorted()).toEqual([...twice, ...lines.map((line) => `${line} quick`)].toSorted())
    }
  })
})

/** Whether records of this checkpoint were captured, ever. */
const capturing = (world: World, checkpointId: number) =>
  world.steps.some(({ orders }) =>
    orders.some(
      (order) =>
        order.type === 'startCapture' && (order as { readonly checkpointId?: number }).checkpointId === checkpointId,
    ),
  )

describe('A job whose checkpoints overtake', () => {
  it('ends, and loses nothing, where one of two inputs ends early and everything waits, whenever it fails', async () => {
    for (const failAt of [8, 31, 46, 60]) {
      const world = newWorld()
      let left = failAt
      const sink = new Ledger<string>({
        write: async () => {
          await slowly(world)
          if (--left === 0) throw new Error('down')
        },
      })
      const env = overtaking(world)
      const [long, short] = [50, 10].map((count, index) =>
        env
          .fromSource(ticks(world, count, 1), WatermarkStrategy.noWatermarks(), `source ${index}`)
          .map((value) => value + 1000 * index),
      ) as unknown as [DataStream<number>, DataStream<number>]
      long
        .rebalance()
        .union(short.rebalance())
        .map((value) => `${value}`)
        .setParallelism(2)
        .rebalance()
        .sinkTo(sink)
        .setParallelism(2)
      await world.until(env.execute('x'))
      expect(left).toBeLessThan(0)
      expect(holding(world).length).toBeGreaterThan(0)
      expect(sink.committed.toSorted()).toEqual([...range(0, 49), ...range(1000, 1009)].map(String).toSorted())
    }
  })

  it('fires each window once and whole, also where one of its inputs has fallen silent', async () => {
    const SIZE = 10
    const world = newWorld()
    let failures = 2
    const sink = new Ledger<string>({
      write: async () => {
        await slowly(world)
        if (failures === 0 || holding(world).length < 4 - failures) return
        failures--
        throw new Error('down')
      },
    })
    const env = overtaking(world)
    const splits = {
      talking: range(0, 59).map((n) => ({ afterMs: 2 * n, value: n, timestamp: n })),
      silent: range(0, 9).map((n) => ({ afterMs: 2 * n, value: n, timestamp: n })),
    }
    env.configure({ 'pipeline.auto-watermark-interval': '2 ms' })
    const strategy = WatermarkStrategy.forMonotonousTimestamps<number>().withIdleness(5)
    env
      .fromSource(timedSource(world, splits, 400), strategy, 'two')
      .setParallelism(2)
      .keyBy((value) => value % 2)
      .process<string>((context) => {
        const sums = context.getMapState(new MapStateDescriptor<number, number>('sums'))
        return {
          processElement(value, at, out) {
            const start = value - (value % SIZE)
            sums.set(start, (sums.get(start) ?? 0) + value)
            at.timerService().registerEventTimeTimer(start + SIZE)
            out.collect(`of ${value}`)
          },
          onTimer(end, at, out) {
            out.collect(`${at.getCurrentKey()} before ${end}: ${sums.get(end - SIZE)}`)
            sums.remove(end - SIZE)
          },
        }
      })
      .setParallelism(2)
      .rebalance()
      .sinkTo(sink)
      .setParallelism(1)
    await world.until(env.execute('x'))
    expect(failures).toBe(0)
    const sums = new Map<string, number>()
    const values = [...range(0, 59), ...range(0, 9)]
    for (const value of values) {
      const window = `${value % 2} before ${value - (value % SIZE) + SIZE}`
      sums.set(window, (sums.get(window) ?? 0) + value)
    }
    const lines = [...values.map((value) => `of ${value}`), ...[...sums].map(([window, sum]) => `${window}: ${sum}`)]
    expect(sink.committed.toSorted()).toEqual(lines.toSorted())
  })

  it.each([
    { what: 'has waited too long', reason: 'CHECKPOINT_EXPIRED', afterMs: 30 },
    { what: 'cannot be written', reason: 'CHECKPOINT_ASYNC_EXCEPTION', afterMs: 0 },
  ])(
    'goes on with one input while the barrier of another is long in coming, and gives up at once what $what',
    async ({ reason, afterMs }) => {
      const world = newWorld()
      world.files.interfere = ({ path, type }) =>
        afterMs === 0 && type === 'create' && path.includes('/chk-1/') && path.includes('-keyed-')
          ? { type: 'fail', code: 'ENOSPC' }
          : undefined
      const hung = gate()
      const stuck = new Ledger<number>({ write: (value) => (value === 20 ? hung.opened : undefined) })
      const sink = new Ledger<string>()
      const env = overtaking(world, { 'execution.checkpointing.timeout': 30 })
      env.getCheckpointConfig().setTolerableCheckpointFailureNumber(1_000)
      const held = env
        .fromSource(ticks(world, 60, 1), WatermarkStrategy.noWatermarks(), 'held')
        .rebalance()
        .map((value) => value)
      // In its chain: no barrier leaves it meanwhile.
      held.sinkTo(stuck)
      const free = env.fromSource(ticks(world, 200, 1), WatermarkStrategy.noWatermarks(), 'free')
      numbered(free.rebalance().union(held.rebalance()), 2).sinkTo(sink).setParallelism(2)
      const client = await world.until(env.executeAsync('x'))
      await world.when(() => world.ofType('checkpoint.aborted').length === 1)
      const [aborted] = world.ofType('checkpoint.aborted')
      const [triggered] = world.ofType('checkpoint.triggered')
      expect(aborted).toMatchObject({ checkpointId: 1, reason, atMs: (triggered?.atMs ?? 0) + afterMs })
      expect(capturing(world, 1)).toBe(true)
      const written = sink.written.length
      await world.advance(5)
      expect(sink.written.length).toBeGreaterThanOrEqual(written + 5)
      expect(strays(world)).toEqual([])
      hung.open()
      await world.when(() => world.ofType('checkpoint.completed').length > 1)
      await world.until(client.getJobExecutionResult())
      expect(sink.committed).toHaveLength(260)
      expect(new Set(sink.committed.map((line) => line.split(' ')[0])).size).toBe(260)
      expect(strays(world)).toEqual([])
      await world.advance(50)
      expect(world.timersLeft()).toBe(0)
    },
  )

  it.each(['on disk', 'with frozen records', 'beside another one'] as const)('is exact %s', async (how) => {
    const world = newWorld()
    Object.assign(world.ports, { stores: simulatedStores({ files: world.files, turns: world }) })
    const configurations: Readonly<Record<typeof how, Configuration>> = {
      'on disk': { 'state.backend.type': 'leveldb', 'state.backend.leveldb.localdir': '/scratch' },
      'with frozen records': { 'execution.debug-freeze': true },
      'beside another one': {},
    }
    const start = async (name: string) => {
      let left = 20
      const sink = new Ledger<string>({
        write: async () => {
          await slowly(world)
          if (--left === 0) throw new Error('down')
        },
      })
      const env = overtaking(world, { ...configurations[how], 'execution.checkpointing.dir': `/checkpoints/${name}` })
      pressed(env, world, sink, { count: COUNT })
      const client = await world.until(env.executeAsync(name))
      return { client, sink }
    }
    const jobs = [await start('one'), ...(how === 'beside another one' ? [await start('two')] : [])]
    for (const { client, sink } of jobs) {
      await world.until(client.getJobExecutionResult())
      expect(sink.committed.toSorted()).toEqual(numberedOf(COUNT))
    }
    expect(holding(world).length).toBeGreaterThan(jobs.length)
    expect(world.ofType('restart.scheduled')).toHaveLength(jobs.length)
  })

  it.each([
    { mode: 'AT_LEAST_ONCE', concurrent: 1 },
    { mode: 'EXACTLY_ONCE', concurrent: 2 },
  ] as const)('is refused with $mode and $concurrent at a time', async ({ mode, concurrent }) => {
    const world = newWorld()
    const env = overtaking(world, {
      'execution.checkpointing.mode': mode,
      'execution.checkpointing.max-concurrent-checkpoints': concurrent,
    })
    pressed(env, world, new Ledger<string>(), { count: 1 })
    expect(await world.failure(env.execute('x'))).toMatchObject({
      code: 'CONFIG_INVALID',
      details: { mode, concurrent },
    })
  })
})
