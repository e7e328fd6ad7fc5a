/** Timestamps and watermarks of another type. Each sentence says what is wrong; the line below it must not compile. */
import {
  type SingleOutputStreamOperator,
  type Source,
  StreamExecutionEnvironment,
  WatermarkStrategy,
} from '../../../src/index.ts'

interface Order {
  readonly id: string
  readonly at: Date
}

const env = StreamExecutionEnvironment.getExecutionEnvironment()
declare const numbers: SingleOutputStreamOperator<number>
declare const orders: Source<Order>

export function ofAnotherType(): void {
  // @ts-expect-error fromSource: a strategy for another type
  env.fromSource(orders, WatermarkStrategy.noWatermarks<number>(), 'orders')
  // @ts-expect-error assignTimestampsAndWatermarks: a strategy for another type
  numbers.assignTimestampsAndWatermarks(WatermarkStrategy.noWatermarks<Order>())
  const byLength = WatermarkStrategy.forMonotonousTimestamps().withTimestampAssigner((line: string) => line.length)
  // @ts-expect-error fromSource: an assigner for another type
  env.fromSource(orders, byLength, 'orders')
  // @ts-expect-error fromSource: a stream of orders is no stream of numbers
  env.fromSource(orders, WatermarkStrategy.noWatermarks(), 'orders').map((order) => order.toFixed())
}

export function timestamps(): void {
  env.fromSource(
    orders,
    // @ts-expect-error timestampAssigner: a timestamp is a number of milliseconds, not a Date
    WatermarkStrategy.forMonotonousTimestamps({ timestampAssigner: (order) => order.at }),
    'orders',
  )
  // @ts-expect-error timestampAssigner: a record has no such property
  env.fromSource(orders, WatermarkStrategy.forMonotonousTimestamps({ timestampAssigner: (o) => o.time }), 'orders')
  // @ts-expect-error timestampAssigner: nobody waits for a timestamp
  WatermarkStrategy.forMonotonousTimestamps<Order>({ timestampAssigner: async () => 5 })
}

export function settings(): void {
  // @ts-expect-error forBoundedOutOfOrderness: a misspelt unit
  WatermarkStrategy.forBoundedOutOfOrderness('5 sconds')
  // @ts-expect-error idleness: a misspelt unit
  WatermarkStrategy.noWatermarks({ idleness: '1 minut' })
  // @ts-expect-error withIdleness: a misspelt unit
  WatermarkStrategy.noWatermarks().withIdleness('1 minut')
  // @ts-expect-error idleness: misspelt
  WatermarkStrategy.noWatermarks({ idlenes: '1 min' })
  // @ts-expect-error fromSource: the strategy was not called
  env.fromSource(orders, WatermarkStrategy.noWatermarks, 'orders')
  // @ts-expect-error fromSource: a source has a name
  env.fromSource(orders, WatermarkStrategy.noWatermarks())
  // @ts-expect-error forGenerator: a generator without onPeriodicEmit
  WatermarkStrategy.forGenerator<Order>(() => ({ onEvent() {} }))
}
