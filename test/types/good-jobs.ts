/** Jobs that must compile without a cast and without an annotation that inference could give. */
import {
  type Collector,
  CollectSink,
  type Context,
  type DataStream,
  DiscardingSink,
  defineSink,
  defineSource,
  type ElementOf,
  FileSink,
  FileSource,
  type FunctionReturnedPromise,
  type KeyedContext,
  KeyedProcessFunction,
  type KeyedStream,
  ListStateDescriptor,
  MapStateDescriptor,
  type OnTimerContext,
  OutputTag,
  ProcessFunction,
  ReducingStateDescriptor,
  type RuntimeContext,
  type SingleOutputStreamOperator,
  StreamExecutionEnvironment,
  Time,
  TimeUnit,
  type ValueState,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../src/index.ts'

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false
/** Compiles only where both types are the same. */
function same<A, B>(_proof: Same<A, B>): void {}

const env = StreamExecutionEnvironment.getExecutionEnvironment()

interface Order {
  readonly id: string
  readonly customer: { readonly id: number; readonly country: 'de' | 'fr' }
  readonly amount: number
  readonly at: Date
}
type CustomerId = string & { readonly brand: 'CustomerId' }
declare const orders: SingleOutputStreamOperator<Order>
declare const customerOf: (order: Order) => CustomerId

export async function shortestJob(): Promise<void> {
  env.enableCheckpointing(1000).getCheckpointConfig().setCheckpointStorage('file:///var/lib/wordcount')
  env
    .fromSource(FileSource.forLines('books/*.txt'), WatermarkStrategy.noWatermarks(), 'lines')
    .flatMap((line) => line.toLowerCase().match(/\p{L}+/gu) ?? [])
    .map((word) => ({ word, count: 1 }))
    .keyBy(({ word }) => word)
    .reduce((a, b) => ({ word: a.word, count: a.count + b.count }))
    .sinkTo(FileSink.forJsonLines('counts/'))
  await env.execute('word count')
}

export function elementTypesAreInferred(): void {
  const mapped = orders.map((order) => order.amount)
  same<typeof mapped, SingleOutputStreamOperator<number>>(true)
  const pairs = orders.flatMap((order) => [[order.id, order.amount] as const])
  same<ElementOf<typeof pairs>, readonly [string, number]>(true)
  const generated = orders.flatMap(function* (order) {
    yield order.id
  })
  same<ElementOf<typeof generated>, string>(true)
  const present = env.fromData([1, undefined, 2]).filter((value) => value !== undefined)
  same<ElementOf<typeof present>, number>(true)
  const either = orders.union(mapped, generated)
  same<ElementOf<typeof either>, Order | number | string>(true)
  const promised = orders.map(async (order) => order)
  same<typeof promised, FunctionReturnedPromise>(true)
  const parsed = env.fromData(['{}']).map((text) => JSON.parse(text))
  parsed.map((value: unknown) => typeof value)
  same<ElementOf<ReturnType<typeof env.fromSequence>>, number>(true)
  const timed = orders.assignTimestampsAndWatermarks(
    WatermarkStrategy.forBoundedOutOfOrderness('5 s', { timestampAssigner: (order) => order.at.getTime() }),
  )
  same<typeof timed, SingleOutputStreamOperator<Order>>(true)
  env.fromSource(
    FileSource.forLines('in'),
    WatermarkStrategy.forMonotonousTimestamps({ timestampAssigner: (line) => line.length, idleness: '1 min' }),
    'lines',
  )
  env.fromSource(
    FileSource.forLines('in'),
    WatermarkStrategy.forMonotonousTimestamps()
      .withTimestampAssigner((line: string) => line.length)
      .withIdleness('1 min'),
    'lines',
  )
}

export function keysKeepTheirTypes(): void {
  const byString = orders.keyBy((order) => order.id)
  same<typeof byString, KeyedStream<Order, string>>(true)
  const byTuple = orders.keyBy((order) => [order.id, order.amount])
  same<typeof byTuple, KeyedStream<Order, readonly [string, number]>>(true)
  const byObject = orders.keyBy((order) => order.customer)
  same<typeof byObject, KeyedStream<Order, Order['customer']>>(true)
  const byLiteral = orders.keyBy((order) => order.customer.country)
  same<typeof byLiteral, KeyedStream<Order, 'de' | 'fr'>>(true)
  const byBrand = orders.keyBy(customerOf)
  same<typeof byBrand, KeyedStream<Order, CustomerId>>(true)
  const byFresh = orders.keyBy((order) => ({ id: order.id, country: order.customer.country }))
  byFresh.process<string>(() => ({
    processElement(_order, context, out) {
      out.collect(`${context.getCurrentKey().id} ${context.getCurrentKey().country}`)
    },
  }))
  orders.keyBy((order) => order.amount > 1)
  orders.keyBy((order) => BigInt(order.amount))
}

/** A part of a job that works for every record with an id. */
export function firstOfEachId<T extends { readonly id: string }>(stream: DataStream<T>): DataStream<T> {
  return stream
    .keyBy((value): string => value.id)
    .process<T>((context) => {
      const seen = context.getState(new ValueStateDescriptor('seen', { default: () => false }))
      return {
        processElement(value, _context, out) {
          if (!seen.value()) out.collect(value)
          seen.update(true)
        },
      }
    })
}

export function streamsOfSubtypes(): void {
  const records: DataStream<{ readonly id: string }> = orders
  const keyed: KeyedStream<{ readonly id: string }, string> = orders.keyBy((order) => order.id)
  firstOfEachId(orders).map((order) => order.amount)
  records.union(keyed)
}

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

export function partitioningAndSettings(): void {
  orders
    .rebalance()
    .rescale()
    .shuffle()
    .global()
    .forward()
    .broadcast()
    .partitionCustom((order, n) => order.amount % n)
  orders.partitionCustom(
    (id: string, n) => id.length % n,
    (order) => order.id,
  )
  orders
    .map((order) => order.id)
    .uid('ids')
    .name('ids')
    .setParallelism(2)
    .setMaxParallelism(256)
    .withSerializer({
      id: 'text',
      version: 1,
      serialize: (id) => Buffer.from(id),
      deserialize: (bytes) => bytes.toString(),
    })
    .startNewChain()
    .disableChaining()
    .map((id) => id.length)
    .print('length')
    .uid('print')
    .name('print')
    .setParallelism(1)
    .disableChaining()
  orders.sinkTo(new DiscardingSink())
  const everything = new CollectSink<unknown>()
  orders.sinkTo(everything)
  env.getCheckpointConfig().setAlignedCheckpointTimeout(Time.of(1, TimeUnit.MINUTES)).setAlignedCheckpointTimeout(500)
}

interface Row {
  readonly id: string
}
interface Database {
  stage(row: Row): void
  prepareTransaction(): Promise<string>
  commit(ids: readonly string[]): Promise<void>
}
declare const connect: () => Promise<Database>
declare const rows: SingleOutputStreamOperator<Row>
declare const subscribe: (
  id: string,
  options: { readonly from: number; readonly signal: AbortSignal },
) => AsyncIterable<{ readonly seq: number; readonly at: number }>

export function ownEnds(): void {
  const ticks = defineSource({
    boundedness: 'continuous-unbounded',
    splits: () => ['EURUSD', 'USDJPY'],
    start: () => 0,
    async *read(split, position, signal) {
      for await (const t of subscribe(split, { from: position, signal }))
        yield { value: t, position: t.seq + 1, timestamp: t.at }
    },
  })
  const stream = env.fromSource(
    ticks,
    WatermarkStrategy.forMonotonousTimestamps({ timestampAssigner: (tick) => tick.at }),
    'ticks',
  )
  same<ElementOf<typeof stream>, { readonly seq: number; readonly at: number }>(true)
  rows.sinkTo(
    defineSink({
      open: () => connect(),
      write: (db, row: Row) => db.stage(row),
      prepare: (db) => db.prepareTransaction(),
      commit: (db, ids) => db.commit(ids),
    }),
  )
}

export async function inAnApplication(signal: AbortSignal): Promise<void> {
  await using client = await env.executeAsync('name', { signal })
  const id: string = client.jobId
  if ((await client.getJobStatus()) === 'RUNNING') await client.triggerCheckpoint()
  for await (const event of client.events()) if (event.type === 'job.status') console.log(id, event.status)
  await client.suspend({ timeoutMs: 10_000 })
  await client.cancel()
  const { jobId, netRuntimeMs } = await client.getJobExecutionResult()
  console.log(jobId, netRuntimeMs)
}
