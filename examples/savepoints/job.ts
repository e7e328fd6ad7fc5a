/** The job of docs/guides/operations.md that is stopped with a savepoint and goes on from it as another program would. */
import { rmSync } from 'node:fs'
import {
  CollectSink,
  DataGeneratorSource,
  StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from 'millrace'

rmSync('savepoints', { recursive: true, force: true })

/** Adds up 0 to 999, slowly enough to be stopped on the way. */
function declare(sums: CollectSink<number>) {
  const env = StreamExecutionEnvironment.getExecutionEnvironment()
  env
    .fromSource(
      new DataGeneratorSource((index) => index, { count: 1_000, ratePerSecond: 500 }),
      WatermarkStrategy.noWatermarks(),
      'numbers',
    )
    .uid('numbers')
    .keyBy(() => 'all')
    .process<number>((ctx) => {
      const sum = ctx.getState(new ValueStateDescriptor('sum', { default: () => 0 }))
      return {
        processElement(value, _, out) {
          sum.update(sum.value() + value)
          out.collect(sum.value())
        },
      }
    })
    .uid('sum')
    .sinkTo(sums)
    .uid('sums')
  return env
}

const before = new CollectSink<number>()
const job = await declare(before).executeAsync('sum')
while ((await job.getJobStatus()) !== 'RUNNING') await new Promise((resolve) => setTimeout(resolve, 5))
await new Promise((resolve) => setTimeout(resolve, 100))

const savepoint = await job.stopWithSavepoint({ drain: false, targetDirectory: 'savepoints' })
console.log(await job.getJobStatus())

const after = new CollectSink<number>()
await declare(after).execute('sum', { fromSavepoint: savepoint })
console.log(before.results().length + after.results().length, after.results().at(-1))
