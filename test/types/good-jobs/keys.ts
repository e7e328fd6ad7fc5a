/** Keys keep their types. */
import type { KeyedStream, SingleOutputStreamOperator } from '../../../src/index.ts'
import { same } from './same.ts'

interface Order {
  readonly id: string
  readonly customer: { readonly id: number; readonly country: 'de' | 'fr' }
  readonly amount: number
  readonly at: Date
}
type CustomerId = string & { readonly brand: 'CustomerId' }
declare const orders: SingleOutputStreamOperator<Order>
declare const customerOf: (order: Order) => CustomerId

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
