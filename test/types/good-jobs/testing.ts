/** Tests of a program's own functions. */
import { type Collector, type KeyedContext, KeyedProcessFunction, OutputTag } from '../../../src/index.ts'
import { KeyedOneInputHarness, ManualClock, OneInputHarness } from '../../../src/testing/index.ts'
import { same } from './same.ts'

interface Order {
  readonly id: string
  readonly amount: number
}

class Sum extends KeyedProcessFunction<string, Order, number> {
  processElement(order: Order, context: KeyedContext<string>, out: Collector<number>): void {
    context.timerService().registerProcessingTimeTimer(order.amount)
    out.collect(order.amount)
  }
}

export async function harnesses(): Promise<void> {
  const clock = new ManualClock()
  await using keyed = new KeyedOneInputHarness({ create: () => new Sum(), keyBy: (order: Order) => order.id, clock })
  keyed.processElement({ id: 'a', amount: 1 }, 5)
  keyed.advanceProcessingTime(10)
  same<ReturnType<typeof keyed.output>, readonly number[]>(true)
  same<ReturnType<typeof late>, readonly Order[]>(true)
  function late() {
    return keyed.sideOutput(new OutputTag<Order>('late'))
  }
  const restored = await KeyedOneInputHarness.open({
    create: () => new Sum(),
    keyBy: (order: Order) => order.id,
    parallelism: 2,
    restoreFrom: await keyed.snapshot(1),
  })
  restored.processWatermark(5)
  const literal = new OneInputHarness<Order, string>({
    create: () => ({ processElement: (order, _context, out) => out.collect(order.id) }),
  })
  literal.processElement({ id: 'a', amount: 1 })
}
