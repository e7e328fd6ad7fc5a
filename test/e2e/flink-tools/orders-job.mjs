/** The job that the recordings were made with, as a Millrace program: source (1) -> keyed totals (2) -> sink (1). Its faults are switches. */
import {
  DataGeneratorSource,
  DiscardingSink,
  StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from 'millrace'

const KEYS = 16
const FIRST_ORDER_MS = 1_700_000_000_000
const BETWEEN_ORDERS_MS = 10

/**
 * Starts it and gives its client. `folder` holds its checkpoints. `failures`: so many attempts fail, each after `failAfter`
 * records; `attempts`: restarts that it is allowed; `count`: it ends by itself; `faults.snapshot`: a snapshot throws now.
 */
export function startOrders(name, { folder, rest, rate = 200, count, intervalMs = 2000, ...trouble }) {
  const { failures = 0, failAfter = 40, attempts = 10, faults = { snapshot: false } } = trouble
  const env = StreamExecutionEnvironment.getExecutionEnvironment().configure({
    'execution.checkpointing.interval': `${intervalMs} ms`,
    'execution.checkpointing.dir': `${folder}/checkpoints`,
    'execution.checkpointing.externalized-checkpoint-retention': 'RETAIN_ON_CANCELLATION',
    'execution.checkpointing.tolerable-failed-checkpoints': 100,
    'execution.checkpointing.fail-tasks-on-errors': false,
    'restart-strategy.type': 'fixed-delay',
    'restart-strategy.fixed-delay.attempts': attempts,
    'restart-strategy.fixed-delay.delay': '200 ms',
    'pipeline.max-parallelism': 128,
    'web.checkpoints.history': 50,
    'web.refresh-interval': '1 s',
  })
  const orders = WatermarkStrategy.forBoundedOutOfOrderness(1000).withTimestampAssigner(
    (order) => FIRST_ORDER_MS + order * BETWEEN_ORDERS_MS,
  )
  env
    .setParallelism(1)
    .fromSource(new DataGeneratorSource((index) => index, { ratePerSecond: rate, count }), orders, 'Orders')
    .uid('orders')
    .keyBy((order) => order % KEYS)
    .process((context) => totals(context, { failures, failAfter, faults }))
    .name('Totals')
    .uid('totals')
    .setParallelism(2)
    .rebalance()
    .sinkTo(new DiscardingSink())
    .name('Out')
    .uid('out')
    .setParallelism(1)
  return env.executeAsync(name, { rest })
}

function totals(context, { failures, failAfter, faults }) {
  const total = context.getState(new ValueStateDescriptor('total'))
  let seen = 0
  return {
    processElement(order, element, out) {
      total.update((total.value() ?? 0) + order)
      seen++
      if (context.indexOfThisSubtask === 0 && context.attemptNumber < failures && seen >= failAfter)
        throw new Error(`order refused in attempt ${context.attemptNumber}`, {
          cause: new Error('the ledger is closed'),
        })
      out.collect([element.getCurrentKey(), total.value()])
    },
    snapshotState(snapshot) {
      if (faults.snapshot) throw new Error(`no snapshot for checkpoint ${snapshot.getCheckpointId()}`)
    },
  }
}
