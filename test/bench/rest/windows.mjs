/**
 * A process of `--rest`: one run whose server is asked for its metrics in every other second. The records of seconds with and
 * without, of the same process, tell what being asked costs. Prints them as one JSON line.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { StreamExecutionEnvironment } from 'millrace'
import { restServer } from 'millrace/rest'
import { workloads } from '../workloads.mjs'

const SECOND_MS = 1000
/** In a job that runs for hours the engine has compiled what answers. */
const WARM_UP_SCRAPES = 300

const { workload, options } = JSON.parse(process.argv[2])
const server = restServer({ port: 0 })
const env = StreamExecutionEnvironment.getExecutionEnvironment().setParallelism(options.parallelism)
const sink = workloads[workload](env, options)
const client = await env.executeAsync(`bench ${workload}`, { rest: server })
const scraper = fork(fileURLToPath(new URL('scraper.mjs', import.meta.url)), [server.url, client.jobId])
for (let scrape = 0; scrape < WARM_UP_SCRAPES; scrape++) await ask()

let isOver = false
const over = client.getJobExecutionResult().then(() => {
  isOver = true
})
const windows = []
for (let isAsked = false; !isOver; isAsked = !isAsked) {
  const [before, startedMs] = [outputs(), performance.now()]
  const [scrapeMs] = await Promise.all([isAsked ? ask() : undefined, sleep(SECOND_MS)])
  if (!isOver) windows.push({ rate: (1000 * (outputs() - before)) / (performance.now() - startedMs), scrapeMs })
}
await over
scraper.disconnect()
await server.close({ withinMs: 0 })
console.log(JSON.stringify({ checksum: sink.checksum(), windows }))

function outputs() {
  return Number(sink.checksum().split(':')[0])
}

/** In ms. The other process says nothing else; it ends where an answer is wrong. */
async function ask() {
  scraper.send('ask')
  const [said] = await Promise.race([once(scraper, 'message'), once(scraper, 'exit')])
  if (typeof said !== 'object' || said === null) throw new Error(`the scraper ended with ${said}`)
  return said.ms
}
