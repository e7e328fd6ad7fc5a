/**
 * `npm start`: the main job. Counts 3 million real flights per airport and hour, kills its own process with SIGKILL in the
 * middle, resumes from the last checkpoint, and compares the result with a plain single pass.
 */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { makeReady, root } from './ready.mjs'

const target = join(root, 'target', 'flights')
const input = join(target, 'input')
const output = join(target, 'output')
const checkpoints = join(target, 'checkpoints')
/** The process is killed when so many checkpoints are complete. */
const KILL_AFTER = 3

makeReady()
const { prepareFlights } = await import('../examples/flights/prepare.mjs')
const { countPlainly, differences, readRows } = await import('../examples/flights/count.mjs')

console.log('Flights per airport and hour: 3 million flights of 2001, parallelism 4, a checkpoint every second.')
await prepareFlights(input, (done, all) => show(`Unpacking the data set: ${percent(done, all)}`))
rmSync(output, { recursive: true, force: true })
rmSync(checkpoints, { recursive: true, force: true })

const startedMs = performance.now()
const counting = countPlainly(input)
const first = await runJob({ killAfter: KILL_AFTER })
if (first.killed) {
  say(`Killed the job's process with SIGKILL after checkpoint ${first.checkpointId}. Resuming ...`)
  await runJob({})
} else say('The job had finished before it could be killed.')
const tookMs = performance.now() - startedMs

const sums = await counting
const rows = readRows(output)
const wrong = differences(rows, sums)
report(rows)
console.log(
  `\n${rows.length} rows, ${sums.size} counted in a plain pass, ${(tookMs / 1000).toFixed(1)} s with one kill.`,
)
if (wrong.length > 0 || !first.killed) {
  for (const line of wrong.slice(0, 10)) console.error(line)
  console.error(first.killed ? `not exact: ${wrong.length} differences` : 'not shown: nothing was killed')
  process.exit(1)
}
console.log('exact')

/** Runs the job in a process of its own. Settles when that has ended, or was killed after so many checkpoints. */
function runJob({ killAfter }) {
  const job = join(root, 'examples', 'flights', 'flights.ts')
  const options = [
    '-p',
    '4',
    '-D',
    'execution.checkpointing.interval=1s',
    '-D',
    `execution.checkpointing.dir=${checkpoints}`,
  ]
  const child = spawn(
    process.execPath,
    [join(root, 'dist/src/cli/main.js'), 'run', '--json', '--no-rest', '--resume', ...options, job, input, output],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  return new Promise((resolve) => {
    let completed = 0
    let killed = false
    let checkpointId
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line)
      if (event.type === 'metrics') show(statusLine(event, checkpointId))
      if (event.type !== 'checkpoint.completed') return
      checkpointId = event.checkpointId
      if (++completed !== killAfter) return
      killed = true
      child.kill('SIGKILL')
    })
    child.on('close', (code) => {
      if (!killed && code !== 0) {
        say(`The job ended with exit code ${code}.`)
        process.exit(1)
      }
      resolve({ killed, checkpointId })
    })
  })
}

function statusLine({ recordsIn, recordsOut, recordsInPerSecond }, checkpointId) {
  return `${recordsIn.toLocaleString('en')} flights read, ${recordsOut.toLocaleString('en')} rows written, ${Math.round(recordsInPerSecond).toLocaleString('en')} flights/s, last checkpoint ${checkpointId ?? 'none'}`
}

/** The busiest airports, over all hours. */
function report(rows) {
  const airports = new Map()
  for (const { airport, flights, meanDelay } of rows) {
    const sum = airports.get(airport) ?? { flights: 0, delay: 0 }
    airports.set(airport, { flights: sum.flights + flights, delay: sum.delay + flights * meanDelay })
  }
  const busiest = [...airports].sort(([, one], [, other]) => other.flights - one.flights).slice(0, 5)
  say('airport   flights   mean delay')
  for (const [airport, { flights, delay }] of busiest)
    console.log(`${airport.padEnd(7)} ${String(flights).padStart(9)}   ${(delay / flights).toFixed(1).padStart(6)} min`)
}

/** One line that is overwritten on a terminal. */
function show(line) {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line}`)
}

/** A line that stays. */
function say(line) {
  if (process.stdout.isTTY) process.stdout.write('\r\x1b[K')
  console.log(line)
}

function percent(done, all) {
  return `${Math.round((100 * done) / all)} %`
}
