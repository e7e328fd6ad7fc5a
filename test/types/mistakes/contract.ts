/** What the contract of the public doors rules out. Each sentence says what is wrong; the line below it must not compile. */
import {
  type Collector,
  DiscardingSink,
  type KeyedStream,
  MapStateDescriptor,
  ProcessFunction,
  type Serializer,
  type SingleOutputStreamOperator,
  StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../../src/index.ts'

interface Order {
  readonly id: string
  readonly amount: number
}
interface LateOrder extends Order {
  readonly lateByMs: number
}
const env = StreamExecutionEnvironment.getExecutionEnvironment()
declare const orders: SingleOutputStreamOperator<Order>
declare const lateOrders: SingleOutputStreamOperator<LateOrder>
declare const keyed: KeyedStream<Order, string>
const rules = orders.broadcast(new MapStateDescriptor<string, Order>('rules'))

class OfLateOrders extends ProcessFunction<LateOrder, never> {
  processElement(order: LateOrder): void {
    console.log(order.lateByMs)
  }
}

/** Left out, the output type is `never`: on every kind of stream, and nothing unknown goes on downstream. */
export function forgottenOutputs(): void {
  const silent = orders.process(() => ({ processElement() {} }))
  // @ts-expect-error process: of a function without output nothing is known
  silent.map((order) => order.id)
  // @ts-expect-error onTimer: the output type was forgotten
  keyed.process(() => ({ processElement() {}, onTimer: (_, at, out) => out.collect(at.getCurrentKey()) }))
  const both = keyed.connect(keyed)
  // @ts-expect-error processElement2: the output type was forgotten
  both.process(() => ({ processElement1() {}, processElement2: (order, _, out) => out.collect(order) }))
  const ruled = keyed.connect(rules)
  // @ts-expect-error processBroadcastElement: the output type was forgotten
  ruled.process(() => ({ processElement() {}, processBroadcastElement: (rule, _, out) => out.collect(rule) }))
}

export function variance(collector: Collector<LateOrder>, ofLate: WatermarkStrategy<LateOrder>): void {
  // @ts-expect-error Collector: one for late orders does not take any
  const wider: Collector<Order> = collector
  // @ts-expect-error WatermarkStrategy: one for late orders does not know any
  const ofAny: WatermarkStrategy<Order> = ofLate
  // @ts-expect-error process: a function for late orders does not take any
  orders.process(() => new OfLateOrders())
  // @ts-expect-error KeyedStream: the keys are of another type
  const byNumber: KeyedStream<Order, number> = keyed
  console.log(wider, ofAny, byNumber)
}

export function strategies(): void {
  // @ts-expect-error withTimestampAssigner: an assigner for another type than the strategy
  WatermarkStrategy.noWatermarks<Order>().withTimestampAssigner((text: string) => text.length)
  const ofOrders = WatermarkStrategy.noWatermarks().withTimestampAssigner(({ amount }: Order) => amount)
  // @ts-expect-error fromSource: the type survives the chain
  env.fromSequence(1, 2).assignTimestampsAndWatermarks(ofOrders.withIdleness('1 s'))
}

export function onlyOperators(): void {
  // @ts-expect-error setMaxParallelism: only what is an operator has one
  orders.rebalance().setMaxParallelism(2)
  // @ts-expect-error setMaxParallelism: a sink has no keys
  orders.sinkTo(new DiscardingSink()).setMaxParallelism(2)
  // @ts-expect-error setMaxParallelism: a number
  lateOrders.setMaxParallelism('128')
  // @ts-expect-error startNewChain: keyBy is no operator
  keyed.startNewChain()
}

export function partitioning(): void {
  const byAmount = (order: Order, partitions: number) => order.amount % partitions
  // @ts-expect-error partitionCustom: behind a selector the partitioner takes what that gives, not the record
  orders.partitionCustom(byAmount, ({ id }) => id)
  // @ts-expect-error partitionCustom: a selector is a function, not the name of a property
  orders.partitionCustom((id: string, n) => id.length % n, 'id')
}

export function functions(): void {
  // @ts-expect-error open: what was left out is undefined, not null
  orders.process(() => ({ processElement() {}, open: null }))
  // @ts-expect-error map: there is no rich map
  orders.map({ open() {}, map: (order: Order) => order.id })
  // @ts-expect-error filter: nor a rich filter
  orders.filter(() => ({ filter: () => true }))
}

export function serializers(dates: Serializer<Date>): void {
  // @ts-expect-error serialize: gives bytes, not text
  const text: Serializer<string> = { id: 't', version: 1, serialize: (value) => value, deserialize: () => '' }
  // @ts-expect-error serialize: nobody waits for bytes
  const later: Serializer<string> = { ...text, serialize: async () => new Uint8Array() }
  // @ts-expect-error serializer: of the values, not of the keys
  new MapStateDescriptor<Date, string>('m', { serializer: dates })
  // @ts-expect-error default: there on ValueStateDescriptor only
  new MapStateDescriptor<string, Date>('m', { default: () => new Map() })
  // @ts-expect-error default: gives a value of the state's type
  new ValueStateDescriptor<number>('v', { default: () => 'none' })
  console.log(later)
}
