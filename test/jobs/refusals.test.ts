/** What plain JavaScript can do wrong, and what it is told: code, operator, hint. No restart is spent on it. */
import { expect, it } from 'vitest'
import {
  DiscardingSink,
  OutputTag,
  RestartStrategies,
  type StreamError,
  type StreamExecutionEnvironment,
  ValueStateDescriptor,
} from '../../src/index.ts'
import { describeJobs } from './harness.ts'

type Mistake = (env: StreamExecutionEnvironment) => void

/** As JavaScript sees it. */
const loose = <T>(value: unknown) => value as T
const named = 'the one to blame'
const discard = () => new DiscardingSink()

const mistakes: Readonly<Record<string, { readonly code: string; readonly make: Mistake; readonly says?: string }>> = {
  'a promise from map': {
    code: 'FUNCTION_RESULT_INVALID',
    make: (env) =>
      env
        .fromData([1])
        .map(loose<() => number>(async () => 1))
        .name(named)
        .sinkTo(discard()),
  },
  'a promise from filter': {
    code: 'FUNCTION_RESULT_INVALID',
    make: (env) =>
      env
        .fromData([1])
        .filter(loose<() => boolean>(async () => true))
        .name(named)
        .sinkTo(discard()),
  },
  'a promise from flatMap': {
    code: 'FUNCTION_RESULT_INVALID',
    make: (env) =>
      env
        .fromData([1])
        .flatMap(loose<() => number[]>(async () => [1]))
        .name(named)
        .sinkTo(discard()),
  },
  'a string from flatMap': {
    code: 'FUNCTION_RESULT_INVALID',
    make: (env) =>
      env
        .fromData([1])
        .flatMap(loose<() => string[]>(() => 'text'))
        .name(named)
        .sinkTo(discard()),
    says: 'a string',
  },
  'nothing from flatMap': {
    code: 'FUNCTION_RESULT_INVALID',
    make: (env) =>
      env
        .fromData([1])
        .flatMap(loose<() => string[]>(() => undefined))
        .name(named)
        .sinkTo(discard()),
  },
  'an async generator from flatMap': {
    code: 'FUNCTION_RESULT_INVALID',
    make: (env) =>
      env
        .fromData([1])
        .flatMap(
          loose<() => number[]>(async function* () {
            yield 1
          }),
        )
        .name(named)
        .sinkTo(discard()),
  },
  'a promise from reduce': {
    code: 'FUNCTION_RESULT_INVALID',
    make: (env) =>
      env
        .fromData([1, 2])
        .keyBy(() => 1)
        .reduce(loose<() => number>(async () => 1))
        .name(named)
        .sinkTo(discard()),
  },
  'an async processElement': {
    code: 'FUNCTION_RESULT_INVALID',
    make: (env) =>
      env
        .fromData([1])
        .process<number>(() => ({ processElement: loose<() => undefined>(async () => {}) }))
        .name(named)
        .sinkTo(discard()),
  },
  'a generator processElement': {
    code: 'FUNCTION_RESULT_INVALID',
    make: (env) =>
      env
        .fromData([1])
        .process<number>(() => ({
          processElement: loose<() => undefined>(function* () {
            yield 1
          }),
        }))
        .name(named)
        .sinkTo(discard()),
    says: 'a generator',
  },
  'a processElement that returns its result': {
    code: 'FUNCTION_RESULT_INVALID',
    make: (env) =>
      env
        .fromData([1])
        .process<number>(() => ({ processElement: loose<() => undefined>(() => 5) }))
        .name(named)
        .sinkTo(discard()),
  },
  'a keyed processElement that returns null': {
    code: 'FUNCTION_RESULT_INVALID',
    make: (env) =>
      env
        .fromData([1])
        .keyBy((value) => value)
        .process<number>(() => ({ processElement: loose<() => undefined>(() => null) }))
        .name(named)
        .sinkTo(discard()),
  },
  'an async onTimer': {
    code: 'FUNCTION_RESULT_INVALID',
    make: (env) =>
      env
        .fromData([1])
        .keyBy((value) => value)
        .process<number>(() => ({
          processElement: (_, context) => context.timerService().registerEventTimeTimer(1),
          onTimer: loose<() => undefined>(async () => {}),
        }))
        .name(named)
        .sinkTo(discard()),
  },
  'an async snapshotState': {
    code: 'FUNCTION_RESULT_INVALID',
    make: (env) => {
      env.enableCheckpointing(10)
      env
        .fromData([1])
        .process<number>(() => ({ processElement() {}, snapshotState: loose<() => undefined>(async () => {}) }))
        .name(named)
        .sinkTo(discard())
    },
  },
  'undefined as a key': {
    code: 'INVALID_KEY',
    make: (env) =>
      env
        .fromData([{ a: 1 }])
        .keyBy(loose<(value: { a: number }) => number>((value: { b?: number }) => value.b))
        .reduce((a) => a)
        .name(named)
        .sinkTo(discard()),
  },
  'undefined as a key in front of several subtasks': {
    code: 'INVALID_KEY',
    make: (env) =>
      env
        .fromData([{ a: 1 }])
        .keyBy(loose<(value: { a: number }) => number>((value: { b?: number }) => value.b))
        .reduce((a) => a)
        .setParallelism(3)
        .name(named)
        .sinkTo(discard()),
  },
  'a Date as a key': {
    code: 'INVALID_KEY',
    make: (env) =>
      env
        .fromData([1])
        .keyBy(loose<() => number>(() => new Date(0)))
        .reduce((a) => a)
        .name(named)
        .sinkTo(discard()),
    says: 'getTime',
  },
  'keyed state without a key': {
    code: 'NO_KEYED_STATE',
    make: (env) =>
      env
        .fromData([1])
        .process<number>((context) => {
          context.getState(new ValueStateDescriptor('s'))
          return { processElement() {} }
        })
        .name(named)
        .sinkTo(discard()),
  },
  'a timer without a key': {
    code: 'NO_KEYED_STATE',
    make: (env) =>
      env
        .fromData([1])
        .process<number>(() => ({
          processElement: (_, context) => context.timerService().registerEventTimeTimer(1),
        }))
        .name(named)
        .sinkTo(discard()),
  },
  'a partition that does not exist': {
    code: 'PARTITION_INVALID',
    make: (env) =>
      env
        .fromData([1])
        .partitionCustom(() => 7)
        .map((value) => value)
        .setParallelism(2)
        .sinkTo(discard()),
  },
  'a state value that cannot be serialised': {
    code: 'NOT_SERIALIZABLE',
    make: (env) => {
      env.enableCheckpointing(10)
      env
        .fromData([1])
        .keyBy((value) => value)
        .process<number>((context) => {
          const state = context.getState(new ValueStateDescriptor<unknown>('s'))
          return { processElement: () => state.update(() => {}) }
        })
        .name(named)
        .sinkTo(discard())
    },
  },
}

/** Nobody's operator is at fault. */
const withoutOperator = ['a partition that does not exist']

describeJobs('A mistake', (newWorld) => {
  it.each(Object.keys(mistakes))('is refused: %s', async (name) => {
    const { code, make, says } = mistakes[name] as (typeof mistakes)[string]
    const world = newWorld()
    const env = world.env()
    env.setRestartStrategy(RestartStrategies.fixedDelayRestart(3, 1_000))
    make(env)
    const failure = await world.failure(env.execute('x'))
    const cause = failure.cause as StreamError
    expect(failure.code).toBe('JOB_FAILED')
    expect(cause.code).toBe(code)
    if (!withoutOperator.includes(name)) expect(`${failure.message} ${JSON.stringify(cause.details)}`).toContain(named)
    expect(cause.hint, 'a hint in words').toMatch(/\w+ \w+/)
    if (says !== undefined) expect(`${cause.message} ${cause.hint}`).toContain(says)
    expect(world.ofType('restart.scheduled')).toEqual([])
  })

  it('is no mistake: a side output that nobody reads, a stream that goes nowhere, an empty input', async () => {
    const world = newWorld()
    const env = world.env().setParallelism(2)
    env
      .fromData([1, 2, 3])
      .process<number>(() => ({
        processElement: (value, context) => context.output(new OutputTag<number>('nobody'), value),
      }))
      .map((value) => value)
    env
      .fromData<number>([])
      .keyBy((value) => value)
      .reduce((a) => a)
      .sinkTo(discard())
    await world.until(env.execute('x'))
    expect(world.statuses().at(-1)).toBe('FINISHED')
  })
})
