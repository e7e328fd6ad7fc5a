import fc from 'fast-check'
import { test } from 'vitest'
import { draws } from './draws.ts'
import { makePlan } from './make-plan.ts'
import { runPlan } from './run-plan.ts'
import { readable } from './readable.ts'
import { Tally } from './trouble.ts'
test('scratch', { timeout: 1e9 }, async () => {
  const from = Number(process.env.FROM ?? 1)
  for (let seed = from; seed < from + Number(process.env.N ?? 20); seed++) {
    const draw: any = fc.sample(draws, { seed, numRuns: 1 })[0]
    const plan = makePlan(draw)
    const log: string[] = []
    const t = performance.now()
    const c = process.cpuUsage().user
    const tally = new Tally()
    const problems = await runPlan(plan, tally, log)
    process.stdout.write(`seed ${seed} nodes ${plan.nodes.length} ${Math.round(performance.now() - t)} ms cpu ${Math.round((process.cpuUsage().user - c) / 1000)} ${log.join('; ')} ${problems.join('\n')}\n`)
    if (tally.of('checkpoint aborted: CHECKPOINT_COORDINATOR_SUSPEND') > 50) process.stdout.write(`MANY seed ${seed} ${tally.lines().join(' | ')} ${JSON.stringify(plan.lives)}\n`)
    if (process.env.SHOW) process.stdout.write([...readable(plan), ...tally.lines()].join('\n') + '\n')
  }
})
