/** Random graphs under random trouble come to what a plain program over arrays comes to, row for row. */
import { expect, test } from 'vitest'
import { runSeeds } from './run-seeds.ts'

const DEFAULT_SEEDS = 50

test('random graphs are exact, whatever they meet', { timeout: 24 * 60 * 60 * 1000 }, async () => {
  const { tally, failure } = await runSeeds(Number(process.env.MILLRACE_GRAPH_SEEDS ?? DEFAULT_SEEDS))
  for (const line of tally.lines()) process.stdout.write(`graphs: ${line}\n`)
  if (failure !== undefined) expect.fail(failure)
})
