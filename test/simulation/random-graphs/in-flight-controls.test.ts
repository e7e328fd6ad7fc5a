/** Random graphs find mistakes with records in flight: each is made on purpose, and a plan that is exact without it shows it. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import type * as restoring from '../../../src/runtime/restored-records.ts'
import { factsOf, keepsOrder } from './compare.ts'
import { IN_FLIGHT_SABOTAGES, type InFlightSabotage, sabotageInFlight } from './in-flight-sabotage.ts'
import type { Plan } from './plan.ts'
import { runPlan } from './run-plan.ts'
import { planOf } from './run-seeds.ts'
import { Tally } from './trouble.ts'

const keyGroups = vi.hoisted(() => ({ areForgotten: false }))

vi.mock('../../../src/runtime/restored-records.ts', async (original) => {
  const { restoredRecords } = await original<typeof restoring>()
  /** What the other subtasks take of what this one reads, too. */
  const unfiltered: typeof restoredRecords = async (subtask, channels, reader) => {
    const { graph, vertex } = subtask
    const isKeyed = graph.edges.every(({ to, partitioner }) => to !== vertex || partitioner.type === 'hash')
    if (!keyGroups.areForgotten || !isKeyed) return restoredRecords(subtask, channels, reader)
    const all = Array.from({ length: graph.vertices[vertex]?.parallelism ?? 0 }, (_, other) =>
      restoredRecords({ ...subtask, subtask: other }, channels, reader),
    )
    return (await Promise.all(all)).flat()
  }
  return { restoredRecords: unfiltered }
})

const MOST_SEEDS = 400
/** Where the search begins: at a small plan that shows it, most do not. */
const FIRST_SEEDS: Readonly<Record<InFlightSabotage, number>> = {
  'a captured record dropped': 185,
  'restored after new input': 60,
  'restored twice': 185,
  'no filter by key group': 73,
}

afterEach(() => {
  vi.restoreAllMocks()
  keyGroups.areForgotten = false
})

describe('Random graphs', () => {
  test.for(IN_FLIGHT_SABOTAGES)('find a job with the mistake "%s"', { timeout: 300_000 }, async (sabotage) => {
    const first = FIRST_SEEDS[sabotage]
    for (let seed = first; seed < first + MOST_SEEDS; seed++) {
      const plan = planOf(seed)
      if (!mayShow(plan, sabotage)) continue
      keyGroups.areForgotten = sabotage === 'no filter by key group'
      sabotageInFlight(sabotage)
      const found = await runPlan(plan, new Tally())
      vi.restoreAllMocks()
      keyGroups.areForgotten = false
      if (found.length === 0) continue
      expect(found.join('\n')).toMatch(/lacks|too much|out of order|behind the watermark|key group/)
      expect(await runPlan(plan, new Tally())).toEqual([])
      return
    }
    expect.fail(`${MOST_SEEDS} plans have not shown it`)
  })
})

/** Where nothing in flight is ever restored, there is nothing to see. */
function mayShow(plan: Plan, sabotage: InFlightSabotage): boolean {
  const { sources, nodes, sinks, lives, settings } = plan
  if (settings.mode === 'aligned' || settings.intervalMs >= 40 || lives.length === 1) return false
  if (sources.every(({ splits }) => splits.every((rows) => rows < 20))) return false
  const facts = factsOf(plan)
  const has = (...types: string[]) => nodes.some(({ operation }) => types.includes(operation.type))
  if (sabotage === 'restored after new input')
    return has('chain') || sinks.some(({ input }) => keepsOrder(input, facts))
  if (sabotage !== 'no filter by key group') return true
  return (
    has('keyed', 'reduce', 'clockTimers', 'window') &&
    nodes.some(({ parallelism }) => parallelism !== 'as input' && parallelism.length > 1)
  )
}
