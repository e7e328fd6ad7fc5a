/** What jobs of any shape compute equals what a plain program computes, with failures in between or without. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  CollectSink,
  type DataStream,
  OutputTag,
  RestartStrategies,
  type StreamExecutionEnvironment,
  ValueStateDescriptor,
} from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { byNumber, Ledger, range } from './parts.ts'

const PARTITIONERS = ['none', 'forward', 'rebalance', 'rescale', 'shuffle', 'global', 'broadcast', 'custom'] as const
const KINDS = ['map', 'filter', 'flatMap', 'generator', 'process', 'count', 'reduce', 'side'] as const

interface Node {
  readonly kind: (typeof KINDS)[number]
  /** Which earlier streams, and how they are partitioned. */
  readonly inputs: readonly { readonly from: number; readonly partitioner: (typeof PARTITIONERS)[number] }[]
  readonly parallelism: number
  readonly chained: boolean
}

interface Program {
  readonly sources: readonly { readonly count: number; readonly parallelism: number }[]
  readonly nodes: readonly Node[]
  readonly checkpointed: boolean
  /** The value at which the first node throws, once each. */
  readonly bombs: readonly number[]
  readonly credit: number
  readonly seed: number
}

const parallelism = fc.integer({ min: 1, max: 5 })
const programs: fc.Arbitrary<Program> = fc.record({
  sources: fc.array(fc.record({ count: fc.integer({ min: 0, max: 60 }), parallelism }), { minLength: 1, maxLength: 3 }),
  nodes: fc.array(
    fc.record({
      kind: fc.constantFrom(...KINDS),
      inputs: fc.array(fc.record({ from: fc.nat(20), partitioner: fc.constantFrom(...PARTITIONERS) }), {
        minLength: 1,
        maxLength: 3,
      }),
      parallelism,
      chained: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  checkpointed: fc.boolean(),
  bombs: fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { maxLength: 3 }),
  credit: fc.constantFrom(2, 7, 1_024),
  seed: fc.nat(1_000_000),
})

/** A stream with what a plain program knows of it. */
interface Known {
  readonly stream: DataStream<number>
  readonly values: readonly number[]
  readonly parallelism: number
  used: boolean
}

const EVEN = new OutputTag<number>('even')
const numbered = (key: number, count: number) => key * 1_000_000 + count

/** Per key the numbers 1 to n, in whatever order the records came. */
function counts(values: readonly number[]): readonly number[] {
  const perKey = new Map<number, number>()
  for (const value of values) perKey.set(value % 7, (perKey.get(value % 7) ?? 0) + 1)
  return [...perKey].flatMap(([key, count]) => range(1, count).map((each) => numbered(key, each)))
}

function partitioned(input: Known, how: (typeof PARTITIONERS)[number], receivers: number): DataStream<number> {
  const { stream } = input
  switch (how) {
    case 'none':
      return stream
    case 'forward':
      return input.parallelism === receivers ? stream.forward() : stream.rebalance()
    case 'custom':
      return stream.partitionCustom((value, partitions) => value % partitions)
    default:
      return stream[how]()
  }
}

function declare(env: StreamExecutionEnvironment, program: Program, bomb: (value: number) => void): readonly Known[] {
  const known: Known[] = program.sources.map(({ count, parallelism: subtasks }) => ({
    stream: count === 0 ? env.fromData<number>([]) : env.fromSequence(0, count - 1).setParallelism(subtasks),
    values: range(0, count - 1),
    parallelism: count === 0 ? 1 : subtasks,
    used: false,
  }))
  for (const [index, node] of program.nodes.entries()) {
    const inputs = node.inputs.map(({ from, partitioner }) => ({
      input: known[from % known.length] as Known,
      partitioner,
    }))
    const isKeyed = node.kind === 'count' || node.kind === 'reduce'
    const [first, ...others] = inputs.map(({ input, partitioner }) => {
      input.used = true
      return isKeyed ? input.stream : partitioned(input, partitioner, node.parallelism)
    })
    const stream = (first as DataStream<number>).union(...others)
    const values = inputs.flatMap(({ input, partitioner }) =>
      partitioner === 'broadcast' && !isKeyed ? range(1, node.parallelism).flatMap(() => input.values) : input.values,
    )
    const watched = (value: number) => {
      if (index === 0) bomb(value)
      return value
    }
    for (const made of apply(node, stream, values, watched))
      known.push({ ...made, parallelism: node.parallelism, used: false })
  }
  return known
}

/** Adds one node to a stream of these values: the streams that it gives, with theirs. */
function apply(
  node: Node,
  stream: DataStream<number>,
  values: readonly number[],
  watched: (value: number) => number,
): readonly Pick<Known, 'stream' | 'values'>[] {
  const one = (made: DataStream<number>, result: readonly number[]) => [{ stream: made, values: result }]
  const settle = <S extends { setParallelism(n: number): S; disableChaining(): S }>(operator: S): S =>
    node.chained
      ? operator.setParallelism(node.parallelism)
      : operator.setParallelism(node.parallelism).disableChaining()
  switch (node.kind) {
    case 'map':
      return one(
        settle(stream.map((value) => watched(value) * 2 + 1)),
        values.map((value) => value * 2 + 1),
      )
    case 'filter':
      return one(
        settle(stream.filter((value) => watched(value) % 3 !== 0)),
        values.filter((value) => value % 3 !== 0),
      )
    case 'flatMap':
      return one(
        settle(stream.flatMap((value) => range(1, watched(value) % 4).map((each) => value + each))),
        values.flatMap((value) => range(1, value % 4).map((each) => value + each)),
      )
    case 'generator':
      return one(
        settle(
          stream.flatMap(function* (value) {
            yield watched(value)
            yield value + 100
          }),
        ),
        values.flatMap((value) => [value, value + 100]),
      )
    case 'process':
      return one(
        settle(stream.process<number>(() => ({ processElement: (value, _, out) => out.collect(watched(value) + 7) }))),
        values.map((value) => value + 7),
      )
    case 'side': {
      const split = settle(
        stream.process<number>(() => ({
          processElement(value, context, out) {
            if (watched(value) % 2 === 0) context.output(EVEN, value)
            else out.collect(value)
          },
        })),
      )
      return [
        { stream: split.getSideOutput(EVEN), values: values.filter((value) => value % 2 === 0) },
        { stream: split, values: values.filter((value) => value % 2 !== 0) },
      ]
    }
    case 'count':
      return one(
        settle(
          stream
            .keyBy((value) => value % 7)
            .process<number>((context) => {
              const count = context.getState(new ValueStateDescriptor('count', { default: () => 0 }))
              return {
                processElement(value, at, out) {
                  watched(value)
                  count.update(count.value() + 1)
                  out.collect(numbered(at.getCurrentKey(), count.value()))
                },
              }
            }),
        ),
        counts(values),
      )
    case 'reduce':
      return one(
        settle(
          stream
            .map((value) => ({ key: watched(value) % 7, count: 1 }))
            .keyBy(({ key }) => key)
            .reduce((one, other) => ({ key: one.key, count: one.count + other.count }))
            .setParallelism(node.parallelism)
            .map(({ key, count }) => numbered(key, count)),
        ),
        counts(values),
      )
    default:
      return node.kind satisfies never
  }
}

async function check(world: World, program: Program): Promise<void> {
  const env = world.env().configure({ 'execution.channel-credit': program.credit })
  const left = new Set(program.checkpointed ? program.bombs : [])
  if (program.checkpointed) env.enableCheckpointing(20)
  if (program.checkpointed) env.setRestartStrategy(RestartStrategies.fixedDelayRestart(10, 10))
  const known = declare(env, program, (value) => {
    if (left.delete(value)) throw new Error(`bomb at ${value}`)
  })
  const ends = known.filter(({ used }) => !used)
  const sinks = ends.map(() => [new Ledger<number>(), new CollectSink<number>()] as const)
  for (const [index, { stream }] of ends.entries()) {
    const [ledger, collect] = sinks[index] as (typeof sinks)[number]
    stream.sinkTo(ledger).setParallelism(1 + (index % 3))
    stream.sinkTo(collect)
  }
  await world.until(env.execute('x'))
  for (const [index, { values }] of ends.entries()) {
    const [ledger, collect] = sinks[index] as (typeof sinks)[number]
    const expected = values.toSorted(byNumber)
    expect(ledger.committed.toSorted(byNumber)).toEqual(expected)
    expect([...collect.results()].toSorted(byNumber)).toEqual(expected)
  }
  await world.settle()
  expect(world.timersLeft()).toBe(0)
}

describeJobs('Jobs of any shape', (newWorld, link) => {
  // Fifty programs, half of them over each link.
  const seed = link === 'direct' ? 1 : 2

  it('give what a plain program gives', async () => {
    await fc.assert(
      fc.asyncProperty(programs, (program) =>
        check(newWorld({ seed: program.seed, stepsPerTurn: 1, roundMs: 1 }), program),
      ),
      { numRuns: 25, seed },
    )
  })
})

describeJobs('An exchange', (newWorld) => {
  const places = (
    env: StreamExecutionEnvironment,
    seen: Map<string, number[]>,
    stream: DataStream<number>,
    name: string,
  ) =>
    stream
      .process<number>(({ indexOfThisSubtask }) => ({
        processElement(value, _, out) {
          const key = `${name}${indexOfThisSubtask}`
          seen.set(key, [...(seen.get(key) ?? []), value])
          out.collect(value)
        },
      }))
      .setParallelism(env.getParallelism())

  it.each([
    [
      'rebalance',
      [
        [0, 3],
        [1, 4],
        [2, 5],
      ],
    ],
    ['global', [[0, 1, 2, 3, 4, 5]]],
    ['broadcast', [range(0, 5), range(0, 5), range(0, 5)]],
    [
      'rescale',
      [
        [0, 3],
        [1, 4],
        [2, 5],
      ],
    ],
  ] as const)('of type %s delivers to whom it should', async (type, expected) => {
    const world = newWorld()
    const env = world.env().setParallelism(3)
    const seen = new Map<string, number[]>()
    places(env, seen, env.fromData(range(0, 5))[type](), '').sinkTo(new CollectSink())
    await world.until(env.execute('x'))
    expect(range(0, 2).flatMap((place) => (seen.has(`${place}`) ? [seen.get(`${place}`)] : []))).toEqual(expected)
  })

  it('forward goes to the subtask of the same number, and equal keys go to one place', async () => {
    const world = newWorld()
    const env = world.env().setParallelism(3)
    const seen = new Map<string, number[]>()
    const first = places(env, seen, env.fromSequence(0, 29), 'a')
    places(env, seen, first.forward(), 'b').disableChaining().sinkTo(new CollectSink())
    const keyed = new Map<number, Set<number>>()
    first
      .keyBy((value) => value % 5)
      .process<number>(({ indexOfThisSubtask }) => ({
        processElement(_, context) {
          const key = context.getCurrentKey()
          keyed.set(key, (keyed.get(key) ?? new Set()).add(indexOfThisSubtask))
        },
      }))
      .sinkTo(new CollectSink())
    await world.until(env.execute('x'))
    for (const place of range(0, 2)) expect(seen.get(`b${place}`)).toEqual(seen.get(`a${place}`))
    expect([...keyed.values()].map(({ size }) => size)).toEqual([1, 1, 1, 1, 1])
  })

  it('does not stand between what is chained: one task, plain calls', async () => {
    const world = newWorld()
    const env = world.env()
    const log: string[] = []
    const noted = (name: string) => (value: number) => {
      log.push(`${name}${value}`)
      return value
    }
    env.fromData([1, 2]).map(noted('a')).map(noted('b')).sinkTo(new CollectSink())
    await world.until(env.execute('x'))
    expect(log).toEqual(['a1', 'b1', 'a2', 'b2'])
    expect(new Set(world.ofType('task.status').map(({ vertex }) => vertex)).size).toBe(1)
    const apart = newWorld()
    const other = apart.env().configure({ 'pipeline.operator-chaining.enabled': false })
    other.fromData([1]).map(noted('a')).map(noted('b')).sinkTo(new CollectSink())
    await apart.until(other.execute('x'))
    expect(new Set(apart.ofType('task.status').map(({ vertex }) => vertex)).size).toBe(4)
  })

  it('keeps the order of each sender', async () => {
    const world = newWorld()
    const env = world.env().setParallelism(4)
    const sink = new CollectSink<{ readonly from: number; readonly value: number }>()
    env
      .fromSequence(0, 399)
      .process<{ readonly from: number; readonly value: number }>(({ indexOfThisSubtask }) => ({
        processElement: (value, _, out) => out.collect({ from: indexOfThisSubtask, value }),
      }))
      .keyBy(({ from }) => from)
      .reduce((_, latest) => latest)
      .sinkTo(sink)
    await world.until(env.execute('x'))
    for (const subtask of range(0, 3)) {
      const its = sink.results().flatMap(({ from, value }) => (from === subtask ? [value] : []))
      expect(its).toHaveLength(100)
      expect(its).toEqual(its.toSorted(byNumber))
    }
  })
})
