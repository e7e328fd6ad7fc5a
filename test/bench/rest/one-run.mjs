/** A process of `--rest`: a warm-up run and a measured one under the same conditions. Prints what the second one cost. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { StreamExecutionEnvironment } from 'millrace'
import { startMeasuring } from '../measure.mjs'
import { workloads } from '../workloads.mjs'

const SCRAPER = fileURLToPath(new URL('scraper.mjs', import.meta.url))

const { workload, options, warmupRecords, variant } = JSON.parse(process.argv[2])
await run({ ...options, records: warmupRecords })
console.log(JSON.stringify(await run(options)))

async function run(sizes) {
  const server = variant === 'without' ? undefined : (await import('millrace/rest')).restServer({ port: 0 })
  const scraper = variant === 'scraped' ? await startScraper() : undefined
  const env = StreamExecutionEnvironment.getExecutionEnvironment().setParallelism(sizes.parallelism)
  const sink = workloads[workload](env, sizes)
  const stop = startMeasuring()
  const client = await env.executeAsync(`bench ${workload}`, server === undefined ? {} : { rest: server })
  scraper?.ask(server.url, client.jobId)
  await client.getJobExecutionResult()
  const used = stop()
  const scrapes = await scraper?.end()
  await server?.close({ withinMs: 0 })
  return { ...used, checksum: sink.checksum(), scrapes }
}

/** It is ready to ask when this resolves: its start is no part of what is measured. */
async function startScraper() {
  const scraper = fork(SCRAPER)
  await once(scraper, 'message')
  return {
    ask: (url, jobId) => scraper.send({ url, jobId }),
    /** What it was answered. Rejects when it failed. */
    async end() {
      scraper.send('end')
      const said = await Promise.race([once(scraper, 'message'), once(scraper, 'exit')])
      if (typeof said[0] !== 'object' || said[0] === null)
        throw new Error(`the scraper ended with ${said[0] ?? said[1]}`)
      return said[0]
    },
  }
}
