/** Whether barriers wait or overtake changes nothing of what a graph commits: each plan is run in every mode. */
import { expect, test } from 'vitest'
import { committed, differences } from './compare.ts'
import { MODES, type Mode, type Plan } from './plan.ts'
import { runProcesses } from './run-plan.ts'
import { planOf } from './run-seeds.ts'
import { Tally } from './trouble.ts'

/** Small plans that have records in flight at a restore. */
const DEFAULT_SEEDS = [39, 185]

test('a graph commits the same whether barriers wait or overtake', { timeout: 24 * 60 * 60 * 1000 }, async () => {
  const tally = new Tally()
  let plans = 0
  let rows = 0
  for (const seed of seeds()) {
    const plan = planOf(seed)
    // What is made for aligned checkpoints alone may deal out anew what cannot be in flight.
    if (plan.settings.mode === 'aligned') continue
    plans++
    const [aligned = [], ...others] = await Promise.all(MODES.map((mode) => comesTo(plan, mode, tally)))
    rows += aligned.length
    for (const [nth, other] of others.entries()) expect(other, `seed ${seed}, ${MODES[nth + 1]}`).toEqual(aligned)
  }
  process.stdout.write(
    `graphs in every mode: ${plans} plans, ${rows} rows, ${tally.of('in flight: checkpoints that captured')} checkpoints with records in flight\n`,
  )
  expect(rows).toBeGreaterThan(plans * 10)
  expect(tally.of('in flight: checkpoints that captured')).toBeGreaterThan(0)
  expect(tally.of('in flight: restores')).toBeGreaterThan(0)
})

/** Of a long run, one in ten. */
function seeds(): readonly number[] {
  const all = process.env.MILLRACE_GRAPH_SEEDS
  return all === undefined
    ? DEFAULT_SEEDS
    : Array.from({ length: Math.ceil(Number(all) / 10) }, (_, index) => index + 1)
}

async function comesTo(plan: Plan, mode: Mode, tally: Tally): Promise<readonly string[]> {
  const { problems, outside, read, disk } = await runProcesses({ ...plan, settings: { ...plan.settings, mode } }, tally)
  const wrong = [...problems, ...differences(plan, outside, read, disk)]
  expect(wrong, mode).toEqual([])
  return committed(plan, outside, disk)
}
