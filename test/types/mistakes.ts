/** The typical mistakes: none of them compiles. Each sentence says what is wrong; remove the mistake and the line above it complains. */
import {
  type Collector,
  type Context,
  DiscardingSink,
  type KeyedContext,
  KeyedProcessFunction,
  type KeyedStream,
  OutputTag,
  ProcessFunction,
  type SingleOutputStreamOperator,
  type Sink,
  type Source,
  StreamExecutionEnvironment,
  Time,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../src/index.ts'

interface Order {
  readonly id: string
  readonly amount: number
  readonly at: Date
  readonly note: string | undefined
}

const env = StreamExecutionEnvironment.getExecutionEnvironment()
declare const orders: SingleOutputStreamOperator<Order>
declare const numbers: SingleOutputStreamOperator<number>
declare const keyed: KeyedStream<Order, string>
declare const ofNumbers: Sink<number>
declare const numbersSource: Source<number>
declare const unitFromElsewhere: string

export function valuesThatAreDue(): void {
  // @ts-expect-error map: an async function gives a promise, which leads nowhere
  orders.map(async (order) => order.id).sinkTo(new DiscardingSink())
  // @ts-expect-error map: so does a function that returns a promise
  orders.map((order) => Promise.resolve(order.id)).map((id) => id)
  // @ts-expect-error flatMap: a string would be taken apart into characters
  orders.flatMap((order) => order.id)
  // @ts-expect-error flatMap: a promise of an array is no iterable
  orders.flatMap(async (order) => [order])
  // @ts-expect-error flatMap: a single record is no iterable
  orders.flatMap((order) => order.amount)
  // @ts-expect-error filter: an async predicate would be true for every record
  orders.filter(async (order) => order.amount > 1)
  // @ts-expect-error filter: a predicate returns a boolean
  orders.filter((order) => order.id)
  // @ts-expect-error reduce: both sides and the result have the type of the stream
  keyed.reduce((a, b) => a.amount + b.amount)
  // @ts-expect-error reduce: an async function gives a promise
  keyed.reduce(async (a) => a)
  // @ts-expect-error fromData: a string would be taken apart into characters
  env.fromData('words')
}

export function keysThatCannotBeKeys(): void {
  // @ts-expect-error a Date cannot be a key: use getTime()
  orders.keyBy((order) => order.at)
  // @ts-expect-error undefined cannot be a key
  orders.keyBy((order) => order.note)
  // @ts-expect-error null cannot be a key
  orders.keyBy((order) => (order.amount > 1 ? order.id : null))
  // @ts-expect-error a function cannot be a key
  orders.keyBy((order) => () => order.id)
  // @ts-expect-error a promise cannot be a key
  orders.keyBy(async (order) => order.id)
  // @ts-expect-error a Map cannot be a key
  orders.keyBy((order) => new Map([[order.id, 1]]))
  // @ts-expect-error a Set cannot be a key
  orders.keyBy((order) => new Set([order.id]))
  // @ts-expect-error bytes cannot be a key
  orders.keyBy((order) => new Uint8Array(order.amount))
  // @ts-expect-error a symbol cannot be a key
  orders.keyBy((order) => Symbol.for(order.id))
  // @ts-expect-error the whole record cannot be a key while a part of it is a Date
  orders.keyBy((order) => order)
  // @ts-expect-error a Date cannot stand in a tuple either
  orders.keyBy((order) => [order.id, order.at])
  // @ts-expect-error nor deeper in an object
  orders.keyBy((order) => ({ of: { id: order.id, at: order.at } }))
  // @ts-expect-error what the key is, is not known
  orders.keyBy((order): unknown => order.id)
}

class CountPerKey extends KeyedProcessFunction<string, Order, number> {
  processElement(_order: Order, _context: KeyedContext<string>, out: Collector<number>): void {
    out.collect(1)
  }
}

class NumbersOnly extends ProcessFunction<number, string> {
  processElement(value: number, _context: Context, out: Collector<string>): void {
    out.collect(String(value))
  }
}

class Generator extends ProcessFunction<number, number> {
  // @ts-expect-error a generator is not run: emit with out.collect
  override *processElement(value: number): Generator {
    yield value
  }
}

class Waiting extends KeyedProcessFunction<string, Order, number> {
  processElement(): void {}
  // @ts-expect-error a timer does not wait
  override async onTimer(): Promise<void> {}
}

class WaitingSnapshot extends ProcessFunction<number, number> {
  processElement(): void {}
  // @ts-expect-error a snapshot does not wait
  override async snapshotState(): Promise<void> {}
}

export function functionsInTheWrongPlace(): void {
  // @ts-expect-error a keyed function on an unkeyed stream
  orders.process(() => new CountPerKey())
  // @ts-expect-error a function for records of another type
  orders.process(() => new NumbersOnly())
  // @ts-expect-error a keyed function for keys of another type
  orders.keyBy((order) => order.amount).process(() => new CountPerKey())
  // @ts-expect-error a function where a factory is due: two subtasks would share it
  keyed.process(new CountPerKey())
  // @ts-expect-error there is no key on an unkeyed stream
  orders.process<string>(() => ({ processElement: (_order, context) => void context.getCurrentKey() }))
  // @ts-expect-error reduce is there on keyed streams only
  numbers.reduce((a, b) => a + b)
  orders.process(() => ({
    processElement(order, _context, out) {
      // @ts-expect-error the output type was forgotten: process<Order>(…)
      out.collect(order)
    },
  }))
  orders.process<number>(() => ({
    processElement(order, _context, out) {
      // @ts-expect-error the output is of another type
      out.collect(order.id)
    },
  }))
  orders.process<number>(() => ({
    // @ts-expect-error processElement does not wait
    async processElement(order, _context, out) {
      out.collect(order.amount)
    },
  }))
  keyed.process<number>((context) => {
    const count = context.getState(new ValueStateDescriptor<number>('count'))
    return {
      processElement(_order, _context, out) {
        // @ts-expect-error there may be no value yet
        out.collect(count.value() + 1)
      },
    }
  })
}

export function outputsOfAnotherType(): void {
  // @ts-expect-error a sink for another type
  orders.sinkTo(ofNumbers)
  const late = new OutputTag<Order>('late')
  numbers.process<number>(() => ({
    processElement(value, context, out) {
      // @ts-expect-error the tag is for another type
      context.output(late, value)
      out.collect(value)
    },
  }))
  // @ts-expect-error a side output keeps the type of its tag
  orders.getSideOutput(late).map((order) => order.unknown)
  // @ts-expect-error only what is an operator has a name
  orders.rebalance().name('rebalanced')
  // @ts-expect-error a union of orders and numbers has no id in every record
  orders.union(numbers).map((value) => value.id)
  orders.partitionCustom(
    (key: number, partitions) => key % partitions,
    // @ts-expect-error the partitioner gets what the selector gives
    (order) => order.id,
  )
}

export function settings(): void {
  // @ts-expect-error a misspelt unit
  env.getCheckpointConfig().setCheckpointTimeout('10 sconds')
  // @ts-expect-error text from elsewhere goes through Time.parse
  env.getCheckpointConfig().setCheckpointTimeout(unitFromElsewhere)
  env.getCheckpointConfig().setCheckpointTimeout(Time.parse(unitFromElsewhere))
  // @ts-expect-error there is no such mode
  env.getCheckpointConfig().setCheckpointingMode('EXACTLY_TWICE')
  // @ts-expect-error there is no such backend
  env.setStateBackend('rocksdb')
  // @ts-expect-error there is no such retention
  env.getCheckpointConfig().setExternalizedCheckpointRetention('RETAIN')
  // @ts-expect-error a strategy for another type
  env.fromSource(numbersSource, WatermarkStrategy.noWatermarks<Order>(), 'numbers')
  // @ts-expect-error a strategy for another type
  numbers.assignTimestampsAndWatermarks(WatermarkStrategy.noWatermarks<Order>())
}

export const used = [Waiting, WaitingSnapshot, Generator]
