/**
 * Asks a REST server every second for all metrics, and for what the dashboard's page of a job asks. Told where by a message
 * of its parent; at the message `end` it answers with how long every answer took, and ends.
 */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

const EVERY_MS = 1000
const SHOWN = 'backPressuredTimeMsPerSecond,busyTimeMsPerSecond,numRecordsInPerSecond'

const ending = new AbortController()
const prometheusMs = []
const pageMs = []
let answered = 0

process.on('disconnect', () => process.exit(1))
// Loads what `fetch` needs, which would be counted as the first answer's time.
await fetch('data:,')
process.send('ready')
const [{ url, jobId }] = await once(process, 'message')
process.once('message', () => ending.abort())
while (!ending.signal.aborted) {
  const startedMs = performance.now()
  await Promise.all([timed(prometheusMs, prometheus), timed(pageMs, page)])
  await untilNext(startedMs)
}
const { user, system } = process.cpuUsage()
process.send({ answered, prometheusMs, pageMs, cpu: (user + system) / 1e6 }, () => process.exit(0))

async function prometheus() {
  const text = await ask('/metrics/prometheus')
  if (!text.includes(jobId)) throw new Error('the metrics do not name the job')
}

async function page() {
  const { vertices } = JSON.parse(await ask(`/jobs/${jobId}`))
  const asked = vertices.flatMap(({ id }) =>
    [`subtasks/metrics?get=${SHOWN}`, 'watermarks', 'backpressure'].map((what) =>
      ask(`/jobs/${jobId}/vertices/${id}/${what}`),
    ),
  )
  await Promise.all(asked)
}

async function ask(path) {
  const answer = await fetch(`${url}${path}`)
  const text = await answer.text()
  if (answer.status !== 200) throw new Error(`${path} was answered with ${answer.status}: ${text}`)
  answered++
  return text
}

async function timed(into, asking) {
  const startedMs = performance.now()
  await asking()
  into.push(performance.now() - startedMs)
}

async function untilNext(startedMs) {
  try {
    await sleep(Math.max(0, startedMs + EVERY_MS - performance.now()), undefined, { signal: ending.signal })
  } catch (thrown) {
    // The message `end` wakes it.
    if (thrown.name !== 'AbortError') throw thrown
  }
}
