/** Connected and broadcast streams, misused. Each sentence says what is wrong; the line below it must not compile. */
import {
  type BroadcastContext,
  BroadcastProcessFunction,
  type Collector,
  type Context,
  CoProcessFunction,
  type DataStream,
  DiscardingSink,
  type KeyedBroadcastContext,
  type KeyedContext,
  KeyedCoProcessFunction,
  type KeyedStream,
  MapStateDescriptor,
  type ReadOnlyContext,
  type ReadOnlyOnTimerContext,
  type SingleOutputStreamOperator,
  ValueStateDescriptor,
} from '../../../src/index.ts'

interface Order {
  readonly id: string
  readonly cents: number
  readonly at: Date
}
interface Rule {
  readonly name: string
  readonly limit: number
}
declare const orders: SingleOutputStreamOperator<Order>
declare const rules: DataStream<Rule>
declare const keyed: KeyedStream<Order, string>
declare const keyedByNumber: KeyedStream<Rule, number>
declare const idOf: (order: Order) => string
declare const nameOf: (rule: Rule) => string
declare const limitOf: (rule: Rule) => number
declare const rule: Rule
const byName = new MapStateDescriptor<string, Rule>('rules')
const total = new ValueStateDescriptor('total', { default: () => 0 })
const both = orders.connect(rules)
const ruled = rules.broadcast(byName)

export function connectedMaps(): void {
  // @ts-expect-error connect: another stream, not its records
  orders.connect([rule])
  // @ts-expect-error map: needs a function for each input
  both.map(idOf)
  // @ts-expect-error map: both functions give one type
  both.map(idOf, limitOf)
  // @ts-expect-error map: the first input has orders, not rules
  both.map(limitOf, limitOf)
  // @ts-expect-error map: one of the functions is async
  both.map(idOf, async ({ name }) => name)
  // @ts-expect-error map: so is the other
  both.map(async ({ id }) => id, nameOf)
  const laterId = async (order: Order) => order.id
  const laterName = async ({ name }: Rule) => name
  // @ts-expect-error map: functions that return promises lead nowhere
  both.map(laterId, laterName).sinkTo(new DiscardingSink())
  // @ts-expect-error flatMap: a string would be taken apart into characters
  both.flatMap((order) => [order.id], nameOf)
  // @ts-expect-error flatMap: a promise of an array is no iterable
  both.flatMap(async (order) => [order.id], nameOf)
}

export function connectedKeys(): void {
  // @ts-expect-error keyBy: needs a selector for each input
  both.keyBy(idOf)
  // @ts-expect-error keyBy: both keys have one type
  both.keyBy(idOf, limitOf)
  // @ts-expect-error keyBy: a Date cannot be a key
  both.keyBy((order) => order.at, nameOf)
  // @ts-expect-error keyBy: nor can undefined, on either side
  both.keyBy(idOf, () => undefined)
  const ofBoth = keyed.connect(keyedByNumber)
  // @ts-expect-error connect: keys of different types share no keyed state, so that there is no key
  ofBoth.process(() => ({ processElement1: (_, at) => void at.getCurrentKey(), processElement2() {} }))
  // @ts-expect-error process: without keyBy there is no key
  both.process(() => ({ processElement1: (_, at) => void at.getCurrentKey(), processElement2() {} }))
  const half = keyed.connect(rules)
  // @ts-expect-error process: one keyed side is not enough for a key
  half.process(() => ({ processElement1: (_, at) => void at.getCurrentKey(), processElement2() {} }))
}

export function connectedFunctions(): void {
  // @ts-expect-error process: a function of two inputs has two methods
  both.process<string>(() => ({ processElement1: (order, _, out) => out.collect(order.id) }))
  // @ts-expect-error process: a function of one input is none of two
  both.process(() => ({ processElement: (_: Order, at: Context) => void at.timestamp() }))
  // @ts-expect-error process: an async method would run beside the next record
  both.process<string>(() => ({ async processElement1() {}, processElement2() {} }))
  // @ts-expect-error process: a generator emits nothing; use out.collect
  both.process<string>(() => ({ processElement1() {}, *processElement2() {} }))
  // @ts-expect-error process: the output type was forgotten
  both.process(() => ({ processElement1: ({ id }, _, out) => out.collect(id), processElement2() {} }))
  // @ts-expect-error process: the second input has rules, not orders
  both.process<string>(() => ({ processElement1() {}, processElement2: (r, _, out) => out.collect(r.id) }))
  // @ts-expect-error process: wants a factory; one object would be shared by all subtasks
  both.process(new OfOrders())
  // @ts-expect-error process: the function is for other inputs
  rules.connect(rules).process(() => new OfOrders())
  // @ts-expect-error process: the function gives strings
  both.process<number>(() => new OfOrders())
  // @ts-expect-error process: the function is for another type of key
  keyed.connect(keyed).process(() => new ByNumber())
  // @ts-expect-error process: a keyed function on streams without keys
  orders.connect(orders).process(() => new ByNumber())
}

export function broadcastStreams(): void {
  // @ts-expect-error broadcast: its state is map state
  rules.broadcast(total)
  // @ts-expect-error broadcast: a name is no descriptor
  rules.broadcast('rules')
  // @ts-expect-error broadcast: such a stream is only there to be connected
  ruled.filter(nameOf)
  // @ts-expect-error connect: the broadcast stream is the second one
  ruled.connect(orders)
  // @ts-expect-error process: is all that a stream connected with a broadcast one has
  orders.connect(ruled).map(idOf, nameOf)
  // @ts-expect-error process: a broadcast function has processBroadcastElement
  orders.connect(ruled).process(() => ({ processElement() {} }))
  // @ts-expect-error process: a broadcast function is none of two plain inputs
  both.process(() => new Ruled())
  // @ts-expect-error process: and one of two plain inputs none of a broadcast
  orders.connect(ruled).process(() => new OfOrders())
  // @ts-expect-error process: an async method would run beside the next record
  orders.connect(ruled).process(() => ({ processElement() {}, async processBroadcastElement() {} }))
  const connected = orders.connect(ruled)
  // @ts-expect-error process: the output type was forgotten
  connected.process(() => ({ processElement: (o, _, out) => out.collect(o), processBroadcastElement() {} }))
}

export function broadcastStates(
  readOnly: ReadOnlyContext,
  onTimer: ReadOnlyOnTimerContext<string>,
  writable: BroadcastContext,
  keyedWritable: KeyedBroadcastContext<string>,
): void {
  // @ts-expect-error getBroadcastState: only the broadcast side writes
  readOnly.getBroadcastState(byName).set('a', rule)
  // @ts-expect-error getBroadcastState: nor may the other side clear
  readOnly.getBroadcastState(byName).clear()
  // @ts-expect-error getBroadcastState: nor may timers
  onTimer.getBroadcastState(byName).remove('a')
  // @ts-expect-error getBroadcastState: the value is a rule
  writable.getBroadcastState(byName).put('a', rule.limit)
  // @ts-expect-error getBroadcastState: the key is a string
  writable.getBroadcastState(byName).put(1, rule)
  // @ts-expect-error getBroadcastState: is map state
  writable.getBroadcastState(total)
  // @ts-expect-error getCurrentKey: the broadcast side has none
  keyedWritable.getCurrentKey()
  // @ts-expect-error timerService: the broadcast side sets no timers
  keyedWritable.timerService().registerEventTimeTimer(1)
  // @ts-expect-error timerService: without a key nobody does
  readOnly.timerService().registerEventTimeTimer(1)
  // @ts-expect-error applyToKeyedState: without a key there is no keyed state
  writable.applyToKeyedState(total, () => {})
  // @ts-expect-error applyToKeyedState: does not wait
  keyedWritable.applyToKeyedState(total, async (_, state) => state.clear())
}

class OfOrders extends CoProcessFunction<Order, Rule, string> {
  override processElement1(order: Order, _: Context, out: Collector<string>) {
    out.collect(order.id)
  }
  override processElement2(rule: Rule, _: Context, out: Collector<string>) {
    out.collect(rule.name)
  }
}

class ByNumber extends KeyedCoProcessFunction<number, Order, Order, number> {
  override processElement1(_: Order, context: KeyedContext<number>, out: Collector<number>) {
    out.collect(context.getCurrentKey())
  }
  override processElement2(): undefined {}
}

class Ruled extends BroadcastProcessFunction<Order, Rule, string> {
  override processElement(order: Order, context: ReadOnlyContext, out: Collector<string>) {
    if (context.getBroadcastState(byName).has(order.id)) out.collect(order.id)
  }
  override processBroadcastElement(rule: Rule, context: BroadcastContext) {
    context.getBroadcastState(byName).set(rule.name, rule)
  }
}
