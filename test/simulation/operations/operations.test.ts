/** Whatever is asked of a job over REST, and whenever: it commits what a plain program comes to, and no answer is untrue. */
import { expect, test } from 'vitest'
import { Tally } from '../random-graphs/trouble.ts'
import { runHistory } from './history.ts'
import { planOf, SAMPLE } from './plan.ts'
import { SimulatedHost } from './simulated-host.ts'

/** What a run must have met, or it shows little. */
const MET = [
  ...['savepoint: done', 'savepoint: told to have failed', 'checkpoint: done', 'checkpoint: told to have failed'],
  ...['stop: done', 'stop: told to have failed', 'drain: done', 'cancel with savepoint: done', 'cancel: 202'],
  ...['disposal: done', 'disposal: told to have failed', 'triggers: repeated', 'reads: 200', 'reads: 404'],
  ...['processes: died RUNNING', 'processes: returned FINISHED', 'processes: returned CANCELED'],
  ...['restarts', 'thrown: a commit', 'thrown: a transfer', 'checkpoints: with records in flight'],
  ...['starts: resumed', 'starts: from a savepoint, CLAIM', 'starts: from a savepoint, NO_CLAIM'],
  ...['jobs: at another parallelism', 'jobs: leveldb', 'jobs: hashmap'],
]
/** Of a long run, so many failures are told. */
const MOST_FAILURES = 10

/** MILLRACE_OPERATION_SEEDS=500 for more, MILLRACE_OPERATION_ONLY=<seed> for one, with what happened in it. */
const { MILLRACE_OPERATION_ONLY: only, MILLRACE_OPERATION_SEEDS: wanted } = process.env

function seeds(): readonly number[] {
  if (only !== undefined) return [Number(only)]
  return wanted === undefined ? SAMPLE : Array.from({ length: Number(wanted) }, (_, nth) => nth + 1)
}

test('a job is exact, however it is operated over REST', { timeout: 24 * 60 * 60 * 1000 }, async () => {
  const tally = new Tally()
  const failures: string[] = []
  for (const seed of seeds()) {
    const log = only === undefined ? undefined : []
    const problems = await runHistory(planOf(seed), { tally, host: new SimulatedHost(log) })
    if (log !== undefined) process.stdout.write(`${log.join('\n')}\n`)
    const again = `MILLRACE_OPERATION_ONLY=${seed} npx vitest run test/simulation/operations/operations`
    if (problems.length > 0) failures.push([`seed ${seed}:`, ...problems, again].join('\n'))
    if (failures.length === MOST_FAILURES) break
  }
  const said = tally.lines().map((line) => `operations: ${line}\n`)
  process.stdout.write(said.join(''))
  if (failures.length > 0) expect.fail(failures.join('\n'))
  if (only === undefined) expect(MET.filter((what) => tally.of(what) === 0)).toEqual([])
})
