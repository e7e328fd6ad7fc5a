/** The program of docs/guides/rest.md that brings its own REST server: two jobs, one server, which ends behind them. */
import { DataGeneratorSource, DiscardingSink, StreamExecutionEnvironment, WatermarkStrategy } from 'millrace'
import { restServer } from 'millrace/rest'

/** Counts for two seconds. */
function declare(): StreamExecutionEnvironment {
  const env = StreamExecutionEnvironment.getExecutionEnvironment()
  env
    .fromSource(
      new DataGeneratorSource((index) => index, { count: 2_000, ratePerSecond: 1_000 }),
      WatermarkStrategy.noWatermarks(),
      'numbers',
    )
    .sinkTo(new DiscardingSink())
  return env
}

async function main(): Promise<void> {
  const rest = restServer({ port: '8081-8090' })
  const jobs = await Promise.all(['one', 'other'].map((name) => declare().executeAsync(name, { rest })))
  console.log(`millrace list -a -m ${rest.url}`)

  const answer = await fetch(`${rest.url}/jobs/overview`)
  console.log(await answer.text())

  for (const job of jobs) await job.getJobExecutionResult()
  await rest.close()
}

await main()
