/** What cannot be a key. Each sentence says what is wrong; the line below it must not compile. */
import type { SingleOutputStreamOperator } from '../../../src/index.ts'

interface Order {
  readonly id: string
  readonly amount: number
  readonly at: Date
  readonly note: string | undefined
  readonly tag?: string | undefined
}

declare const orders: SingleOutputStreamOperator<Order>

export function keysThatCannotBeKeys(): void {
  // @ts-expect-error keyBy: a Date cannot be a key: use getTime()
  orders.keyBy((order) => order.at)
  // @ts-expect-error keyBy: undefined cannot be a key
  orders.keyBy((order) => order.note)
  // @ts-expect-error keyBy: nor can a property that may be missing
  orders.keyBy((order) => order.tag)
  // @ts-expect-error keyBy: null cannot be a key
  orders.keyBy((order) => (order.amount > 1 ? order.id : null))
  // @ts-expect-error keyBy: a function cannot be a key
  orders.keyBy((order) => () => order.id)
  // @ts-expect-error keyBy: a promise cannot be a key
  orders.keyBy(async (order) => order.id)
  // @ts-expect-error keyBy: a Map cannot be a key
  orders.keyBy((order) => new Map([[order.id, 1]]))
  // @ts-expect-error keyBy: a Set cannot be a key
  orders.keyBy((order) => new Set([order.id]))
  // @ts-expect-error keyBy: bytes cannot be a key
  orders.keyBy((order) => new Uint8Array(order.amount))
  // @ts-expect-error keyBy: a symbol cannot be a key
  orders.keyBy((order) => Symbol.for(order.id))
  // @ts-expect-error keyBy: a regular expression cannot be a key
  orders.keyBy((order) => new RegExp(order.id))
  // @ts-expect-error keyBy: an error cannot be a key
  orders.keyBy((order) => new Error(order.id))
  // @ts-expect-error keyBy: a selector that returns nothing gives no key
  orders.keyBy((order) => void order.id)
}

export function partsThatCannotStandInAKey(): void {
  // @ts-expect-error keyBy: the whole record cannot be a key while a part of it is a Date
  orders.keyBy((order) => order)
  // @ts-expect-error keyBy: a Date cannot stand in a tuple either
  orders.keyBy((order) => [order.id, order.at])
  // @ts-expect-error keyBy: nor undefined
  orders.keyBy((order) => [order.id, order.note])
  // @ts-expect-error keyBy: nor a Date deeper in an object
  orders.keyBy((order) => ({ of: { id: order.id, at: order.at } }))
  // @ts-expect-error keyBy: what the key is, is not known
  orders.keyBy((order): unknown => order.id)
}
