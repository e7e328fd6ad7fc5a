/** The same in a mini cluster, as a user has it, over real sockets. */
import { expect, test } from 'vitest'
import { Tally } from '../random-graphs/trouble.ts'
import { ClusterHost } from './cluster-host.ts'
import { runHistory } from './history.ts'
import { type Plan, planOf } from './plan.ts'

/** A tenth of what is asked of the simulation. */
const SEEDS = Math.ceil(Number(process.env.MILLRACE_OPERATION_SEEDS ?? 10) / 10)

/** A mini cluster keeps no state on disk. */
function inMemory(plan: Plan): Plan {
  return { ...plan, backend: 'hashmap', lives: plan.lives.map((life) => ({ ...life, nextBackend: 'hashmap' })) }
}

test('a job of a mini cluster is exact, however it is operated', { timeout: 24 * 60 * 60 * 1000 }, async () => {
  const tally = new Tally()
  for (let seed = 1; seed <= SEEDS; seed++) {
    await using host = new ClusterHost(seed)
    const problems = await runHistory(inMemory(planOf(seed)), { tally, host })
    expect(problems, `seed ${seed}`).toEqual([])
  }
  process.stdout.write(`operations over sockets: ${tally.of('reads')} reads, ${tally.of('stop: done')} stops\n`)
})
