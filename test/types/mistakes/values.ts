/** A value where an iterable, a promise or a boolean is given. Each sentence says what is wrong; the line below it must not compile. */
import {
  DiscardingSink,
  type KeyedStream,
  type SingleOutputStreamOperator,
  StreamExecutionEnvironment,
} from '../../../src/index.ts'

interface Order {
  readonly id: string
  readonly amount: number
}

const env = StreamExecutionEnvironment.getExecutionEnvironment()
declare const orders: SingleOutputStreamOperator<Order>
declare const keyed: KeyedStream<Order, string>

export function map(): void {
  // @ts-expect-error map: an async function gives a promise, which leads nowhere
  orders.map(async (order) => order.id).sinkTo(new DiscardingSink())
  // @ts-expect-error map: so does a function that returns a promise
  orders.map((order) => Promise.resolve(order.id)).map((id) => id)
  // @ts-expect-error map: what comes out has the type of what is returned
  orders.map((order) => order.id).map((id) => id.amount)
  // @ts-expect-error map: a record has no such property
  orders.map((order) => order.identifier)
}

export function flatMap(): void {
  // @ts-expect-error flatMap: a string would be taken apart into characters
  orders.flatMap((order) => order.id)
  // @ts-expect-error flatMap: a promise of an array is no iterable
  orders.flatMap(async (order) => [order])
  // @ts-expect-error flatMap: a single record is no iterable
  orders.flatMap((order) => order.amount)
  // @ts-expect-error flatMap: an array or nothing is no iterable: return an empty array
  orders.flatMap((order) => (order.amount > 1 ? [order] : undefined))
  // @ts-expect-error flatMap: an async generator is not run
  orders.flatMap(async function* (order) {
    yield order
  })
}

export function filter(): void {
  // @ts-expect-error filter: an async predicate would be true for every record
  orders.filter(async (order) => order.amount > 1)
  // @ts-expect-error filter: a predicate returns a boolean
  orders.filter((order) => order.id)
  // @ts-expect-error filter: a number is no boolean
  orders.filter((order) => order.amount)
}

export function reduce(): void {
  // @ts-expect-error reduce: both sides and the result have the type of the stream
  keyed.reduce((a, b) => a.amount + b.amount)
  // @ts-expect-error reduce: an async function gives a promise
  keyed.reduce(async (a) => a)
  // @ts-expect-error reduce: a part of the record is no record
  keyed.reduce((a, b) => ({ amount: a.amount + b.amount }))
  // @ts-expect-error reduce: there on keyed streams only
  orders.reduce((a) => a)
}

export function fromValues(): void {
  // @ts-expect-error fromData: a string would be taken apart into characters
  env.fromData('words')
  // @ts-expect-error fromData: a single value is no iterable
  env.fromData(5)
  // @ts-expect-error fromSequence: both ends are numbers
  env.fromSequence('1', 5)
}

export function partitioning(): void {
  // @ts-expect-error partitionCustom: a partition is a number
  orders.partitionCustom((order) => order.id)
  // @ts-expect-error partitionCustom: nobody waits for a partition
  orders.partitionCustom(async () => 0)
  orders.partitionCustom(
    (key: number, partitions) => key % partitions,
    // @ts-expect-error partitionCustom: the partitioner gets what the selector gives
    (order) => order.id,
  )
}

export function streamsOfSeveralTypes(): void {
  // @ts-expect-error union: orders and numbers have no id in every record
  orders.union(env.fromSequence(1, 2)).map((value) => value.id)
  // @ts-expect-error union: takes streams, not an array of them
  orders.union([orders])
}
