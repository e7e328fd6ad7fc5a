/** Connected streams of any shape compute what a plain program computes, with failures in between. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type DataStream,
  MapStateDescriptor,
  OutputTag,
  RestartStrategies,
  type SingleOutputStreamOperator,
  type StreamExecutionEnvironment,
  ValueStateDescriptor,
} from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { byNumber, Ledger, range } from './parts.ts'

const KINDS = ['map', 'flatMap', 'process', 'keyed', 'broadcast', 'keyedBroadcast'] as const
const PARTITIONERS = ['none', 'rebalance', 'rescale', 'shuffle', 'global', 'broadcast'] as const

interface Program {
  readonly kind: (typeof KINDS)[number]
  readonly counts: readonly [number, number]
  readonly sourceParallelism: readonly [number, number]
  readonly partitioners: readonly [(typeof PARTITIONERS)[number], (typeof PARTITIONERS)[number]]
  readonly parallelism: number
  /** What the second input is. */
  readonly second: 'other' | 'same' | 'union'
  readonly chained: boolean
  readonly credit: number
  /** Values at which a function throws, once each; those of the second input stand above SECOND. */
  readonly bombs: readonly number[]
}

const SECOND = 1_000_000
const small = fc.integer({ min: 1, max: 3 })
const partitioner = fc.constantFrom(...PARTITIONERS)
const count = fc.oneof(
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 80 }) },
)
const programs: fc.Arbitrary<Program> = fc.record({
  kind: fc.constantFrom(...KINDS),
  counts: fc.tuple(count, count),
  sourceParallelism: fc.tuple(small, small),
  partitioners: fc.tuple(partitioner, partitioner),
  parallelism: small,
  second: fc.constantFrom('other' as const, 'same' as const, 'union' as const),
  chained: fc.boolean(),
  credit: fc.constantFrom(2, 7, 1_024),
  bombs: fc.uniqueArray(
    fc.tuple(fc.integer({ min: 0, max: 79 }), fc.boolean()).map(([value, second]) => (second ? SECOND + value : value)),
    { maxLength: 4 },
  ),
})

interface Known {
  readonly stream: DataStream<number>
  readonly values: readonly number[]
}

const COUNT = new ValueStateDescriptor('count', { default: () => 0 })
const SEEN = new MapStateDescriptor<string, number>('seen')
const REST = new OutputTag<number>('rest')
const numbered = (key: number, nth: number) => (key + 2) * 10 * SECOND + nth

/** Per key the numbers 1 to n. */
function numbersOf(values: readonly number[]): readonly number[] {
  const perKey = new Map<number, number>()
  for (const value of values) perKey.set(value % 5, (perKey.get(value % 5) ?? 0) + 1)
  return [...perKey].flatMap(([key, most]) => range(1, most).map((nth) => numbered(key, nth)))
}

function inputs(env: StreamExecutionEnvironment, program: Program): readonly [Known, Known] {
  const [one, other] = program.counts.map((size, index): Known => {
    const stream = size === 0 ? env.fromData<number>([]) : env.fromSequence(0, size - 1)
    return {
      stream: size === 0 ? stream : stream.setParallelism(program.sourceParallelism[index] as number),
      values: range(0, size - 1),
    }
  }) as unknown as readonly [Known, Known]
  if (program.second === 'other') return [one, other]
  if (program.second === 'same') return [one, one]
  return [one, { stream: other.stream.union(one.stream), values: [...other.values, ...one.values] }]
}

function partitioned(
  { stream, values }: Known,
  how: (typeof PARTITIONERS)[number],
  parallelism: number,
  copied: boolean,
): Known {
  const copies = range(1, how === 'broadcast' && copied ? parallelism : 1).flatMap(() => values)
  return { stream: how === 'none' ? stream : stream[how](), values: copies }
}

/** The operator that a program connects its inputs with, and what must come out of it. */
function operator(
  program: Program,
  sources: readonly [Known, Known],
  bomb: (value: number) => number,
): { readonly operator: SingleOutputStreamOperator<number>; readonly outputs: readonly Known[] } {
  const { kind, parallelism } = program
  const keyed = kind === 'keyed' || kind === 'keyedBroadcast'
  const first = partitioned(sources[0], program.partitioners[0], parallelism, !keyed)
  const second = partitioned(sources[1], program.partitioners[1], parallelism, kind !== 'keyed')
  const ofSecond = (value: number) => SECOND + value
  const made = (stream: SingleOutputStreamOperator<number>, values: readonly number[]) => ({
    operator: stream,
    outputs: [{ stream, values }],
  })
  switch (kind) {
    case 'map':
      return made(
        first.stream.connect(second.stream).map(bomb, (value) => bomb(ofSecond(value))),
        [...first.values, ...second.values.map(ofSecond)],
      )
    case 'flatMap':
      return made(
        first.stream.connect(second.stream).flatMap(
          (value) => [bomb(value), value],
          function* (value) {
            for (let nth = 0; nth < 3; nth++) yield bomb(ofSecond(value))
          },
        ),
        [...first.values, ...first.values, ...range(1, 3).flatMap(() => second.values.map(ofSecond))],
      )
    case 'process': {
      const stream = first.stream.connect(second.stream).process<number>(() => ({
        processElement1: (value, _, out) => out.collect(bomb(value)),
        processElement2: (value, at) => at.output(REST, bomb(ofSecond(value))),
      }))
      return {
        operator: stream,
        outputs: [
          { stream, values: first.values },
          { stream: stream.getSideOutput(REST), values: second.values.map(ofSecond) },
        ],
      }
    }
    case 'keyed':
      return made(
        first.stream
          .connect(second.stream)
          .keyBy(
            (value) => value % 5,
            (value) => value % 5,
          )
          .process<number>((context) => {
            const seen = context.getState(COUNT)
            const next = (key: number) => {
              seen.update(seen.value() + 1)
              return numbered(key, seen.value())
            }
            return {
              processElement1(value, at, out) {
                bomb(value)
                out.collect(next(at.getCurrentKey()))
              },
              processElement2(value, at, out) {
                bomb(ofSecond(value))
                out.collect(next(at.getCurrentKey()))
              },
            }
          }),
        numbersOf([...first.values, ...second.values]),
      )
    default: {
      const ruled = sources[1].stream.broadcast(SEEN)
      /** Each subtask numbers what is broadcast. */
      const processBroadcastElement = (
        value: number,
        at: {
          getBroadcastState(of: typeof SEEN): {
            get(key: string): number | undefined
            put(key: string, nth: number): void
          }
        },
        out: { collect(value: number): void },
      ) => {
        const state = at.getBroadcastState(SEEN)
        state.put('count', (state.get('count') ?? 0) + 1)
        bomb(ofSecond(value))
        out.collect(numbered(7, state.get('count') ?? 0))
      }
      const broadcast = range(1, parallelism).flatMap(() =>
        range(1, sources[1].values.length).map((nth) => numbered(7, nth)),
      )
      if (kind === 'broadcast')
        return made(
          first.stream.connect(ruled).process<number>(() => ({
            processElement: (value, _, out) => out.collect(bomb(value)),
            processBroadcastElement,
          })),
          [...first.values, ...broadcast],
        )
      return made(
        sources[0].stream
          .keyBy((value) => value % 5)
          .connect(ruled)
          .process<number>((context) => {
            const seen = context.getState(COUNT)
            return {
              processElement(value, at, out) {
                bomb(value)
                seen.update(seen.value() + 1)
                out.collect(numbered(at.getCurrentKey(), seen.value()))
              },
              processBroadcastElement,
            }
          }),
        [...numbersOf(sources[0].values), ...broadcast],
      )
    }
  }
}

/** How many restarts went on from a checkpoint. */
async function check(world: World, program: Program): Promise<number> {
  const env = world.env().enableCheckpointing(10).configure({ 'execution.channel-credit': program.credit })
  env.setRestartStrategy(RestartStrategies.fixedDelayRestart(10, 10))
  const left = new Set(program.bombs)
  const { operator: connected, outputs } = operator(program, inputs(env, program), (value) => {
    if (left.delete(value)) throw new Error(`bomb at ${value}`)
    return value
  })
  connected.setParallelism(program.parallelism)
  if (!program.chained) connected.disableChaining()
  const sinks = outputs.map(({ stream }) => {
    const sink = new Ledger<number>()
    stream.sinkTo(sink).setParallelism(1 + (program.credit % 2))
    return sink
  })
  await world.until(env.execute('x'))
  for (const [index, { values }] of outputs.entries())
    expect(sinks[index]?.committed.toSorted(byNumber)).toEqual(values.toSorted(byNumber))
  return world
    .ofType('restart.scheduled')
    .filter(({ atMs }) => world.ofType('checkpoint.completed').some((completed) => completed.atMs < atMs)).length
}

describeJobs('Connected streams of any shape', (newWorld) => {
  test('compute what a plain program does', async () => {
    let restored = 0
    await fc.assert(
      fc.asyncProperty(programs, fc.nat(1_000), async (program, seed) => {
        restored += await check(newWorld({ seed, stepsPerTurn: 1 + (seed % 3), roundMs: 2 + (seed % 5) }), program)
      }),
      { numRuns: 40 },
    )
    expect(restored).toBeGreaterThan(0)
  })
})
