/** What a job measures of its tasks: exact counts, times that add up, watermarks, and all of it also when tasks are over. */
import { describe, expect, it } from 'vitest'
import { simulatedStores } from '../../src/base/simulated-ordered-stores.ts'
import {
  FileSource,
  MapStateDescriptor,
  OutputTag,
  RestartStrategies,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../src/index.ts'
import type { TaskMeasurements } from '../../src/runtime/job-handle.ts'
// Loaded by the job when it needs them; that must not take time of a clock that stands still.
import '../../src/state/level/level-state-backend.ts'
import '../../src/state/level/scratch-folders.ts'
import '../../src/state/level/table-self-check.ts'
import { Disk } from './followed-files.ts'
import { World } from './harness.ts'
import { Ledger, punctuated, range, ticks, timedSource } from './parts.ts'

/** Of the last job, by name of the vertex: its subtasks in their newest attempts. */
function measured(world: World): ReadonlyMap<string, readonly TaskMeasurements[]> {
  const handle = world.handles.at(-1)
  const names = handle?.executionGraph().vertices.map(({ name }) => name) ?? []
  const all = handle?.measurements() ?? []
  const newest = (one: TaskMeasurements) =>
    !all.some((other) => isSameSubtask(one, other) && other.executionAttempt > one.executionAttempt)
  return new Map(names.map((name, vertex) => [name, all.filter((one) => one.vertex === vertex && newest(one))]))
}

const isSameSubtask = (one: TaskMeasurements, other: TaskMeasurements) =>
  one.vertex === other.vertex && one.subtask === other.subtask

const of = (world: World, name: string, subtask = 0) => measured(world).get(name)?.[subtask] as TaskMeasurements

function sum(world: World, name: string, value: (task: TaskMeasurements) => number): number {
  return (
    measured(world)
      .get(name)
      ?.reduce((total, task) => total + value(task), 0) ?? Number.NaN
  )
}

/** By operator, `in/out`. */
const counts = (task: TaskMeasurements) =>
  task.operators.map(({ name, numRecordsIn, numRecordsOut }) => `${name} ${numRecordsIn}/${numRecordsOut}`)

const total = ({ busyMs, backPressuredMs, idleMs }: TaskMeasurements) => busyMs + backPressuredMs + idleMs

describe('The measurements of a job', () => {
  it('count what goes in and out of each task and operator exactly', async () => {
    const world = new World()
    const env = world.env()
    const sink = new Ledger<number>()
    env
      .fromSequence(1, 100)
      .map((value) => value * 2)
      .filter((value) => value % 4 === 0)
      .keyBy((value) => value % 7)
      .reduce((_, value) => value)
      .setParallelism(2)
      .sinkTo(sink)
      .setParallelism(2)
    await world.until(env.execute('x'))
    const [source, reduce] = [...measured(world).keys()] as [string, string]
    expect(measured(world).size).toBe(2)
    expect(of(world, source)).toMatchObject({ numRecordsIn: 0, numRecordsOut: 50, numBytesIn: 0, isOver: true })
    expect(counts(of(world, source)).map((text) => text.replace(/^.* /, ''))).toEqual(['0/100', '100/100', '100/50'])
    expect(sum(world, reduce, ({ numRecordsIn }) => numRecordsIn)).toBe(50)
    expect(sum(world, reduce, ({ numRecordsOut }) => numRecordsOut)).toBe(0)
    expect(sum(world, reduce, ({ operators }) => operators[0]?.numRecordsOut ?? 0)).toBe(50)
    expect(sum(world, reduce, ({ operators }) => operators[1]?.numRecordsIn ?? 0)).toBe(50)
    expect(sum(world, source, ({ numBytesOut }) => numBytesOut)).toBeGreaterThan(50)
    expect(sum(world, reduce, ({ numBytesIn }) => numBytesIn)).toBeCloseTo(of(world, source).numBytesOut, -1)
  })

  it('count a record once that is broadcast, or goes to two readers, and side outputs for themselves', async () => {
    const world = new World()
    const env = world.env().setParallelism(2)
    const odd = new OutputTag<string>('odd')
    const split = env
      .fromSequence(1, 100)
      .setParallelism(1)
      .rebalance()
      .process<number>(() => ({
        processElement(value, context, out) {
          if (value % 2 === 1) context.output(odd, `${value}`)
          else out.collect(value)
        },
      }))
      .name('split')
    split.rebalance().sinkTo(new Ledger()).name('one')
    split.rebalance().sinkTo(new Ledger()).name('two')
    split
      .getSideOutput(odd)
      .rebalance()
      .map((text) => text)
      .name('sides')
      .sinkTo(new Ledger())
      .name('odd')
    const rules = env
      .fromSequence(1, 10)
      .setParallelism(1)
      .name('rules')
      .broadcast(new MapStateDescriptor<string, number>('rules'))
    env
      .fromSequence(1, 20)
      .connect(rules)
      .process<number>(() => ({ processElement: (value, _, out) => out.collect(value), processBroadcastElement() {} }))
      .name('ruled')
      .sinkTo(new Ledger())
      .name('seen')
    await world.until(env.execute('x'))
    const names = [...measured(world).keys()]
    const named = (start: string) => names.find((name) => name.includes(start)) as string
    expect(sum(world, named('split'), ({ numRecordsIn }) => numRecordsIn)).toBe(100)
    // 50 of the main output, though two read them, and 50 to the side.
    expect(sum(world, named('split'), ({ numRecordsOut }) => numRecordsOut)).toBe(100)
    expect(sum(world, named('one'), ({ numRecordsIn }) => numRecordsIn)).toBe(50)
    expect(sum(world, named('sides'), ({ numRecordsIn }) => numRecordsIn)).toBe(50)
    expect(sum(world, named('rules'), ({ numRecordsOut }) => numRecordsOut)).toBe(10)
    expect(sum(world, named('ruled'), ({ numRecordsIn }) => numRecordsIn)).toBe(20 + 2 * 10)
  })

  it('count both streams of a union, and leave open what only a count on the way could tell', async () => {
    const world = new World()
    const env = world.env()
    env
      .fromSequence(1, 30)
      .union(env.fromSequence(1, 12))
      .flatMap((value) => [value, value])
      .name('twice')
      .filter((value) => value > 6)
      .name('large')
      .flatMap((value) => [value])
      .name('again')
      .sinkTo(new Ledger())
      .name('end')
    await world.until(env.execute('x'))
    const name = [...measured(world).keys()].find((one) => one.startsWith('twice')) as string
    expect(counts(of(world, name))).toEqual(['twice 42/null', 'large null/null', 'again null/60', 'Sink: end 60/0'])
  })

  it('tell who works, who waits for credit and who idles, and the three make up the time since RUNNING', async () => {
    const world = new World()
    const env = world.env().configure({ 'execution.channel-credit': 8 })
    const sink = new Ledger<number>({ write: () => world.sleep(10) })
    env.fromSequence(1, 1_000_000).name('fast').rebalance().sinkTo(sink).name('slow')
    env.fromSource(ticks(world, 50, 100), WatermarkStrategy.noWatermarks(), 'seldom').sinkTo(new Ledger())
    const client = await world.until(env.executeAsync('x'))
    await world.advance(1_000)
    const [fast, slow, seldom] = [...measured(world).values()].flat() as [
      TaskMeasurements,
      TaskMeasurements,
      TaskMeasurements,
    ]
    expect(measured(world).size).toBe(3)
    const by = (name: string) => [...measured(world)].find(([one]) => one.includes(name))?.[1][0] as TaskMeasurements
    for (const task of [fast, slow, seldom]) {
      expect(total(task)).toBeCloseTo(1_000, -2)
      expect(total(task)).toBe(total(fast))
    }
    // The credit comes back when half of it is free.
    expect(by('fast').backPressuredMs).toBeGreaterThan(950)
    expect(by('fast')).toMatchObject({ isBackPressured: true, outputQueueCapacity: 8, inputQueueCapacity: 0 })
    expect(by('slow').busyMs).toBeGreaterThan(950)
    expect(by('slow').inputQueueLength).toBeGreaterThan(3)
    expect(by('seldom').idleMs).toBeGreaterThan(950)
    await world.until(client.cancel())
    const over = by('slow')
    expect(over).toMatchObject({ isOver: true, initializationMs: 0 })
    expect(by('fast')).toMatchObject({ isOver: true, isBackPressured: false })
    await world.advance(500)
    expect(by('slow')).toEqual(over)
  })

  it('never go back while the job runs', async () => {
    const world = new World()
    const env = world.env().configure({ 'execution.channel-credit': 8 })
    env
      .fromSource(ticks(world, 400, 2), punctuated<number>(), 'ticks')
      .map((value) => 'x'.repeat(value % 40))
      .rebalance()
      .sinkTo(new Ledger<string>({ write: () => world.sleep(3) }))
    const client = await world.until(env.executeAsync('x'))
    const growing = (task: TaskMeasurements) => [
      ...[task.numRecordsIn, task.numRecordsOut, task.numBytesIn, task.numBytesOut],
      ...[task.busyMs, task.backPressuredMs, task.idleMs, task.currentInputWatermark],
      ...task.operators.flatMap(({ numRecordsIn, numRecordsOut }) => [numRecordsIn ?? 0, numRecordsOut ?? 0]),
    ]
    let before: number[][] = []
    for (let look = 0; look < 60; look++) {
      await world.advance(7)
      const now = world.handles[0]?.measurements().map(growing) ?? []
      now.forEach((values, task) => {
        values.forEach((value, place) => {
          expect(value).toBeGreaterThanOrEqual(before[task]?.[place] ?? Number.NEGATIVE_INFINITY)
        })
      })
      before = now
    }
    await world.until(client.cancel())
  })

  it('keep the figures of earlier attempts, and count each attempt for itself', async () => {
    const world = new World()
    const env = world.env().setRestartStrategy(RestartStrategies.fixedDelayRestart(20, 5))
    let failures = 0
    env
      .fromSource(ticks(world, 20, 1), WatermarkStrategy.noWatermarks(), 'ticks')
      .map((value) => {
        if (value === 10 && failures < 18 && ++failures > 0) throw new Error('down')
        return value
      })
      .sinkTo(new Ledger())
    await world.until(env.execute('x'))
    const all = world.handles[0]?.measurements() ?? []
    expect(all.map(({ executionAttempt }) => executionAttempt)).toEqual(range(3, 19))
    expect(all.map(({ operators }) => operators.at(-1)?.numRecordsIn)).toEqual([...Array(16).fill(10), 20])
    expect(all.every(({ isOver }) => isOver)).toBe(true)
    expect(world.handles[0]?.metrics().recordsOut).toBe(18 * 10 + 20)
  })

  it('show what an operator counts by name', async () => {
    const world = new World()
    new Disk(world).append('/in/a.json', '{"n":1}\n{"n"\n{"n":3}\n')
    const env = world.env()
    const lines = FileSource.forJsonLines('/in/a.json', { onInvalid: 'skip' })
    env.fromSource(lines, WatermarkStrategy.noWatermarks(), 'json').sinkTo(new Ledger())
    await world.until(env.execute('x'))
    const operators = world.handles[0]?.measurements().flatMap((task) => task.operators)
    expect(operators?.map(({ counts }) => counts)).toEqual([{ skippedRecords: 1 }, {}])
  })

  it('count records that were in flight to a task at its checkpoint as read', async () => {
    const world = new World()
    const env = world
      .env()
      .enableCheckpointing(40)
      .setRestartStrategy(RestartStrategies.fixedDelayRestart(2, 5))
      .configure({ 'execution.checkpointing.unaligned.enabled': true, 'execution.channel-credit': 8 })
    let down = false
    const sink = new Ledger<number>({
      write: (value) => {
        if (value === 60 && !down) {
          down = true
          throw new Error('down')
        }
        if (!down) return world.sleep(3)
        world.clock.skip(2)
      },
    })
    env
      .fromSource(ticks(world, 100, 1), WatermarkStrategy.noWatermarks(), 'ticks')
      .rebalance()
      .sinkTo(sink)
      .name('slow')
    await world.until(env.execute('x'))
    const slow = [...measured(world)].find(([name]) => name.includes('slow'))?.[1][0] as TaskMeasurements
    const source = [...measured(world)].find(([name]) => name.includes('ticks'))?.[1][0] as TaskMeasurements
    expect(slow.executionAttempt).toBe(2)
    expect(slow.numRecordsIn).toBeGreaterThan(source.numRecordsOut)
    expect(slow.operators[0]?.numRecordsIn).toBe(slow.numRecordsIn)
    for (const task of [slow, source]) {
      // What it did before it was RUNNING does not count.
      const { statusAtMs } = world.handles[0]?.executionGraph().vertices[task.vertex]?.subtasks[0]?.current ?? {}
      expect(total(task)).toBe((statusAtMs?.FINISHED ?? 0) - (statusAtMs?.RUNNING ?? 0))
    }
    expect(slow.checkpointAlignmentMs).toBeGreaterThanOrEqual(0)
    expect(slow.checkpointStartDelayMs).toBeGreaterThanOrEqual(0)
  })

  it('tell the watermarks of each operator, and the timers that fired', async () => {
    const world = new World()
    const env = world.env()
    const records = range(1, 10).map((value) => ({ afterMs: value, value, timestamp: value * 10 }))
    env
      .fromSource(timedSource(world, { a: records }, 1_000), punctuated<number>(), 'timed')
      .map((value) => value)
      .keyBy((value) => value % 2)
      .process<number>(() => ({
        processElement: (value, context) => context.timerService().registerEventTimeTimer(value * 10),
        onTimer: (timestamp, _, out) => out.collect(timestamp),
      }))
      .name('timers')
      .sinkTo(new Ledger())
      .name('end')
    const client = await world.until(env.executeAsync('x'))
    await world.advance(100)
    const watermarks = (task: TaskMeasurements) =>
      task.operators.map((one) => [...one.currentInputWatermarks, one.currentOutputWatermark])
    const [source, timers] = [...measured(world).values()].flat() as [TaskMeasurements, TaskMeasurements]
    expect(watermarks(source)).toEqual([[100], [100, 100]])
    expect(source.currentInputWatermark).toBe(100)
    expect(watermarks(timers)).toEqual([
      [100, 100],
      [100, 100],
    ])
    expect(timers).toMatchObject({ currentInputWatermark: 100, numFiredTimers: 10 })
    await world.until(client.getJobExecutionResult())
    const [ended, fired] = [...measured(world).values()].flat() as [TaskMeasurements, TaskMeasurements]
    expect(ended.currentInputWatermark).toBe(Number.POSITIVE_INFINITY)
    expect(fired).toMatchObject({ currentInputWatermark: Number.POSITIVE_INFINITY, numFiredTimers: 10 })
  })

  it('tell the watermarks on both sides of an operator that makes them anew, and those that a sink has got', async () => {
    const world = new World()
    const records = range(1, 10).map((value) => ({ afterMs: value, value, timestamp: value * 10 }))
    const env = world.env()
    env
      .fromSource(timedSource(world, { a: records }, 1_000), punctuated<number>(), 'timed')
      .assignTimestampsAndWatermarks(punctuated<number>().withTimestampAssigner((value) => value))
      .map((value) => value)
      .sinkTo(new Ledger())
    const client = await world.until(env.executeAsync('x'))
    await world.advance(100)
    const [task] = world.handles[0]?.measurements() ?? []
    expect(task?.operators.map((one) => [...one.currentInputWatermarks, one.currentOutputWatermark])).toEqual([
      [100],
      [100, 10],
      [10, 10],
      [10, 10],
    ])
    await world.until(client.getJobExecutionResult())
  })

  it('tell how the cache of a state on disk is used', async () => {
    const world = new World()
    Object.assign(world.ports, { stores: simulatedStores({ files: world.files, turns: world }) })
    const env = world.env().configure({
      'state.backend.type': 'leveldb',
      'state.backend.leveldb.cache-size': '4 kb',
      'state.backend.leveldb.localdir': '/scratch',
    })
    env
      .fromSource(ticks(world, 300, 1), WatermarkStrategy.noWatermarks(), 'ticks')
      .keyBy((value) => (value % 2 === 0 ? 0 : value % 50))
      .process<number>((context) => {
        const count = context.getState(new ValueStateDescriptor('count', { default: () => 0 }))
        return { processElement: () => count.update(count.value() + 1) }
      })
      .name('counts')
    const client = await world.until(env.executeAsync('x'))
    await world.advance(290)
    const task = [...measured(world)].find(([name]) => name.includes('counts'))?.[1][0] as TaskMeasurements
    const cache = task.operators[0]?.stateCache
    expect(cache?.hits).toBeGreaterThan(100)
    expect(cache?.misses).toBeGreaterThan(25)
    expect(cache?.bytes).toBeGreaterThan(0)
    await world.until(client.getJobExecutionResult())
  })
})
