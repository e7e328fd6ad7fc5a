/** The operators of the house, each in every way in which a job may run it. */
import { describe, expect, test } from 'vitest'
import {
  type Collector,
  type CommitRequest,
  type Context,
  type FunctionInitializationContext,
  type KeyedContext,
  KeyedProcessFunction,
  ListStateDescriptor,
  type OnTimerContext,
  OutputTag,
  ProcessFunction,
  type RuntimeContext,
  type TwoPhaseCommittingSink,
  type ValueState,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../../src/index.ts'
import { filterOperator } from '../../../src/operators/filter.ts'
import { flatMapOperator } from '../../../src/operators/flat-map.ts'
import { keyedProcessOperator } from '../../../src/operators/keyed-process.ts'
import { mapOperator } from '../../../src/operators/map.ts'
import type { OperatorFactory } from '../../../src/operators/operator.ts'
import { processOperator } from '../../../src/operators/process.ts'
import { reduceOperator } from '../../../src/operators/reduce.ts'
import { sinkOperator } from '../../../src/operators/sink-operator.ts'
import { timestampsAndWatermarksOperator } from '../../../src/operators/timestamps-and-watermarks.ts'
import { type Item, verifyOperator } from '../../../src/testing/index.ts'

const NUMBERS: readonly Item[] = [
  { value: 1, timestamp: 10 },
  { value: 2, timestamp: 20 },
  { watermark: 15 },
  { value: 3 },
  { value: 4, timestamp: 40 },
  { watermark: 30 },
  { watermark: 35 },
  { idle: true },
  { idle: false },
  { value: 5, timestamp: 50 },
]

const byKey = (keySelector: (value: never) => unknown) => [{ type: 'byKey', keySelector }] as const

function verify(
  operator: OperatorFactory,
  output: readonly unknown[],
  more: {
    input?: readonly Item[]
    keySelector?: (value: never) => unknown
    obeysGate?: boolean
    timeIsFree?: boolean
  } = {},
) {
  const { input = NUMBERS, keySelector, ...rest } = more
  return verifyOperator({
    subject: () => ({ operator }),
    input,
    output,
    ...rest,
    dealings: keySelector === undefined ? undefined : byKey(keySelector),
  })
}

describe('In every way in which it may be run', () => {
  test('map gives one for one', () =>
    verify(
      mapOperator((value: number) => value * 2),
      [2, 4, 6, 8, 10],
    ))

  test('filter lets the same pass', () =>
    verify(
      filterOperator((value: number) => value % 2 === 1),
      [1, 3, 5],
    ))

  test('flatMap gives all that an array holds', () =>
    verify(
      flatMapOperator((value: number) => Array.from({ length: value }, (_, n) => `${value}.${n}`)),
      ['1.0', '2.0', '2.1', '3.0', '3.1', '3.2', '4.0', '4.1', '4.2', '4.3', '5.0', '5.1', '5.2', '5.3', '5.4'],
    ))

  test('flatMap gives all that a generator yields', () =>
    verify(
      flatMapOperator(function* (value: number) {
        for (let n = 0; n < value; n += 2) yield value * 10 + n
      }),
      [10, 20, 30, 32, 40, 42, 50, 52, 54],
    ))

  test('reduce gives the running result of each key', () =>
    verify(
      reduceOperator(
        ({ key }: { key: string }) => key,
        (a: { key: string; n: number }, b: { key: string; n: number }) => ({ key: a.key, n: a.n + b.n }),
      ),
      [1, 2, 4, 6, 9].map((n, index) => ({ key: 'ab'[index % 2], n })),
      {
        input: [1, 2, 3, 4, 5].map((n, index) => ({ value: { key: 'ab'[index % 2], n } })),
        keySelector: ({ key }: { key: string }) => key,
      },
    ))

  test('a process function without key keeps its operator state', async () => {
    const odd = new OutputTag<number>('odd')
    class Sum extends ProcessFunction<number, number> {
      #sum = 0
      #save: () => void = () => {}
      override initializeState(context: FunctionInitializationContext): undefined {
        const list = context.getOperatorStateStore().getListState(new ListStateDescriptor<number>('sum'))
        for (const part of list.get()) this.#sum += part
        this.#save = () => list.update([this.#sum])
      }
      override snapshotState(): undefined {
        this.#save()
      }
      processElement(value: number, context: Context, out: Collector<number>): undefined {
        this.#sum += value
        if (value % 2 === 1) context.output(odd, value)
        out.collect(this.#sum)
      }
    }
    await verifyOperator({
      subject: () => ({ operator: processOperator(() => new Sum()) }),
      input: NUMBERS,
      output: [1, 3, 6, 10, 15],
      sideOutputs: { odd: [1, 3, 5] },
      obeysGate: false,
    })
  })

  test('a keyed process function has its state and both kinds of timers', () =>
    verify(
      keyedProcessOperator(
        (value: string) => value,
        (context) => new Timed(context),
      ),
      ['event a 2', 'event a 2', 'event b 1', 'processing a at 1000', 'processing b at 1010'],
      {
        keySelector: (value: string) => value,
        input: [
          { value: 'a', timestamp: 100 },
          { advanceMs: 5 },
          { value: 'a', timestamp: 200 },
          { advanceMs: 5 },
          { value: 'b', timestamp: 300 },
          { watermark: 1150 },
          { watermark: 1400 },
          { advanceMs: 2000 },
          { value: 'c', timestamp: 2000 },
        ],
      },
    ))

  test('assigned timestamps and watermarks come to the same, with the periods of a clock', () =>
    verify(
      timestampsAndWatermarksOperator(
        WatermarkStrategy.forBoundedOutOfOrderness<number>(5, { timestampAssigner: (value) => value * 10 }),
        100,
      ),
      [1, 2, 5, 4],
      {
        input: [
          { value: 1 },
          { value: 2 },
          { advanceMs: 100 },
          { value: 5 },
          { advanceMs: 100 },
          { value: 4 },
          { watermark: Number.POSITIVE_INFINITY },
        ],
        timeIsFree: true,
      },
    ))

  test('a sink commits each record once', async () => {
    const verified = await verifyOperator({
      input: NUMBERS,
      subject: () => {
        const store = new Store()
        return { operator: sinkOperator(store), result: () => [...store.committed.values()].flat() }
      },
    })
    expect(verified.variants).toHaveLength(8)
  })
})

/** Says how often a key came, at event and processing time. */
class Timed extends KeyedProcessFunction<string, string, string> {
  readonly #count: ValueState<number, number>
  constructor(context: RuntimeContext) {
    super()
    this.#count = context.getState(new ValueStateDescriptor('count', { default: () => 0 }))
  }
  processElement(_: string, context: KeyedContext<string>): undefined {
    const first = this.#count.value() === 0
    this.#count.update(this.#count.value() + 1)
    const timers = context.timerService()
    timers.registerEventTimeTimer((context.timestamp() ?? 0) + 1000)
    if (first) timers.registerProcessingTimeTimer(timers.currentProcessingTime() + 1000)
  }
  override onTimer(timestamp: number, context: OnTimerContext<string>, out: Collector<string>): undefined {
    const key = context.getCurrentKey()
    if (context.timeDomain() === 'event-time') out.collect(`event ${key} ${this.#count.value()}`)
    else out.collect(`processing ${key} at ${timestamp}`)
  }
}

/** Transactions of a store: what is committed twice is there once. */
class Store implements TwoPhaseCommittingSink<number, { readonly id: number; readonly rows: readonly number[] }> {
  readonly committed = new Map<number, readonly number[]>()
  #ids = 0

  createWriter() {
    let rows: number[] = []
    return {
      write: async (value: number) => {
        await undefined
        rows.push(value)
      },
      flush() {},
      prepareCommit: () => {
        const prepared = rows.length === 0 ? [] : [{ id: this.#ids++, rows }]
        rows = []
        return prepared
      },
      close() {},
    }
  }

  createCommitter() {
    return {
      commit: (requests: readonly CommitRequest<{ id: number; rows: readonly number[] }>[]) => {
        for (const { committable } of requests) this.committed.set(committable.id, committable.rows)
      },
      close() {},
    }
  }
}
