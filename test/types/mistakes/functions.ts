/** Functions that keep something, in the wrong place or form. Each sentence says what is wrong; the line below it must not compile. */
import {
  type Collector,
  type Context,
  type KeyedContext,
  KeyedProcessFunction,
  type KeyedStream,
  ProcessFunction,
  type SingleOutputStreamOperator,
} from '../../../src/index.ts'

interface Order {
  readonly id: string
  readonly amount: number
}

declare const orders: SingleOutputStreamOperator<Order>
declare const keyed: KeyedStream<Order, string>

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
  // @ts-expect-error processElement: a generator is not run: emit with out.collect
  override *processElement(value: number): Generator {
    yield value
  }
}

class WaitingElement extends ProcessFunction<number, number> {
  // @ts-expect-error processElement: does not wait
  override async processElement(): Promise<void> {}
}

class WaitingTimer extends KeyedProcessFunction<string, Order, number> {
  processElement(): void {}
  // @ts-expect-error onTimer: a timer does not wait
  override async onTimer(): Promise<void> {}
}

class WaitingSnapshot extends ProcessFunction<number, number> {
  processElement(): void {}
  // @ts-expect-error snapshotState: a snapshot does not wait
  override async snapshotState(): Promise<void> {}
}

class WaitingInitialization extends ProcessFunction<number, number> {
  processElement(): void {}
  // @ts-expect-error initializeState: does not wait; open may
  override async initializeState(): Promise<void> {}
}

// @ts-expect-error processElement: a function without it processes nothing
class Forgotten extends ProcessFunction<number, number> {}

export function inTheWrongPlace(): void {
  // @ts-expect-error process: a keyed function on an unkeyed stream
  orders.process(() => new CountPerKey())
  // @ts-expect-error process: a keyed function behind a rebalance, which drops the key
  keyed.rebalance().process(() => new CountPerKey())
  // @ts-expect-error process: a function for records of another type
  orders.process(() => new NumbersOnly())
  // @ts-expect-error process: a keyed function for keys of another type
  orders.keyBy((order) => order.amount).process(() => new CountPerKey())
  // @ts-expect-error process: a function where a factory is due: two subtasks would share it
  keyed.process(new CountPerKey())
  // @ts-expect-error process: the class where a factory is due
  keyed.process(CountPerKey)
  // @ts-expect-error process: a factory does not wait; open may
  keyed.process(async () => new CountPerKey())
  // @ts-expect-error getCurrentKey: there is no key on an unkeyed stream
  orders.process<string>(() => ({ processElement: (_order, context) => void context.getCurrentKey() }))
  // @ts-expect-error processElement: misspelt
  orders.process<string>(() => ({ processElemnt: () => {} }))
}

export function ofAnotherOutput(): void {
  orders.process(() => ({
    processElement(order, _context, out) {
      // @ts-expect-error process: the output type was forgotten: process<Order>(…)
      out.collect(order)
    },
  }))
  keyed.process(() => ({
    processElement(order, _context, out) {
      // @ts-expect-error process: so on a keyed stream
      out.collect(order.amount)
    },
  }))
  orders.process<number>(() => ({
    processElement(order, _context, out) {
      // @ts-expect-error collect: the output is of another type
      out.collect(order.id)
    },
  }))
  orders.process<number>(() => ({
    // @ts-expect-error processElement: does not wait in an object literal either
    async processElement(order, _context, out) {
      out.collect(order.amount)
    },
  }))
  orders.process<number>(() => ({
    // @ts-expect-error processElement: what it returns would be lost
    processElement(order) {
      return order.amount
    },
  }))
  // @ts-expect-error process: what comes out has the type of the function's output
  keyed.process(() => new CountPerKey()).map((count) => count.id)
}

export function timers(): void {
  keyed.process<number>(() => ({
    processElement(_order, context) {
      // @ts-expect-error registerEventTimeTimer: times are milliseconds, not Dates
      context.timerService().registerEventTimeTimer(new Date())
      // @ts-expect-error registerProcessingTimeTimer: a time, not a duration
      context.timerService().registerProcessingTimeTimer('10 s')
      // @ts-expect-error getCurrentKey: the key has the type of the stream's
      context.getCurrentKey().toFixed()
      // @ts-expect-error timestamp: a record may have none
      context.timestamp().toFixed()
    },
    onTimer(_timestamp, context) {
      // @ts-expect-error timeDomain: 'event-time' or 'processing-time'
      if (context.timeDomain() === 'event') return
    },
  }))
}

export const used = [Generator, WaitingElement, WaitingTimer, WaitingSnapshot, WaitingInitialization, Forgotten]
