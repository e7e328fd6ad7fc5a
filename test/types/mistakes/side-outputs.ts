/** Tags of another type. Each sentence says what is wrong; the line below it must not compile. */
import { OutputTag, type SingleOutputStreamOperator } from '../../../src/index.ts'

interface Order {
  readonly id: string
}
interface LateOrder extends Order {
  readonly lateByMs: number
}

declare const numbers: SingleOutputStreamOperator<number>
declare const rebalanced: ReturnType<SingleOutputStreamOperator<Order>['rebalance']>
const orders = new OutputTag<Order>('orders')
const late = new OutputTag<LateOrder>('late')

export function emitted(): void {
  numbers.process<number>(() => ({
    processElement(value, context) {
      // @ts-expect-error output: the tag is for another type
      context.output(orders, value)
      // @ts-expect-error output: a part of what the tag is for is not enough
      context.output(late, { id: String(value) })
    },
  }))
}

export function read(): void {
  // @ts-expect-error getSideOutput: a side output keeps the type of its tag
  numbers.getSideOutput(orders).map((order) => order.lateByMs)
  // @ts-expect-error getSideOutput: only what is an operator has side outputs
  rebalanced.getSideOutput(orders)
  // @ts-expect-error getSideOutput: takes a tag, not its name
  numbers.getSideOutput('orders')
}

export function invariance(): void {
  // @ts-expect-error OutputTag: a tag for less is no tag for more: somebody would emit what is not there
  const wider: OutputTag<Order> = late
  // @ts-expect-error OutputTag: a tag for more is no tag for less: somebody would read what is not there
  const narrower: OutputTag<LateOrder> = orders
  numbers.getSideOutput(wider).union(numbers.getSideOutput(narrower))
}
