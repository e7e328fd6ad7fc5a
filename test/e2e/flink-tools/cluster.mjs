/**
 * One process with a REST server and the jobs that Flink's tools look for: a running one that has failed and restarted
 * twice, with completed and failed checkpoints and savepoints; a finished, a failed, a cancelled one; and spare ones to end.
 *
 *   node cluster.mjs --folder DIR [--dashboard DIR] [--spares N]
 *
 * Prints one line of JSON when all is in place: `{ url, running, spares }`. Lives until its standard input ends.
 */
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { restServer } from 'millrace/rest'
import { startOrders } from './orders-job.mjs'

const { values } = parseArgs({
  options: { folder: { type: 'string' }, dashboard: { type: 'string' }, spares: { type: 'string', default: '0' } },
})
const { folder } = values
/** Of each job. */
const TASKS = 4
const rest = restServer({ port: 0, dashboard: values.dashboard })

const faults = { snapshot: false }
const running = await startOrders('Running orders', { folder, rest, failures: 2, faults })
const restarted = allTasksRun(running, 2)
await endedOrders()
const spares = []
for (let spare = 1; spare <= Number(values.spares); spare++)
  spares.push(await startOrders(`Spare orders ${spare}`, { folder, rest, rate: 50 }))

await restarted
await running.triggerCheckpoint()
await running.triggerSavepoint(`${folder}/savepoints`)
await failing(() => running.triggerCheckpoint())
await failing(() => running.triggerSavepoint(`${folder}/savepoints`))
await running.triggerCheckpoint({ type: 'FULL' })

const idOf = ({ jobId }) => jobId
console.log(JSON.stringify({ url: rest.url, running: idOf(running), spares: spares.map(idOf) }))
process.stdin.resume()
await once(process.stdin, 'end')
process.exit(0)

/** Three that end, with a checkpoint each: by themselves, by their failures, by being cancelled. */
async function endedOrders() {
  const finished = await startOrders('Finished orders', { folder, rest, count: 400, faults })
  const failed = await startOrders('Failed orders', { folder, rest, failures: 9, failAfter: 150, attempts: 1 })
  const canceled = await startOrders('Cancelled orders', { folder, rest })
  await Promise.all([finished, failed, canceled].map((job) => checkpointOnce(job)))
  await failing(() => finished.triggerCheckpoint())
  await canceled.cancel()
  await finished.getJobExecutionResult()
  await refusal(failed.getJobExecutionResult())
}

/** Its tasks may have begun to run before anybody could listen. */
async function checkpointOnce(job) {
  for (;;) {
    const id = await job.triggerCheckpoint().catch((thrown) => {
      if (thrown.details?.reason !== 'NOT_ALL_REQUIRED_TASKS_RUNNING') throw thrown
    })
    if (id !== undefined) return
    await pause(20)
  }
}

/** So many failures are behind it, and every task runs. */
async function allTasksRun(job, failures) {
  let restarts = 0
  const tasks = new Set()
  for await (const event of job.events()) {
    if (event.type === 'restart.scheduled') {
      restarts++
      tasks.clear()
    }
    if (event.type === 'task.status' && event.status === 'RUNNING') tasks.add(`${event.vertex} ${event.subtask}`)
    if (restarts === failures && tasks.size === TASKS) return
  }
}

/** What it triggers meets a snapshot that throws. */
async function failing(trigger) {
  faults.snapshot = true
  await refusal(trigger())
  faults.snapshot = false
}

async function refusal(promise) {
  const kept = await promise.then(
    () => true,
    () => false,
  )
  if (kept) throw new Error('it was to fail, and has not')
}
