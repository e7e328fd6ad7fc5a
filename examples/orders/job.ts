/**
 * The job of docs/guides/state-and-timers.md: an order that is not paid within fifteen minutes is cancelled. Keyed state of
 * several kinds, an event-time timer that is deleted again, and operator state.
 */
import {
  AggregatingStateDescriptor,
  type ListState,
  ListStateDescriptor,
  MapStateDescriptor,
  StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from 'millrace'

const MINUTE = 60_000
const PAY_WITHIN = 15 * MINUTE

interface OrderEvent {
  readonly type: 'placed' | 'paid'
  readonly order: string
  readonly customer: string
  readonly euros: number
  readonly minute: number
}
interface Outcome {
  readonly order: string
  readonly customer: string
  readonly euros: number
  readonly paid: boolean
}

const events: OrderEvent[] = [
  { type: 'placed', order: 'o1', customer: 'ann', euros: 30, minute: 0 },
  { type: 'placed', order: 'o2', customer: 'bob', euros: 20, minute: 5 },
  { type: 'paid', order: 'o1', customer: 'ann', euros: 30, minute: 10 },
  { type: 'placed', order: 'o3', customer: 'ann', euros: 50, minute: 12 },
  { type: 'paid', order: 'o3', customer: 'ann', euros: 50, minute: 20 },
  { type: 'placed', order: 'o4', customer: 'bob', euros: 10, minute: 40 },
  { type: 'paid', order: 'o4', customer: 'bob', euros: 10, minute: 41 },
]

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const outcomes = env
  .fromData(events)
  .uid('events')
  .assignTimestampsAndWatermarks(
    WatermarkStrategy.forBoundedOutOfOrderness('5 min', { timestampAssigner: ({ minute }) => minute * MINUTE }),
  )
  .keyBy(({ order }) => order)
  .process<Outcome>((ctx) => {
    const placed = ctx.getState(new ValueStateDescriptor<OrderEvent>('placed'))
    const deadline = (event: OrderEvent) => event.minute * MINUTE + PAY_WITHIN
    return {
      processElement(event, context, out) {
        const timers = context.timerService()
        if (event.type === 'placed') {
          placed.update(event)
          timers.registerEventTimeTimer(deadline(event))
          return
        }
        const before = placed.value()
        if (before === undefined) return // cancelled already, or never placed
        timers.deleteEventTimeTimer(deadline(before))
        placed.clear()
        out.collect({ order: event.order, customer: event.customer, euros: event.euros, paid: true })
      },
      onTimer(_, context, out) {
        const order = placed.value()
        placed.clear()
        if (order !== undefined)
          out.collect({ order: context.getCurrentKey(), customer: order.customer, euros: order.euros, paid: false })
      },
    }
  })
  .name('pay or cancel')
  .uid('outcomes')

interface Mean {
  readonly sum: number
  readonly count: number
}
const mean = {
  createAccumulator: (): Mean => ({ sum: 0, count: 0 }),
  add: (euros: number, { sum, count }: Mean): Mean => ({ sum: sum + euros, count: count + 1 }),
  getResult: ({ sum, count }: Mean) => sum / count,
  merge: (a: Mean, b: Mean): Mean => ({ sum: a.sum + b.sum, count: a.count + b.count }),
}

outcomes
  .keyBy(({ customer }) => customer)
  .process<string>((ctx) => {
    const orders = ctx.getMapState(new MapStateDescriptor<string, boolean>('orders'))
    const paid = ctx.getAggregatingState(new AggregatingStateDescriptor('paid', mean))
    return {
      processElement(outcome, context, out) {
        orders.set(outcome.order, outcome.paid)
        if (outcome.paid) paid.add(outcome.euros)
        const all = [...orders].map(([order, ok]) => `${order} ${ok ? 'paid' : 'cancelled'}`)
        out.collect(`${context.getCurrentKey()}: ${all.join(', ')}; ${paid.get() ?? 0} euros a paid order`)
      },
    }
  })
  .name('customers')
  .uid('customers')
  .print()

// Hands orders on in threes. What waits belongs to the subtask, not to a key: operator state.
outcomes
  .process<string>((ctx) => {
    let waiting: string[] = []
    let stored: ListState<string>
    return {
      initializeState(context) {
        stored = context.getOperatorStateStore().getListState(new ListStateDescriptor<string>('waiting'))
        waiting = [...stored.get()]
      },
      snapshotState() {
        stored.update(waiting)
      },
      processElement({ order }, _, out) {
        waiting.push(order)
        if (waiting.length < 3) return
        out.collect(`subtask ${ctx.indexOfThisSubtask}: ${waiting.join(' ')}`)
        waiting = []
      },
    }
  })
  .name('in threes')
  .uid('in-threes')
  .print()

await env.execute('orders')
