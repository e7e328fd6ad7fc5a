/** Partitioning, and the settings of operators and of the environment. */
import {
  CollectSink,
  DiscardingSink,
  type SingleOutputStreamOperator,
  StreamExecutionEnvironment,
  Time,
  TimeUnit,
} from '../../../src/index.ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()

interface Order {
  readonly id: string
  readonly customer: { readonly id: number; readonly country: 'de' | 'fr' }
  readonly amount: number
  readonly at: Date
}
declare const orders: SingleOutputStreamOperator<Order>

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
