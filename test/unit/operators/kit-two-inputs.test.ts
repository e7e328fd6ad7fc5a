/** The operators with two inputs, each in every way in which a job may run it. */
import { expect, test } from 'vitest'
import {
  type BroadcastContext,
  BroadcastProcessFunction,
  type Collector,
  type Context,
  type KeyedContext,
  KeyedCoProcessFunction,
  MapStateDescriptor,
  type OnTimerContext,
  type ReadOnlyContext,
  type RuntimeContext,
  type ValueState,
  ValueStateDescriptor,
} from '../../../src/index.ts'
import {
  BroadcastHarness,
  KeyedBroadcastHarness,
  KeyedTwoInputHarness,
  TwoInputHarness,
} from '../../../src/testing/index.ts'

/** The last of the first input beside each of the second, and at a timer. */
class Beside extends KeyedCoProcessFunction<string, string, string, string> {
  readonly #last: ValueState<string, string>
  constructor(context: RuntimeContext) {
    super()
    this.#last = context.getState(new ValueStateDescriptor('last', { default: () => 'none' }))
  }
  processElement1(value: string, context: KeyedContext<string>): undefined {
    this.#last.update(value)
    context.timerService().registerEventTimeTimer((context.timestamp() ?? 0) + 100)
  }
  processElement2(value: string, context: KeyedContext<string>, out: Collector<string>): undefined {
    out.collect(`${value} beside ${this.#last.value()} at ${context.timerService().currentWatermark()}`)
  }
  override onTimer(timestamp: number, _: OnTimerContext<string>, out: Collector<string>): undefined {
    out.collect(`${this.#last.value()} at timer ${timestamp}`)
  }
}

test('A keyed function with two inputs shares its state, and time is the lower of both', () =>
  KeyedTwoInputHarness.verify(
    {
      create: (context) => new Beside(context),
      keyBy1: (value) => value[0] as string,
      keyBy2: (value) => value[0] as string,
    },
    {
      input: [
        { value1: 'a1', timestamp: 10 },
        { value2: 'a2', timestamp: 5 },
        { value2: 'b2' },
        { watermark1: 50 },
        { watermark2: 20 },
        { value2: 'a3' },
        { value1: 'b1', timestamp: 60 },
        { watermark1: 200 },
        { idle2: true },
        { value2: 'a4' },
        { idle2: false },
        { watermark2: 300 },
      ],
      output: [
        'a2 beside a1 at -Infinity',
        'b2 beside none at -Infinity',
        'a3 beside a1 at 20',
        'a1 at timer 110',
        'b1 at timer 160',
        'a4 beside a1 at 200',
      ],
    },
  ))

test('A function with two inputs and without a key sees each record in its method', () =>
  TwoInputHarness.verify(
    {
      create: () => ({
        processElement1: (value: number, _: Context, out: Collector<string>) =>
          out.collect(`one ${value}`) as undefined,
        processElement2: (value: string, _: Context, out: Collector<string>) =>
          out.collect(`two ${value}`) as undefined,
      }),
    },
    {
      input: [{ value1: 1 }, { value2: 'a' }, { watermark1: 5 }, { watermark2: 7 }, { value1: 2 }],
      output: ['one 1', 'two a', 'one 2'],
    },
  ))

const LIMITS = new MapStateDescriptor<string, number>('limits')

class Limits extends BroadcastProcessFunction<string, readonly [string, number], string> {
  processElement(value: string, context: ReadOnlyContext, out: Collector<string>): undefined {
    out.collect(`${value} ${context.getBroadcastState(LIMITS).get(value)}`)
  }
  processBroadcastElement([name, limit]: readonly [string, number], context: BroadcastContext): undefined {
    context.getBroadcastState(LIMITS).set(name, limit)
  }
}

test('Broadcast state is there again behind every restore', async () => {
  const { output } = await BroadcastHarness.verify(
    { create: () => new Limits(), descriptors: [LIMITS] },
    {
      input: [
        { value: 'a' },
        { broadcast: ['a', 1] },
        { value: 'a' },
        { broadcast: ['b', 2] },
        { value: 'a' },
        { value: 'b' },
      ],
    },
  )
  expect(output).toEqual(['a undefined', 'a 1', 'a 1', 'b 2'])
})

test('Broadcast state is the same in every subtask of a keyed function, at every parallelism', async () => {
  const { output, variants } = await KeyedBroadcastHarness.verify(
    { create: () => new Limits(), keyBy: (value) => value, descriptors: [LIMITS] },
    {
      input: [
        { broadcast: ['a', 1] },
        { value: 'a' },
        { broadcast: ['b', 2] },
        { value: 'b' },
        { value: 'c' },
        { value: 'a' },
      ],
    },
  )
  expect(output).toEqual(['a 1', 'b 2', 'c undefined', 'a 1'])
  expect(variants).toHaveLength(10)
})
