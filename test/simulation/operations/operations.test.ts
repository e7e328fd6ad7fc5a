import { expect, test } from 'vitest'
import { Tally } from '../random-graphs/trouble.ts'
import { runHistory } from './history.ts'
import { planOf } from './plan.ts'

const DEFAULT_SEEDS = 40

/** MILLRACE_OPERATION_SEEDS=500 for more; MILLRACE_OPERATION_ONLY=<seed> for one. */
function seeds(): readonly number[] {
  const {
    MILLRACE_OPERATION_ONLY: only,
    MILLRACE_OPERATION_SEEDS: wanted,
    MILLRACE_OPERATION_FIRST: first,
  } = process.env
  if (only !== undefined) return [Number(only)]
  return Array.from({ length: Number(wanted ?? DEFAULT_SEEDS) }, (_, nth) => Number(first ?? 1) + nth)
}

test('a job is exact, however it is operated over REST', { timeout: 24 * 60 * 60 * 1000 }, async () => {
  const tally = new Tally()
  const failures: string[] = []
  for (const seed of seeds()) {
    const { problems, worlds } = await runHistory(planOf(seed), tally)
    if (process.env.MILLRACE_OPERATION_ONLY !== undefined)
      for (const w of worlds) process.stdout.write('=====\n' + w.trace.filter((l) => !/ turn$/.test(l)).join('\n'))
    if (problems.length > 0)
      failures.push(
        `seed ${seed}: ${problems.slice(0, 5).join('\n')}\nMILLRACE_OPERATION_ONLY=${seed} npx vitest run test/simulation/operations`,
      )
  }
  process.stdout.write(
    tally
      .lines()
      .map((line) => `operations: ${line}\n`)
      .join(''),
  )
  if (failures.length > 0) expect.fail(failures.slice(0, 15).join('\n'))
})
