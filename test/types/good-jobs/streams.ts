/** Element types are inferred from end to end. */
import {
  type DataStream,
  type ElementOf,
  FileSource,
  type FunctionReturnedPromise,
  type KeyedStream,
  type SingleOutputStreamOperator,
  StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../../src/index.ts'
import { same } from './same.ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()

interface Order {
  readonly id: string
  readonly customer: { readonly id: number; readonly country: 'de' | 'fr' }
  readonly amount: number
  readonly at: Date
}
declare const orders: SingleOutputStreamOperator<Order>

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
