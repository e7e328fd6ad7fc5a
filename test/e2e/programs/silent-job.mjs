/** A job that has nothing to say and never ends by itself, run by `millrace run`; its arguments are nobody's business. */
import { DataGeneratorSource, DiscardingSink, StreamExecutionEnvironment, WatermarkStrategy } from 'millrace'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
env
  .fromSource(
    new DataGeneratorSource((index) => index, { ratePerSecond: 10 }),
    WatermarkStrategy.noWatermarks(),
    'numbers',
  )
  .uid('numbers')
  .sinkTo(new DiscardingSink())
  .uid('nowhere')
await env.execute('silent')
