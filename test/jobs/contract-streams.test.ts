/** What the contract says of streams, of whole jobs: where records go, how many key groups there are, what fromData takes. */
import { expect, test } from 'vitest'
import {
  CollectSink,
  DataGeneratorSource,
  type DataStream,
  RestartStrategies,
  type StreamExecutionEnvironment,
  WatermarkStrategy,
} from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { byNumber, Ledger, range } from './parts.ts'

/** Which subtask of three sees which values. */
async function seenBy(world: World, partition: (values: DataStream<number>) => DataStream<number>) {
  const env = world.env()
  const sink = new CollectSink<string>()
  partition(env.fromData(range(0, 5)))
    .process<string>(({ indexOfThisSubtask }) => ({
      processElement: (value, _, out) => out.collect(`${indexOfThisSubtask}:${value}`),
    }))
    .setParallelism(3)
    .sinkTo(sink)
    .setParallelism(1)
  await world.until(env.execute('x'))
  return sink.results().toSorted()
}

describeJobs('partitionCustom', (newWorld) => {
  test('with a partitioner of records sends each to the subtask that it says', async () => {
    const seen = await seenBy(newWorld(), (values) => values.partitionCustom((value, subtasks) => value % subtasks))
    expect(seen).toEqual(['0:0', '0:3', '1:1', '1:4', '2:2', '2:5'])
  })

  test('with a selector asks the partitioner about what that gives', async () => {
    const keys: string[] = []
    const seen = await seenBy(newWorld(), (values) =>
      values.partitionCustom(
        (key: string, subtasks) => {
          keys.push(key)
          return subtasks - key.length
        },
        (value) => (value < 3 ? 'a' : 'bcd'),
      ),
    )
    expect(seen).toEqual(['0:3', '0:4', '0:5', '2:0', '2:1', '2:2'])
    expect(new Set(keys)).toEqual(new Set(['a', 'bcd']))
  })
})

describeJobs('The number of key groups', (newWorld) => {
  const maxOf = async (env: StreamExecutionEnvironment, world: World, ofOperator: number | undefined) => {
    const sink = new CollectSink<number>()
    const counted = env
      .fromData([1])
      .keyBy((value) => value)
      .process<number>(({ maxNumberOfParallelSubtasks }) => ({
        processElement: (_, __, out) => out.collect(maxNumberOfParallelSubtasks),
      }))
    if (ofOperator !== undefined) counted.setMaxParallelism(ofOperator)
    counted.sinkTo(sink)
    await world.until(env.execute('x'))
    return sink.results()
  }

  test('is that of the operator, else that of the environment, else 128', async () => {
    const world = newWorld()
    expect(await maxOf(world.env().setMaxParallelism(64), world, 7)).toEqual([7])
    expect(await maxOf(world.env().setMaxParallelism(64), world, undefined)).toEqual([64])
    expect(await maxOf(world.env(), world, undefined)).toEqual([128])
  })

  test('is refused at once where it is none', () => {
    const stream = newWorld().env().fromData([1])
    for (const groups of [0, 32_769, 1.5, Number.NaN])
      expect(() => stream.setMaxParallelism(groups)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('setMaxParallelism') }),
      )
  })
})

describeJobs('A stream of a program’s own values', (newWorld) => {
  test('is iterated again after a failure, and each value counts once', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(10).setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 10))
    // It takes its time, so that there are checkpoints.
    const sink = new Ledger<number>({ write: (value) => (value % 20 === 0 ? world.sleep(2) : undefined) })
    const all = range(1, 2_000)
    let iterated = 0
    let fails = true
    let firstAfterFailure: number | undefined
    const values = {
      *[Symbol.iterator]() {
        iterated++
        yield* all
      },
    }
    env
      .fromData(values)
      .map((value) => {
        if (fails && world.ofType('checkpoint.completed').length > 2) {
          fails = false
          throw new Error('down')
        }
        if (!fails) firstAfterFailure ??= value
        return value
      })
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(firstAfterFailure).toBeGreaterThan(1)
    expect([iterated, sink.committed]).toEqual([2, all])
  })

  test('is refused as a string, from plain JavaScript too, before anything runs', () => {
    const env = newWorld().env()
    const anything = (values: unknown) => Reflect.apply(env.fromData, env, [values])
    expect(() => anything('words')).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('string') }),
    )
    for (const value of [5, null, undefined, {}]) expect(() => anything(value)).toThrow(/no iterable/)
  })

  test('of a sequence and of a generator has both ends, over several subtasks', async () => {
    const world = newWorld()
    const env = world.env().setParallelism(3)
    const sink = new CollectSink<number>()
    const squares = new DataGeneratorSource((index) => -index * index, { count: 4 })
    env
      .fromSequence(3, 7)
      .union(env.fromSource(squares, WatermarkStrategy.noWatermarks(), 'squares'))
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(
      sink
        .results()
        .map((value) => value + 0)
        .toSorted(byNumber),
    ).toEqual([-9, -4, -1, 0, 3, 4, 5, 6, 7])
  })
})
