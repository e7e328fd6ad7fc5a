/** Functions that keep something, as classes and as object literals. */
import {
  type Collector,
  type Context,
  type ElementOf,
  type KeyedContext,
  KeyedProcessFunction,
  ListStateDescriptor,
  MapStateDescriptor,
  type OnTimerContext,
  OutputTag,
  ProcessFunction,
  ReducingStateDescriptor,
  type RuntimeContext,
  type SingleOutputStreamOperator,
  type ValueState,
  ValueStateDescriptor,
} from '../../../src/index.ts'
import { same } from './same.ts'

interface Order {
  readonly id: string
  readonly customer: { readonly id: number; readonly country: 'de' | 'fr' }
  readonly amount: number
  readonly at: Date
}
declare const orders: SingleOutputStreamOperator<Order>

interface Alert {
  readonly id: string
  readonly total: number
}

class Totals extends KeyedProcessFunction<string, Order, Alert> {
  readonly #total: ValueState<number, number>

  constructor(context: RuntimeContext) {
    super()
    this.#total = context.getState(new ValueStateDescriptor('total', { default: () => 0 }))
  }

  override async open(): Promise<void> {
    await Promise.resolve()
  }

  processElement(order: Order, context: KeyedContext<string>, out: Collector<Alert>): void {
    this.#total.update(this.#total.value() + order.amount)
    context.timerService().registerEventTimeTimer(order.at.getTime() + 1000)
    out.collect({ id: context.getCurrentKey(), total: this.#total.value() })
  }

  override onTimer(_timestamp: number, context: OnTimerContext<string>, out: Collector<Alert>): void {
    if (context.timeDomain() === 'event-time') out.collect({ id: context.getCurrentKey(), total: 0 })
  }
}

class Rejected extends ProcessFunction<Order, Order> {
  static readonly tag = new OutputTag<string>('rejected')

  processElement(order: Order, context: Context, out: Collector<Order>): void {
    if (order.amount < 0) context.output(Rejected.tag, order.id)
    else out.collect(order)
  }
}

export function functionsThatKeepSomething(): void {
  const alerts = orders.keyBy((order) => order.id).process((context) => new Totals(context))
  same<typeof alerts, SingleOutputStreamOperator<Alert>>(true)
  const checked = orders.process(() => new Rejected())
  same<typeof checked, SingleOutputStreamOperator<Order>>(true)
  same<ElementOf<ReturnType<typeof rejected>>, string>(true)
  function rejected() {
    return checked.getSideOutput(Rejected.tag)
  }
  const literal = orders
    .keyBy((order) => order.id)
    .process<Alert>((ctx) => {
      const count = ctx.getState(new ValueStateDescriptor<number>('count'))
      const list = ctx.getListState(new ListStateDescriptor<Order>('orders'))
      const map = ctx.getMapState(new MapStateDescriptor<string, number>('sums'))
      const sum = ctx.getReducingState(new ReducingStateDescriptor<number>('sum', (a, b) => a + b))
      return {
        processElement(order, context, out) {
          const seen = count.value()
          same<typeof seen, number | undefined>(true)
          count.update((seen ?? 0) + 1)
          list.add(order)
          map.set(order.id, (map.get(order.id) ?? 0) + order.amount)
          sum.add(order.amount)
          out.collect({ id: context.getCurrentKey(), total: sum.get() ?? 0 })
        },
        onTimer(timestamp, context, out) {
          out.collect({ id: context.getCurrentKey(), total: timestamp })
        },
      }
    })
  same<typeof literal, SingleOutputStreamOperator<Alert>>(true)
}
