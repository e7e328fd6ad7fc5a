/** Whether barriers wait or overtake changes nothing of what a graph commits: each plan is run in every mode. */
import { expect, test } from 'vitest'
import { committed, differences } from './compare.ts'
import { MODES, type Mode, type Plan } from './plan.ts'
import { runProcesses } from './run-plan.ts'
import { planOf } from './run-seeds.ts'
import { Tally } from './trouble.ts'

const DEFAULT_PLANS = 5
/** The first whose plan has records in flight at a restore. */
const FIRST_SEED = 8

test('a graph commits the same whether barriers wait or overtake', { timeout: 24 * 60 * 60 * 1000 }, async () => {
  const plans = Math.ceil(Number(process.env.MILLRACE_GRAPH_SEEDS ?? DEFAULT_PLANS * 10) / 10)
  const tally = new Tally()
  let rows = 0
  for (let seed = FIRST_SEED, run = 0; run < plans; seed++) {
    const plan = planOf(seed)
    // What is made for aligned checkpoints alone may deal out anew what cannot be in flight.
    if (plan.settings.mode === 'aligned') continue
    run++
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

async function comesTo(plan: Plan, mode: Mode, tally: Tally): Promise<readonly string[]> {
  const { problems, outside, read, disk } = await runProcesses({ ...plan, settings: { ...plan.settings, mode } }, tally)
  const wrong = [...problems, ...differences(plan, outside, read, disk)]
  expect(wrong, mode).toEqual([])
  return committed(plan, outside, disk)
}
