/**
 * Flink's command line ends a job with a savepoint, `millrace run -s` goes on from it, and a program of its own checks the
 * rows: none is lost, none is there twice. The chain job of the kill test: a hash chain for each key in keyed state.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { pathIn } from './command-session.mjs'
import { COMMAND, living, root, run } from './processes.mjs'

const SEED = 7
const RECORDS = 60_000
/** The first process cannot come to the end of its input: it lasts longer than Java takes to start twice. */
const RATE = 1500
const ENDS = {
  stop: (job, directory) => ['stop', '-p', directory, job],
  'cancel -s': (job, directory) => ['cancel', '-s', directory, job],
}

/** `call(address, args)` runs the command line. Resolves with `{ name, problems }` for each way to end. */
export async function exactSession({ call, folder }) {
  const results = []
  for (const [name, argsOf] of Object.entries(ENDS)) {
    const place = join(folder, name.replace(/\W+/g, '-'))
    mkdirSync(place, { recursive: true })
    results.push({ name: `run -s after ${name}`, problems: await goesOnExactly(call, place, argsOf) })
  }
  return results
}

async function goesOnExactly(call, folder, argsOf) {
  const job = (options, rate) => [
    ...[COMMAND, 'run', '-p', '2', '-D', 'execution.checkpointing.interval=500 ms'],
    ...['-D', `execution.checkpointing.dir=${folder}/checkpoints`, ...options],
    ...[join(root, 'test/e2e/programs/chain-job.mjs'), '--seed', String(SEED), '--records', String(RECORDS)],
    ...['--rate', String(rate), '--output', `${folder}/output`, '--sink', 'file'],
  ]
  const first = await living(job(['--port', '0'], RATE), (line) => /REST on (http:\/\/\S+)/.exec(line)?.[1])
  const jobId = await runningJob(first.first)
  // Some of it is committed before, some comes with the savepoint.
  await pause(1500)
  const ended = await call(first.first, argsOf(jobId, `file://${folder}/savepoints`))
  const path = pathIn(ended)
  if (ended.code !== 0 || path === undefined)
    return [`it did not end the job: ${ended.code} ${ended.stdout} ${ended.stderr}`]
  await first.ended
  const { read } = await verdictOn(folder)
  if (read === 0 || read >= RECORDS) return [`there was nothing to go on with: ${read} rows of ${RECORDS} were there`]
  const second = await run(process.execPath, job(['--no-rest', '-s', path], 0))
  if (second.code !== 0) return [`millrace run -s ${path} ended with ${second.code}: ${second.stderr.slice(-600)}`]
  const verdict = await verdictOn(folder)
  return verdict.exact && verdict.read === RECORDS ? [] : [`its output is not exact: ${JSON.stringify(verdict)}`]
}

/** What the separate program says of the rows that are there. */
async function verdictOn(folder) {
  const { stdout } = await run(process.execPath, [
    ...[join(root, 'test/e2e/verify.mjs'), '--seed', String(SEED), '--records', String(RECORDS)],
    ...['--output', `${folder}/output`],
  ])
  return JSON.parse(stdout)
}

/** Its id, when all its tasks run. */
async function runningJob(url) {
  for (let looks = 0; looks < 200; looks++) {
    const { jobs } = await (await fetch(`${url}/jobs/overview`)).json()
    const [job] = jobs
    if (job?.state === 'RUNNING' && job.tasks.running === job.tasks.total) return job.jid
    await pause(50)
  }
  throw new Error('the job does not run')
}
