/** The same graphs behind files that grow and are renamed while they are followed: what must come comes, once. */
import { expect, test } from 'vitest'
import { runSeeds } from './run-seeds.ts'

const DEFAULT_SEEDS = 12

test('graphs behind followed files are exact, whatever they meet', { timeout: 24 * 60 * 60 * 1000 }, async () => {
  const seeds = Math.ceil(Number(process.env.MILLRACE_GRAPH_SEEDS ?? DEFAULT_SEEDS * 4) / 4)
  const { tally, failure } = await runSeeds(seeds, 'followed')
  process.stdout.write(
    tally
      .lines()
      .map((line) => `followed graphs: ${line}\n`)
      .join(''),
  )
  if (failure !== undefined) expect.fail(failure)
  if (process.env.MILLRACE_GRAPH_ONLY !== undefined) return
  expect(tally.of('sources: followed')).toBeGreaterThanOrEqual(seeds)
  expect(tally.of('job: restarts from a checkpoint')).toBeGreaterThan(seeds / 4)
  expect(tally.of('resumed: at another parallelism')).toBeGreaterThan(seeds / 10)
})
