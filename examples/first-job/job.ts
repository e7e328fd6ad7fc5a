/**
 * The job of docs/guides/first-job.md: the number and the sum of the readings of each sensor, so far. Reading i comes
 * from sensor i mod 10; 2,000 a second, 30,000 in all.
 */
import { DataGeneratorSource, FileSink, StreamExecutionEnvironment, WatermarkStrategy } from 'millrace'

interface Total {
  readonly sensor: string
  readonly count: number
  readonly sum: number
}

const readings = new DataGeneratorSource((index): Total => ({ sensor: `sensor-${index % 10}`, count: 1, sum: index }), {
  count: 30_000,
  ratePerSecond: 2_000,
})

const env = StreamExecutionEnvironment.getExecutionEnvironment()
env.enableCheckpointing('1 s').getCheckpointConfig().setCheckpointStorage('checkpoints')
env
  .fromSource(readings, WatermarkStrategy.noWatermarks(), 'readings')
  .uid('readings')
  .keyBy(({ sensor }) => sensor)
  .reduce((a, b) => ({ sensor: a.sensor, count: a.count + b.count, sum: a.sum + b.sum }))
  .uid('totals')
  .sinkTo(FileSink.forJsonLines('totals'))
  .uid('files')

await env.execute('sensor totals')
