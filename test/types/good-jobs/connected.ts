/** Jobs with connected and broadcast streams that must compile without a cast and without an annotation that inference could give. */
import {
  type BroadcastConnectedStream,
  type BroadcastContext,
  BroadcastProcessFunction,
  type Collector,
  type ConnectedStreams,
  type Context,
  CoProcessFunction,
  type DataStream,
  DiscardingSink,
  type FunctionReturnedPromise,
  type KeyedBroadcastConnectedStream,
  type KeyedBroadcastContext,
  KeyedBroadcastProcessFunction,
  type KeyedConnectedStreams,
  type KeyedContext,
  KeyedCoProcessFunction,
  type KeyedReadOnlyContext,
  type KeyedStream,
  ListStateDescriptor,
  MapStateDescriptor,
  type OnTimerContext,
  OutputTag,
  type ReadOnlyBroadcastState,
  type ReadOnlyContext,
  type ReadOnlyOnTimerContext,
  type SingleOutputStreamOperator,
  type ValueState,
  ValueStateDescriptor,
} from '../../../src/index.ts'
import { same } from './same.ts'

interface Order {
  readonly id: string
  readonly cents: number
}
interface Payment {
  readonly orderId: string
  readonly amount: number
}
interface Rule {
  readonly name: string
  readonly limit: number
}
declare const orders: SingleOutputStreamOperator<Order>
declare const payments: DataStream<Payment>
declare const rules: DataStream<Rule>
const byName = new MapStateDescriptor<string, Rule>('rules')
const version = new MapStateDescriptor<'version', number>('version')

export function connected(): void {
  const both = orders.connect(payments)
  same<typeof both, ConnectedStreams<Order, Payment>>(true)
  const ids = both.map(
    ({ id }) => id,
    ({ orderId }) => orderId,
  )
  same<typeof ids, SingleOutputStreamOperator<string>>(true)
  const either = both.map<string | number>(
    ({ id }) => id,
    ({ amount }) => amount,
  )
  same<typeof either, SingleOutputStreamOperator<string | number>>(true)
  const several = both.flatMap(
    ({ cents }) => [cents],
    function* ({ amount }) {
      yield amount
    },
  )
  same<typeof several, SingleOutputStreamOperator<number>>(true)
  const late = new OutputTag<Payment>('late')
  const processed = both.process<string>((context) => {
    const prefix = context.taskName
    return {
      processElement1({ id }, at, out) {
        same<typeof at, Context>(true)
        out.collect(prefix + id)
      },
      processElement2: (payment, at) => at.output(late, payment),
    }
  })
  processed.uid('both').getSideOutput(late).sinkTo(new DiscardingSink())
  const lost = both.map(
    async ({ id }) => id,
    async ({ orderId }) => orderId,
  )
  same<typeof lost, FunctionReturnedPromise>(true)
}

export function keyed(): void {
  const both = orders.connect(payments).keyBy(
    ({ id }) => id,
    ({ orderId }) => orderId,
  )
  same<typeof both, KeyedConnectedStreams<string, Order, Payment>>(true)
  const tuple = orders.connect(payments).keyBy(
    ({ id, cents }) => [id, cents],
    ({ orderId, amount }) => [orderId, amount],
  )
  same<typeof tuple, KeyedConnectedStreams<readonly [string, number], Order, Payment>>(true)
  const other = orders.keyBy(({ id }) => id).connect(payments.keyBy(({ orderId }) => orderId))
  same<typeof other, KeyedConnectedStreams<string, Order, Payment>>(true)
  both
    .process<number>((context) => {
      const open = context.getState(new ValueStateDescriptor('open', { default: () => 0 }))
      return {
        processElement1({ cents }, at) {
          same<typeof at, KeyedContext<string>>(true)
          open.update(open.value() + cents)
          at.timerService().registerEventTimeTimer(1)
        },
        processElement2({ amount }, at, out) {
          open.update(open.value() - amount)
          out.collect(at.getCurrentKey().length)
        },
        onTimer(_, at, out) {
          same<typeof at, OnTimerContext<string>>(true)
          out.collect(open.value())
        },
      }
    })
    .map((cents) => cents.toFixed())
}

class Joined extends CoProcessFunction<Order, Payment, string> {
  override processElement1(order: Order, _: Context, out: Collector<string>) {
    out.collect(order.id)
  }
  override processElement2(payment: Payment, _: Context, out: Collector<string>) {
    out.collect(payment.orderId)
  }
}

class JoinedByKey extends KeyedCoProcessFunction<string, Order, Payment, string> {
  override processElement1(_: Order, context: KeyedContext<string>, out: Collector<string>) {
    out.collect(context.getCurrentKey())
  }
  override processElement2(): undefined {}
}

export function broadcast(): void {
  const ruled = rules.broadcast(byName, version)
  const unkeyed = orders.connect(ruled)
  same<typeof unkeyed, BroadcastConnectedStream<Order, Rule>>(true)
  unkeyed.process<Order>(() => ({
    processElement(order, at, out) {
      same<typeof at, ReadOnlyContext>(true)
      const known = at.getBroadcastState(byName)
      same<typeof known, ReadOnlyBroadcastState<string, Rule>>(true)
      for (const [name, { limit }] of known) if (order.cents > limit && name !== '') out.collect(order)
      at.timerService().currentWatermark()
    },
    processBroadcastElement(rule, at) {
      same<typeof at, BroadcastContext>(true)
      at.getBroadcastState(byName).put(rule.name, rule)
      at.getBroadcastState(version).set('version', at.currentProcessingTime())
    },
  }))
  const keyedOrders: KeyedStream<Order, string> = orders.keyBy(({ id }) => id)
  const keyedRules = keyedOrders.connect(ruled)
  same<typeof keyedRules, KeyedBroadcastConnectedStream<string, Order, Rule>>(true)
  const total = new ValueStateDescriptor('total', { default: () => 0 })
  const last = new ListStateDescriptor<Order>('last')
  keyedRules.process<string>(() => ({
    processElement(_, at) {
      same<typeof at, KeyedReadOnlyContext<string>>(true)
      at.timerService().registerProcessingTimeTimer(1)
    },
    processBroadcastElement({ limit }, at) {
      same<typeof at, KeyedBroadcastContext<string>>(true)
      at.applyToKeyedState(total, (key, state) => {
        same<typeof key, string>(true)
        same<typeof state, ValueState<number, number>>(true)
        if (state.value() > limit) state.clear()
      })
      at.applyToKeyedState(last, (_, state) => state.clear())
    },
    onTimer(_, at, out) {
      same<typeof at, ReadOnlyOnTimerContext<string>>(true)
      out.collect(at.getBroadcastState(byName).get(at.getCurrentKey())?.name ?? '')
    },
    initializeState: (context) => void context.getOperatorStateStore().getBroadcastState(version).set('version', 1),
  }))
}

class Ruled extends BroadcastProcessFunction<Order, Rule, string> {
  override processElement(order: Order, context: ReadOnlyContext, out: Collector<string>) {
    if (context.getBroadcastState(byName).has(order.id)) out.collect(order.id)
  }
  override processBroadcastElement(rule: Rule, context: BroadcastContext) {
    context.getBroadcastState(byName).set(rule.name, rule)
  }
}

class RuledByKey extends KeyedBroadcastProcessFunction<string, Order, Rule, string> {
  override processElement(_: Order, context: KeyedReadOnlyContext<string>, out: Collector<string>) {
    out.collect(context.getCurrentKey())
  }
  override processBroadcastElement(rule: Rule, context: KeyedBroadcastContext<string>) {
    context.getBroadcastState(byName).set(rule.name, rule)
  }
}

export function classes(): readonly SingleOutputStreamOperator<string>[] {
  const keyedOrders = orders.keyBy(({ id }) => id)
  return [
    orders.connect(payments).process(() => new Joined()),
    keyedOrders.connect(payments.keyBy(({ orderId }) => orderId)).process(() => new JoinedByKey()),
    orders.connect(rules.broadcast(byName)).process(() => new Ruled()),
    keyedOrders.connect(rules.broadcast(byName)).process(() => new RuledByKey()),
  ]
}

export function variance(both: ConnectedStreams<Order, Payment>): ConnectedStreams<{ readonly id: string }, unknown> {
  return both
}
