/** Two jobs in one process, both ended by one signal. See docs/guides/embedding.md. */
import {
  DataGeneratorSource,
  DiscardingSink,
  StreamError,
  StreamExecutionEnvironment,
  WatermarkStrategy,
} from 'millrace'

async function runFor(name: string, signal: AbortSignal): Promise<string> {
  const env = StreamExecutionEnvironment.getExecutionEnvironment()
  env
    .fromSource(
      new DataGeneratorSource((index) => index, { ratePerSecond: 1_000 }),
      WatermarkStrategy.noWatermarks(),
      'ticks',
    )
    .sinkTo(new DiscardingSink())
  try {
    await env.execute(name, { signal })
    return 'FINISHED'
  } catch (error) {
    if (StreamError.is(error) && error.cause === signal.reason) return error.code
    throw error
  }
}

const stop = new AbortController()
setTimeout(() => stop.abort(new Error('closing time')), 300)
const ends = await Promise.all(['one', 'other'].map((name) => runFor(name, stop.signal)))
console.log(ends.join(' '))
