/** What the contract of the public doors says of streams, functions and state, type by type. */
import {
  type BroadcastStream,
  type CheckpointedFunction,
  type CollectedResults,
  type DataStream,
  type DataStreamSink,
  DiscardingSink,
  type ElementOf,
  type FunctionInitializationContext,
  type FunctionSnapshotContext,
  type JobClient,
  type KeyedStream,
  type ListState,
  ListStateDescriptor,
  MapStateDescriptor,
  OutputTag,
  ProcessFunction,
  type Serializer,
  type SingleOutputStreamOperator,
  StreamExecutionEnvironment,
  Time,
  ValueStateDescriptor,
  type WatermarkGenerator,
  WatermarkStrategy,
} from '../../../src/index.ts'
import { same } from './same.ts'

interface Order {
  readonly id: string
  readonly amount: number
}
interface LateOrder extends Order {
  readonly lateByMs: number
}
declare const orders: SingleOutputStreamOperator<Order>
declare const keyed: KeyedStream<Order, string>
declare const lateOrders: SingleOutputStreamOperator<LateOrder>
const env = StreamExecutionEnvironment.getExecutionEnvironment()

export function whatEachMethodGives(): void {
  const data = env.fromData(new Set([1, 2]))
  same<typeof data, SingleOutputStreamOperator<number>>(true)
  const sequence = env.fromSequence(1, 2)
  same<typeof sequence, SingleOutputStreamOperator<number>>(true)
  const moved = [orders.rebalance(), orders.rescale(), orders.shuffle(), orders.global(), orders.forward()] as const
  same<(typeof moved)[number], DataStream<Order>>(true)
  const everywhere = orders.broadcast()
  same<typeof everywhere, DataStream<Order>>(true)
  const rules = orders.broadcast(new MapStateDescriptor<string, Order>('a'), new MapStateDescriptor<number, Date>('b'))
  same<typeof rules, BroadcastStream<Order>>(true)
  const byRecord = orders.partitionCustom((order, partitions) => order.amount % partitions)
  same<typeof byRecord, DataStream<Order>>(true)
  const byKey = orders.partitionCustom(
    (id: string, partitions) => id.length % partitions,
    ({ id }) => id,
  )
  same<typeof byKey, DataStream<Order>>(true)
  const reduced = keyed.reduce((a) => a)
  same<typeof reduced, SingleOutputStreamOperator<Order>>(true)
  const end = orders.print('orders').uid('a').name('b').setParallelism(1).disableChaining()
  same<typeof end, DataStreamSink<Order>>(true)
  same<ElementOf<typeof keyed>, Order>(true)
  same<ElementOf<DataStream<string>>, string>(true)
  same<ElementOf<string>, never>(true)
  const literal = orders.filter((order): order is LateOrder => 'lateByMs' in order)
  same<typeof literal, SingleOutputStreamOperator<LateOrder>>(true)
}

/** A stream, a sink, a strategy, a collector: each may stand where a wider or a narrower one is due, never the other way. */
export function varianceOfWhatIsUsed(strategy: WatermarkStrategy<Order>): void {
  const wider: DataStream<Order> = lateOrders
  wider.map(({ id }) => id)
  lateOrders.assignTimestampsAndWatermarks(strategy)
  lateOrders.sinkTo(new DiscardingSink())
  lateOrders.process<LateOrder>(() => new Echo())
}

class Echo extends ProcessFunction<Order, never> {
  processElement(): void {}
}

export function strategies(create: () => WatermarkGenerator<Order>): void {
  const chained = WatermarkStrategy.forBoundedOutOfOrderness('5 s')
    .withIdleness(Time.minutes(1))
    .withTimestampAssigner((order: Order, recordTimestamp) => order.amount + recordTimestamp)
    .withIdleness(60_000)
  same<typeof chained, WatermarkStrategy<Order>>(true)
  orders.assignTimestampsAndWatermarks(chained)
  orders.assignTimestampsAndWatermarks(WatermarkStrategy.noWatermarks({ timestampAssigner: ({ amount }) => amount }))
  orders.assignTimestampsAndWatermarks(WatermarkStrategy.forGenerator(create, { idleness: '1 min' }))
}

export function outputsOfWiderTypes(): void {
  const tag = new OutputTag<Order>('late')
  const main = orders.process<Order>(() => ({
    processElement(order, context, out) {
      const timestamp = context.timestamp()
      same<typeof timestamp, number | undefined>(true)
      out.collect({ ...order, amount: 1 })
      context.output(tag, order)
    },
  }))
  const side = main.getSideOutput(tag)
  same<typeof side, DataStream<Order>>(true)
}

/** Everything but `processElement` is optional, in a class and in a literal; what runs once may wait. */
class Buffering extends ProcessFunction<Order, Order> implements CheckpointedFunction {
  #list: ListState<Order> | undefined
  readonly #open: Order[] = []

  override initializeState(context: FunctionInitializationContext): undefined {
    const store = context.getOperatorStateStore()
    this.#list = store.getListState(new ListStateDescriptor<Order>('open'))
    if (context.isRestored()) this.#open.push(...this.#list.get())
    store.getUnionListState(new ListStateDescriptor<Order>('all')).add({ id: '', amount: 0 })
    store.getBroadcastState(new MapStateDescriptor<string, number>('rules')).put('a', 1)
  }

  override snapshotState(context: FunctionSnapshotContext): undefined {
    this.#list?.update(context.getCheckpointId() > 0 ? this.#open : [])
  }

  override async notifyCheckpointComplete(checkpointId: number): Promise<void> {
    await Promise.resolve(checkpointId)
  }

  processElement(order: Order): void {
    this.#open.push(order)
  }
}

export function factories(): void {
  orders.process(() => new Buffering())
  orders.process(({ indexOfThisSubtask }) => ({
    open: async () => {},
    close: async () => {},
    notifyCheckpointAborted: async () => {},
    processElement: ({ id }) => void [id, indexOfThisSubtask],
  }))
}

const dates: Serializer<Date> = {
  id: 'date',
  version: 2,
  serialize: (date) => new TextEncoder().encode(date.toISOString()),
  deserialize: (bytes, version) => new Date(version === 1 ? bytes.length : new TextDecoder().decode(bytes)),
}

export function states(): void {
  keyed.process<Date>((context) => {
    const seen = context.getState(new ValueStateDescriptor('seen', { default: () => new Date(0), serializer: dates }))
    const days = context.getMapState(
      new MapStateDescriptor<readonly [string, number], Date>('m', { serializer: dates }),
    )
    return {
      processElement({ id, amount }, _, out) {
        seen.update(undefined)
        for (const [[name], date] of days) if (name === id) out.collect(date)
        for (const key of days.keys()) days.remove(key)
        days.set([id, amount], seen.value()).set([id, 0], seen.value())
        days.put([id, amount], seen.value())
        const had: boolean = days.delete([id, amount]) || days.contains([id, 0]) || days.isEmpty()
        if (had) days.clear()
      },
    }
  })
}

export async function results(): Promise<void> {
  await using collected: CollectedResults<Order> = await orders.executeAndCollect('name', {
    limit: 5,
    resume: 'latest',
  })
  const client: JobClient = collected.client
  const all: Promise<Order[]> = collected.toArray()
  console.log(client.jobId, await all)
  const loose: AsyncIterable<unknown> & AsyncDisposable = collected
  console.log(loose)
}
