import { describe, expect, test } from 'vitest'
import {
  type BroadcastContext,
  BroadcastProcessFunction,
  type Collector,
  type Context,
  CoProcessFunction,
  KeyedBroadcastProcessFunction,
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

interface Order {
  readonly id: number
  readonly item: string
}
interface Payment {
  readonly order: number
  readonly paid: boolean
}

/** An order is said when it is paid, or as unpaid ten seconds behind it. */
class Matching extends KeyedCoProcessFunction<number, Order, Payment, string> {
  readonly #order: ValueState<Order>
  constructor(context: RuntimeContext) {
    super()
    this.#order = context.getState(new ValueStateDescriptor<Order>('order'))
  }
  processElement1(order: Order, context: KeyedContext<number>): undefined {
    this.#order.update(order)
    context.timerService().registerEventTimeTimer((context.timestamp() ?? 0) + 10_000)
  }
  processElement2(payment: Payment, _: KeyedContext<number>, out: Collector<string>): undefined {
    const order = this.#order.value()
    if (order === undefined || !payment.paid) return
    out.collect(`${order.item} paid`)
    this.#order.clear()
  }
  override onTimer(_: number, __: OnTimerContext<number>, out: Collector<string>): undefined {
    const order = this.#order.value()
    if (order !== undefined) out.collect(`${order.item} unpaid`)
  }
}

const matching = (
  options: {
    parallelism?: number
    restoreFrom?: Awaited<ReturnType<KeyedTwoInputHarness<Order, Payment, number, string>['snapshot']>>
  } = {},
) =>
  new KeyedTwoInputHarness({
    create: (context) => new Matching(context),
    keyBy1: (order) => order.id,
    keyBy2: (payment) => payment.order,
    ...options,
  })

describe('A harness of a keyed function with two inputs', () => {
  test('shares state between the inputs and fires timers at the lower watermark', async () => {
    await using harness = matching({ parallelism: 3 })
    harness.processElement1({ id: 1, item: 'book' }, 0)
    harness.processElement1({ id: 2, item: 'pen' }, 0)
    harness.processElement2({ order: 1, paid: true }, 5)
    expect(harness.output()).toEqual(['book paid'])
    harness.processWatermark1(20_000)
    expect(harness.output()).toEqual([])
    harness.processWatermark2(10_000)
    const output: readonly string[] = harness.output()
    expect(output).toEqual(['pen unpaid'])
    expect(harness.outputWatermarks()).toEqual([10_000])
  })

  test('is not held by an idle input', async () => {
    await using harness = matching()
    harness.processElement1({ id: 1, item: 'book' }, 0)
    harness.processWatermark1(20_000)
    harness.processWatermarkStatus2(true)
    expect(harness.output()).toEqual(['book unpaid'])
  })

  test('restores at another parallelism', async () => {
    await using harness = matching({ parallelism: 2 })
    for (let id = 0; id < 20; id++) harness.processElement1({ id, item: `item ${id}` }, 0)
    await using restored = matching({ parallelism: 5, restoreFrom: await harness.snapshot(1) })
    for (let id = 0; id < 20; id++) restored.processElement2({ order: id, paid: true })
    expect(restored.output()).toEqual(Array.from({ length: 20 }, (_, id) => `item ${id} paid`))
  })

  test('refuses a watermark that goes back, of each input by itself', async () => {
    await using harness = matching()
    harness.processWatermark1(10)
    harness.processWatermark2(5)
    expect(() => harness.processWatermark2(4)).toThrow(/only rise/)
  })
})

test('A harness of a function with two inputs calls the method of each', async () => {
  class Both extends CoProcessFunction<number, string, string> {
    processElement1(value: number, _: Context, out: Collector<string>): undefined {
      out.collect(`number ${value}`)
    }
    processElement2(value: string, _: Context, out: Collector<string>): undefined {
      out.collect(`text ${value}`)
    }
  }
  await using harness = new TwoInputHarness({ create: () => new Both() })
  harness.processElement1(1)
  harness.processElement2('a')
  const output: readonly string[] = harness.output()
  expect(output).toEqual(['number 1', 'text a'])
})

const RULES = new MapStateDescriptor<string, number>('rules')

class Rules extends BroadcastProcessFunction<string, readonly [string, number], string> {
  processElement(value: string, context: ReadOnlyContext, out: Collector<string>): undefined {
    out.collect(`${value} ${context.getBroadcastState(RULES).get(value) ?? 'without a rule'}`)
  }
  processBroadcastElement([name, limit]: readonly [string, number], context: BroadcastContext): undefined {
    context.getBroadcastState(RULES).set(name, limit)
  }
}

describe('A harness of a function with broadcast state', () => {
  test('gives every subtask all broadcast records, and keeps them over a restore at any parallelism', async () => {
    await using harness = new BroadcastHarness({ create: () => new Rules(), descriptors: [RULES], parallelism: 2 })
    harness.processElement('a')
    harness.processBroadcastElement(['a', 5])
    harness.processElement('a')
    harness.processElement('a')
    const output: readonly string[] = harness.output()
    expect(output).toEqual(['a without a rule', 'a 5', 'a 5'])
    const restoreFrom = await harness.snapshot(1)
    for (const parallelism of [1, 3]) {
      await using restored = new BroadcastHarness({
        create: () => new Rules(),
        descriptors: [RULES],
        parallelism,
        restoreFrom,
      })
      for (let subtask = 0; subtask < parallelism; subtask++) restored.processElement('a')
      expect(restored.output()).toEqual(Array.from({ length: parallelism }, () => 'a 5'))
    }
  })

  test('has keyed state on the keyed side', async () => {
    class Counted extends KeyedBroadcastProcessFunction<string, string, number, string> {
      readonly #count: ValueState<number, number>
      constructor(context: RuntimeContext) {
        super()
        this.#count = context.getState(new ValueStateDescriptor('count', { default: () => 0 }))
      }
      processElement(
        value: string,
        context: Parameters<KeyedBroadcastProcessFunction<string, string, number, string>['processElement']>[1],
        out: Collector<string>,
      ): undefined {
        this.#count.update(this.#count.value() + 1)
        out.collect(
          `${context.getCurrentKey()} ${value} ${this.#count.value()} ${context.getBroadcastState(RULES).get('factor')}`,
        )
      }
      processBroadcastElement(value: number, context: BroadcastContext): undefined {
        context.getBroadcastState(RULES).set('factor', value)
      }
    }
    await using harness = new KeyedBroadcastHarness({
      create: (context) => new Counted(context),
      keyBy: (value) => value,
      descriptors: [RULES],
      parallelism: 2,
    })
    harness.processBroadcastElement(7)
    for (const value of ['a', 'b', 'a']) harness.processElement(value)
    expect(harness.output()).toEqual(['a a 1 7', 'b b 1 7', 'a a 2 7'])
  })
})
