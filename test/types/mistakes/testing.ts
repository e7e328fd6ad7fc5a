/** Harnesses for something else. Each sentence says what is wrong; the line below it must not compile. */
import type { Collector, Context, KeyedContext } from '../../../src/index.ts'
import { KeyedProcessFunction, OutputTag, ProcessFunction } from '../../../src/index.ts'
import { KeyedOneInputHarness, OneInputHarness } from '../../../src/testing/index.ts'

interface Order {
  readonly id: string
  readonly amount: number
  readonly at: Date
}

class CountPerKey extends KeyedProcessFunction<string, Order, number> {
  processElement(_order: Order, _context: KeyedContext<string>, out: Collector<number>): void {
    out.collect(1)
  }
}

class Amounts extends ProcessFunction<Order, number> {
  processElement(order: Order, _context: Context, out: Collector<number>): void {
    out.collect(order.amount)
  }
}

export async function harnesses(): Promise<void> {
  await using keyed = new KeyedOneInputHarness({ create: () => new CountPerKey(), keyBy: (order: Order) => order.id })
  // @ts-expect-error processElement: a record of another type
  keyed.processElement('order', 0)
  // @ts-expect-error processWatermark: milliseconds, not a Date
  keyed.processWatermark(new Date())
  // @ts-expect-error output: the records of the function
  keyed.output().map((count) => count.id)
  // @ts-expect-error sideOutput: keeps the type of its tag
  keyed.sideOutput(new OutputTag<string>('late')).map((text) => text.amount)
  // @ts-expect-error keyBy: keys of another type than the function's
  new KeyedOneInputHarness({ create: () => new CountPerKey(), keyBy: (order: Order) => order.amount })
  // @ts-expect-error keyBy: a Date cannot be a key
  new KeyedOneInputHarness({ create: () => new CountPerKey(), keyBy: (order: Order) => order.at })
  // @ts-expect-error OneInputHarness: a keyed function needs a key
  new OneInputHarness({ create: () => new CountPerKey() })
  // @ts-expect-error create: a function where a factory is due
  new OneInputHarness({ create: new Amounts() })
}
