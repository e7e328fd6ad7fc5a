/** Random graphs under random trouble come to what a plain program over arrays comes to, row for row. */
import { expect, test } from 'vitest'
import { runSeeds } from './run-seeds.ts'
import { missing } from './tally-plan.ts'

const DEFAULT_SEEDS = 50

test('random graphs are exact, whatever they meet', { timeout: 24 * 60 * 60 * 1000 }, async () => {
  const seeds = Number(process.env.MILLRACE_GRAPH_SEEDS ?? DEFAULT_SEEDS)
  const { tally, failure } = await runSeeds(seeds)
  process.stdout.write(
    tally
      .lines()
      .map((line) => `graphs: ${line}\n`)
      .join(''),
  )
  if (failure !== undefined) expect.fail(failure)
  // It must meet what it is there for.
  if (seeds >= DEFAULT_SEEDS && process.env.MILLRACE_GRAPH_ONLY === undefined) expect(missing(tally, seeds)).toEqual([])
})
