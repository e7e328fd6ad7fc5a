/** Random graphs find mistakes: each of these is made on purpose, and a plan that is exact without it must show it. */
import { describe, expect, test } from 'vitest'
import type { Plan } from './plan.ts'
import { runPlan } from './run-plan.ts'
import { planOf } from './run-seeds.ts'
import { SABOTAGES, type Sabotage } from './sabotage.ts'
import { Tally } from './trouble.ts'

const MOST_SEEDS = 2000

describe('Random graphs', () => {
  test.for(SABOTAGES)('find a job with the mistake "%s"', { timeout: 300_000 }, async (sabotage) => {
    for (let seed = 1; seed <= MOST_SEEDS; seed++) {
      const plan = planOf(seed)
      if (!mayShow(plan, sabotage)) continue
      const found = await runPlan(plan, new Tally(), { sabotage })
      if (found.length === 0) continue
      expect(await runPlan(plan, new Tally())).toEqual([])
      return
    }
    expect.fail(`${MOST_SEEDS} plans have not shown it`)
  })
})

/** Where what the mistake is in does not stand, or nothing is ever restored, there is nothing to see. */
function mayShow({ sources, nodes, sinks, lives, settings }: Plan, sabotage: Sabotage): boolean {
  const has = (type: string) => nodes.some(({ operation }) => operation.type === type)
  const isResumed = lives.length > 1 && lives.some(({ end }) => end.type !== 'nothing')
  const isLong = settings.intervalMs < 40 && sources.some(({ kind, paceMs }) => kind === 'splits' && paceMs > 2)
  if (sabotage === 'visible before the commit' || sabotage === 'committed twice')
    return sinks.some(({ kind }) => kind === 'defined') && lives.length > 1
  if (!isResumed || !isLong) return false
  switch (sabotage) {
    case 'counts in a field':
      return nodes.some(({ operation }) => operation.type === 'keyed' && operation.emit === 'running')
    case 'a row lost at another parallelism':
      // Where barriers overtake, it is always as parallel.
      return has('buffer') && settings.mode === 'aligned'
    case 'broadcast state twice':
      return has('broadcastState')
    default:
      return true
  }
}
