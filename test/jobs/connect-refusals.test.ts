/** What connected and broadcast streams refuse, when they are declared and when they run: by names that lead to the mistake. */
import { expect, test } from 'vitest'
import {
  CollectSink,
  DiscardingSink,
  MapStateDescriptor,
  type StreamError,
  ValueStateDescriptor,
} from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'

/** What plain JavaScript may give. */
const untyped = (value: unknown) => value as never
const RULES = new MapStateDescriptor<string, number>('rules')

const code = (expected: string, message = '') =>
  expect.objectContaining({ code: expected, message: expect.stringContaining(message) })

function streams(world: World) {
  const env = world.env()
  return { env, numbers: env.fromSequence(1, 3), words: env.fromData(['a', 'b']) }
}

/** The code of what failed the job, below JOB_FAILED. */
async function causeOf(world: World, env: ReturnType<World['env']>): Promise<unknown> {
  const failure = await world.failure(env.execute('x'))
  expect(failure.code).toBe('JOB_FAILED')
  return failure.cause
}

describeJobs('Connected streams refuse', (newWorld) => {
  test('at once, what is no stream, no function and no descriptor', () => {
    const { numbers, words } = streams(newWorld())
    const refused = code('INVALID_ARGUMENT')
    const both = numbers.connect(words)
    const keyed = numbers.keyBy((value) => value)
    for (const wrong of [undefined, null, 'words', [1], {}]) {
      expect(() => numbers.connect(untyped(wrong))).toThrow(code('INVALID_ARGUMENT', 'connect'))
      expect(() => keyed.connect(untyped(wrong))).toThrow(code('INVALID_ARGUMENT', 'connect'))
      expect(() => both.map((value) => value, untyped(wrong))).toThrow(code('INVALID_ARGUMENT', 'map'))
      expect(() => both.flatMap(untyped(wrong), untyped(wrong))).toThrow(code('INVALID_ARGUMENT', 'flatMap'))
      expect(() => both.keyBy(untyped(wrong), (word) => word)).toThrow(code('INVALID_ARGUMENT', 'keyBy'))
      expect(() => both.process(untyped(wrong))).toThrow(code('INVALID_ARGUMENT', 'process'))
      expect(() => numbers.connect(words.broadcast(RULES)).process(untyped(wrong))).toThrow(refused)
      expect(() => keyed.connect(words.broadcast(RULES)).process(untyped(wrong))).toThrow(refused)
      expect(() => words.broadcast(untyped(wrong))).toThrow(code('INVALID_ARGUMENT', 'broadcast'))
    }
    expect(() => words.broadcast(untyped(new ValueStateDescriptor('v')))).toThrow(code('INVALID_ARGUMENT', 'broadcast'))
    expect(() => words.broadcast(RULES, new MapStateDescriptor('rules'))).toThrow(code('INVALID_ARGUMENT', '"rules"'))
    const expiring = new MapStateDescriptor<string, number>('ttl', { ttl: { ttl: '1 s' } })
    expect(() => words.broadcast(expiring)).toThrow(code('INVALID_ARGUMENT', '"ttl"'))
  })

  test('a stream of another environment', async () => {
    const world = newWorld()
    const { env, numbers } = streams(world)
    numbers.connect(streams(world).words).map(String, String).sinkTo(new DiscardingSink())
    expect(await world.failure(env.execute('x'))).toEqual(code('FOREIGN_STREAM'))
  })

  test('a promise, a string and a result that would be lost, naming the function', async () => {
    const world = newWorld()
    for (const declare of [
      ({ numbers, words }: ReturnType<typeof streams>) =>
        numbers.connect(words).map(
          String,
          untyped(async (word: string) => word),
        ),
      ({ numbers, words }) => numbers.connect(words).flatMap((value) => [value], untyped(String)),
      ({ numbers, words }) =>
        numbers.connect(words).process(() => ({ processElement1() {}, processElement2: untyped(async () => {}) })),
      ({ numbers, words }) =>
        numbers.connect(words.broadcast(RULES)).process(() => ({
          processElement() {},
          processBroadcastElement: untyped(() => 1),
        })),
    ] satisfies ((all: ReturnType<typeof streams>) => unknown)[]) {
      const all = streams(world)
      declare(all)
      expect(await causeOf(world, all.env)).toEqual(code('FUNCTION_RESULT_INVALID'))
    }
  })

  test('nothing of what a function throws: the job fails with the very object, from either side', async () => {
    const thrown = new RangeError('mine')
    const fail = (): never => {
      throw thrown
    }
    for (const side of ['first', 'second', 'timer'] as const) {
      const world = newWorld()
      const { env, numbers, words } = streams(world)
      numbers
        .keyBy(() => 'k')
        .connect(words.broadcast(RULES))
        .process<never>(() => ({
          processElement: (_, at) => (side === 'first' ? fail() : at.timerService().registerEventTimeTimer(1)),
          processBroadcastElement: () => (side === 'second' ? fail() : undefined),
          onTimer: () => (side === 'timer' ? fail() : undefined),
        }))
        .sinkTo(new CollectSink<never>())
      const failure: StreamError = await world.failure(env.execute('x'))
      expect({ side, code: failure.code, same: failure.cause === thrown }).toEqual({
        side,
        code: 'JOB_FAILED',
        same: true,
      })
    }
  })
})
