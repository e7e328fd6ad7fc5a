/** A process of `--rest`: a warm-up run and a measured one, with a server that nobody asks or without. Prints what the second one cost. */
import { StreamExecutionEnvironment } from 'millrace'
import { startMeasuring } from '../measure.mjs'
import { workloads } from '../workloads.mjs'

const { workload, options, warmupRecords, variant } = JSON.parse(process.argv[2])
await run({ ...options, records: warmupRecords })
console.log(JSON.stringify(await run(options)))

async function run(sizes) {
  const server = variant === 'without' ? undefined : (await import('millrace/rest')).restServer({ port: 0 })
  const env = StreamExecutionEnvironment.getExecutionEnvironment().setParallelism(sizes.parallelism)
  const sink = workloads[workload](env, sizes)
  const stop = startMeasuring()
  await env.execute(`bench ${workload}`, server === undefined ? {} : { rest: server })
  const used = stop()
  await server?.close({ withinMs: 0 })
  return { ...used, checksum: sink.checksum() }
}
