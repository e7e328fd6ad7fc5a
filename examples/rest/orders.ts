/** The job of docs/guides/rest.md: orders without end, and what each customer has spent so far. It is there to be operated. */
import {
  DataGeneratorSource,
  FileSink,
  StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from 'millrace'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
env.enableCheckpointing('2 s').getCheckpointConfig().setCheckpointStorage('data/checkpoints')
env.configure({ 'execution.checkpointing.savepoint-dir': 'data/savepoints' })
env
  .fromSource(
    new DataGeneratorSource((order) => ({ order, customer: order % 40, euros: order % 7 }), { ratePerSecond: 100 }),
    WatermarkStrategy.noWatermarks(),
    'orders',
  )
  .uid('orders')
  .keyBy(({ customer }) => customer)
  .process<{ readonly order: number; readonly customer: number; readonly spent: number }>((ctx) => {
    const spent = ctx.getState(new ValueStateDescriptor('spent', { default: () => 0 }))
    return {
      processElement({ order, customer, euros }, _, out) {
        spent.update(spent.value() + euros)
        out.collect({ order, customer, spent: spent.value() })
      },
    }
  })
  .name('totals')
  .uid('totals')
  .setParallelism(2)
  .sinkTo(FileSink.forJsonLines('data/totals'))
  .name('files')
  .uid('files')
  .setParallelism(1)

await env.execute('orders')
