import { describe, expect, test } from 'vitest'
import {
  type CheckpointedFunction,
  type Collector,
  type KeyedContext,
  KeyedProcessFunction,
  ListStateDescriptor,
  type OnTimerContext,
  OutputTag,
  ProcessFunction,
  type RuntimeContext,
  type ValueState,
  ValueStateDescriptor,
} from '../../../src/index.ts'
import { KeyedOneInputHarness, ManualClock, OneInputHarness } from '../../../src/testing/index.ts'

interface Order {
  readonly customer: string
  readonly amount: number
}

const late = new OutputTag<Order>('late')

/** The sum of a customer, said a second behind the first order, and 10 s of processing time behind the last. */
class Sums extends KeyedProcessFunction<string, Order, string> {
  readonly #sum: ValueState<number, number>

  constructor(context: RuntimeContext) {
    super()
    this.#sum = context.getState(new ValueStateDescriptor('sum', { default: () => 0 }))
  }

  processElement(order: Order, context: KeyedContext<string>): undefined {
    const timestamp = context.timestamp()
    if (timestamp === undefined)
      context.timerService().registerProcessingTimeTimer(context.timerService().currentProcessingTime() + 10_000)
    else if (timestamp <= context.timerService().currentWatermark()) {
      context.output(late, order)
      return
    } else context.timerService().registerEventTimeTimer(timestamp + 1000)
    this.#sum.update(this.#sum.value() + order.amount)
  }

  override onTimer(timestamp: number, context: OnTimerContext<string>, out: Collector<string>): undefined {
    out.collect(`${context.getCurrentKey()} ${this.#sum.value()} at ${timestamp} (${context.timeDomain()})`)
  }
}

const sums = (options: { parallelism?: number; clock?: ManualClock } = {}) =>
  new KeyedOneInputHarness({ create: (context) => new Sums(context), keyBy: (order) => order.customer, ...options })

const messageOf = (call: () => unknown): string => {
  try {
    call()
  } catch (thrown) {
    return (thrown as Error).message
  }
  return 'nothing was thrown'
}

describe('A harness of a keyed function', () => {
  test('knows the types of elements and results without an annotation', async () => {
    await using harness = sums()
    harness.processElement({ customer: 'a', amount: 1 }, 0)
    const output: readonly string[] = harness.output()
    expect(output).toEqual([])
    // @ts-expect-error an order has an amount
    expect(() => harness.processElement({ customer: 'a' })).not.toThrow()
  })

  test('fires event-time timers with the watermark and hands out each result once', async () => {
    await using harness = sums()
    harness.processElement({ customer: 'a', amount: 1 }, 100)
    harness.processElement({ customer: 'b', amount: 5 }, 200)
    harness.processElement({ customer: 'a', amount: 2 }, 300)
    harness.processWatermark(1099)
    expect(harness.output()).toEqual([])
    harness.processWatermark(1250)
    expect(harness.outputRecords()).toEqual([
      { value: 'a 3 at 1100 (event-time)', timestamp: 1100 },
      { value: 'b 5 at 1200 (event-time)', timestamp: 1200 },
    ])
    expect(harness.output()).toEqual([])
    expect(harness.outputWatermarks()).toEqual([1099, 1250])
  })

  test('fires processing-time timers at their own times while its clock is moved', async () => {
    const clock = new ManualClock({ startMs: 5 })
    await using harness = sums({ clock })
    harness.processElement({ customer: 'a', amount: 1 })
    harness.advanceProcessingTime(9_999)
    expect(harness.output()).toEqual([])
    harness.processElement({ customer: 'b', amount: 2 })
    harness.advanceProcessingTime(20_000)
    expect(harness.output()).toEqual(['a 1 at 10005 (processing-time)', 'b 2 at 20004 (processing-time)'])
    expect(clock.now()).toBe(30_004)
  })

  test('moves with a clock that somebody else drives', async () => {
    const clock = new ManualClock()
    await using harness = sums({ clock })
    harness.processElement({ customer: 'a', amount: 1 })
    clock.advance(10_000)
    expect(harness.output()).toHaveLength(1)
  })

  test('collects side outputs apart', async () => {
    await using harness = sums()
    harness.processWatermark(1000)
    harness.processElement({ customer: 'a', amount: 1 }, 900)
    expect(harness.output()).toEqual([])
    expect(harness.sideOutput(late)).toEqual([{ customer: 'a', amount: 1 }])
    expect(harness.sideOutput(late)).toEqual([])
  })

  test('restores state and timers, in as many subtasks as one likes', async () => {
    const customers = Array.from({ length: 40 }, (_, index) => `customer ${index}`)
    let snapshot: Awaited<ReturnType<KeyedOneInputHarness<Order, string, string>['snapshot']>> | undefined
    for (const parallelism of [1, 3, 2, 5, 1]) {
      await using harness: KeyedOneInputHarness<Order, string, string> = new KeyedOneInputHarness({
        create: (context) => new Sums(context),
        keyBy: (order: Order) => order.customer,
        parallelism,
        maxParallelism: 128,
        restoreFrom: snapshot,
      })
      for (const customer of customers) harness.processElement({ customer, amount: 1 }, 100)
      snapshot = await harness.snapshot(parallelism)
      expect(snapshot.subtasks).toHaveLength(parallelism)
      // Through a file, as a fixture would go.
      snapshot = JSON.parse(JSON.stringify(snapshot)) as typeof snapshot
    }
    await using harness = new KeyedOneInputHarness({
      create: (context) => new Sums(context),
      keyBy: (order) => order.customer,
      restoreFrom: snapshot,
      parallelism: 4,
    })
    harness.processWatermark(2000)
    expect([...harness.output()].sort()).toEqual(customers.map((name) => `${name} 5 at 1100 (event-time)`).sort())
  })

  test('keeps a snapshot as it was while it goes on', async () => {
    await using harness = sums()
    harness.processElement({ customer: 'a', amount: 1 }, 100)
    const taking = harness.snapshot(1)
    harness.processElement({ customer: 'a', amount: 10 }, 100)
    const restoreFrom = await taking
    await using restored = new KeyedOneInputHarness({
      create: (context) => new Sums(context),
      keyBy: (order) => order.customer,
      restoreFrom,
    })
    restored.processWatermark(1100)
    harness.processWatermark(1100)
    expect(restored.output()).toEqual(['a 1 at 1100 (event-time)'])
    expect(harness.output()).toEqual(['a 11 at 1100 (event-time)'])
  })
})

/** Numbers its records, in a list that is dealt out, and knows all numbers in one that is united. */
class Numbered extends ProcessFunction<string, string> implements CheckpointedFunction {
  #mine: string[] = []
  #all: readonly string[] = []
  #save: () => void = () => {}

  override initializeState(context: Parameters<NonNullable<CheckpointedFunction['initializeState']>>[0]): undefined {
    const split = context.getOperatorStateStore().getListState(new ListStateDescriptor<string>('mine'))
    const union = context.getOperatorStateStore().getUnionListState(new ListStateDescriptor<string>('all'))
    this.#mine = [...split.get()]
    this.#all = [...union.get()]
    this.#save = () => {
      split.update(this.#mine)
      union.update(this.#mine)
    }
  }

  override snapshotState(): undefined {
    this.#save()
  }

  processElement(value: string, _: unknown, out: Collector<string>): undefined {
    this.#mine.push(value)
    out.collect(`mine ${this.#mine.join('')} all ${this.#all.join('')}`)
  }
}

describe('A harness of a function without key', () => {
  test('gives each subtask a record in turn', async () => {
    await using harness = new OneInputHarness({ create: () => new Numbered(), parallelism: 2 })
    for (const value of ['a', 'b', 'c']) harness.processElement(value)
    expect(harness.output()).toEqual(['mine a all ', 'mine b all ', 'mine ac all '])
  })

  test('deals operator state out, or unites it, at another parallelism', async () => {
    await using harness = new OneInputHarness({ create: () => new Numbered(), parallelism: 2 })
    for (const value of ['a', 'b', 'c', 'd']) harness.processElement(value)
    const restoreFrom = await harness.snapshot(1)
    await using one = new OneInputHarness({ create: () => new Numbered(), restoreFrom })
    one.processElement('x')
    expect(one.output()).toEqual(['mine acbdx all acbd'])
    await using three = new OneInputHarness({ create: () => new Numbered(), parallelism: 3, restoreFrom })
    for (const value of ['x', 'y', 'z']) three.processElement(value)
    expect(three.output()).toEqual(['mine acx all acbd', 'mine by all acbd', 'mine dz all acbd'])
  })

  test('tells the function of checkpoints and waits for its answers', async () => {
    const told: string[] = []
    await using harness = new OneInputHarness({
      create: () => ({
        processElement(_value: number) {},
        async notifyCheckpointComplete(id: number) {
          await undefined
          told.push(`complete ${id}`)
        },
        notifyCheckpointAborted: (id: number) => void told.push(`aborted ${id}`),
      }),
    })
    await harness.notifyCheckpointComplete(1)
    await harness.notifyCheckpointAborted(2)
    expect(told).toEqual(['complete 1', 'aborted 2'])
  })
})

describe('A harness whose function opens', () => {
  const waiting = () => {
    let ready = false
    return {
      async open() {
        await undefined
        ready = true
      },
      processElement(value: number, _: unknown, out: Collector<string>) {
        out.collect(`${value} ${ready}`)
      },
    }
  }

  test('may be made by its constructor where nothing waits', async () => {
    let opened = 0
    const create = () => ({ open: () => void opened++, processElement(_value: number) {} })
    await using _harness = new OneInputHarness({ create, parallelism: 2 })
    expect(opened).toBe(2)
  })

  test('says so where the constructor cannot wait', () => {
    expect(messageOf(() => new OneInputHarness({ create: waiting }))).toBe(
      'OneInputHarness: open() of the function returned a promise, and a constructor cannot wait.',
    )
  })

  test('is awaited by `open`', async () => {
    await using harness = await OneInputHarness.open({ create: waiting })
    harness.processElement(1)
    expect(harness.output()).toEqual(['1 true'])
  })

  test('rejects with the very error, and closes what was made', async () => {
    const error = new Error('no connection')
    const closed: number[] = []
    const create = () => ({
      open: () => Promise.reject(error),
      close: () => void closed.push(1),
      processElement(_: number) {},
    })
    await expect(OneInputHarness.open({ create })).rejects.toBe(error)
    expect(closed).toEqual([1])
    const thrower = () => ({
      open() {
        throw error
      },
      processElement(_: number) {},
    })
    expect(() => new OneInputHarness({ create: thrower })).toThrow(error)
  })
})

describe('A harness that is used wrongly', () => {
  test('names the watermark that goes back', async () => {
    await using harness = sums()
    harness.processWatermark(10)
    harness.processWatermark(10)
    expect(messageOf(() => harness.processWatermark(9))).toBe(
      'KeyedOneInputHarness: the watermark 9 came after 10: watermarks only rise.',
    )
    expect(messageOf(() => harness.processWatermark(Number.NaN))).toContain('NaN')
    expect(messageOf(() => harness.processElement({ customer: 'a', amount: 1 }, Number.NaN))).toContain('NaN')
    expect(messageOf(() => harness.advanceProcessingTime(-1))).toContain('does not go back')
  })

  test('is of no use once it was disposed of', async () => {
    const harness = sums()
    await harness[Symbol.asyncDispose]()
    await harness[Symbol.asyncDispose]()
    expect(messageOf(() => harness.processElement({ customer: 'a', amount: 1 }))).toBe(
      'KeyedOneInputHarness: it was disposed of.',
    )
    await expect(harness.snapshot(1)).rejects.toMatchObject({ code: 'TEST_MISUSE' })
  })

  test('throws the very object that the function threw, and goes on no more', async () => {
    const error = new Error('broken')
    await using harness = new OneInputHarness({
      create: () => ({
        processElement(value: number, _: unknown, out: Collector<number>) {
          if (value === 2) throw error
          out.collect(value)
        },
      }),
    })
    harness.processElement(1)
    expect(() => harness.processElement(2)).toThrow(error)
    expect(harness.output()).toEqual([1])
    expect(messageOf(() => harness.processElement(3))).toContain('has thrown')
  })

  test('throws what failed behind its back with the next call, and at the latest when it is disposed of', async () => {
    const error = new Error('in a timer')
    const make = (clock: ManualClock) =>
      new KeyedOneInputHarness({
        create: () => ({
          processElement(_value: number, context: KeyedContext<number>) {
            context.timerService().registerProcessingTimeTimer(10)
          },
          onTimer() {
            throw error
          },
        }),
        keyBy: (value: number) => value,
        clock,
      })
    const clock = new ManualClock()
    const harness = make(clock)
    const other = make(clock)
    harness.processElement(1)
    other.processElement(1)
    clock.advance(10)
    expect(() => harness.processElement(2)).toThrow(error)
    await harness[Symbol.asyncDispose]()
    await expect(other[Symbol.asyncDispose]()).rejects.toBe(error)
  })

  test('refuses a parallelism above the key groups, another max parallelism, and keyed state without a key', async () => {
    expect(() => sums({ parallelism: 0 })).toThrow(/Parallelism 0/)
    await using harness = sums()
    harness.processElement({ customer: 'a', amount: 1 }, 1)
    const restoreFrom = await harness.snapshot(1)
    const restore = (options: object) => () =>
      new KeyedOneInputHarness({
        create: (context) => new Sums(context),
        keyBy: (order: Order) => order.customer,
        restoreFrom,
        ...options,
      })
    expect(restore({ parallelism: 129 })).toThrow(/129/)
    expect(restore({ maxParallelism: 64 })).toThrow(/max parallelism 64/)
    expect(() => new OneInputHarness({ create: () => new Numbered(), restoreFrom })).toThrow(/keyed state/)
  })

  test('names a key that cannot be one, at any parallelism', async () => {
    for (const parallelism of [1, 2]) {
      await using harness = new KeyedOneInputHarness({
        create: () => ({ processElement(_value: { id: string }) {} }),
        keyBy: (value: { id: string }) => value.id,
        parallelism,
      })
      const unkeyed: { id: string } = JSON.parse('{}')
      expect(() => harness.processElement(unkeyed)).toThrow(/undefined/)
    }
  })
})
