import { it } from 'vitest'
import { writeFileSync } from 'node:fs'
import { Input, runJob } from './kill-test-job.ts'
import { SimulatedWorld } from './simulated-world.ts'
it('try', async () => {
  const input = new Input({ files: 4, keysPerFile: 3, linesPerFile: Number(process.env.LINES ?? 40) })
  const from = Number(process.env.SEED ?? 1)
  for (let seed = from; seed < from + Number(process.env.N ?? 1); seed++) {
    const world = new SimulatedWorld({ seed, disk: await input.disk() })
    const out = await world.run(() => runJob(world, { parallelism: 2, link: 'direct', options: { 'execution.checkpointing.interval': 10, 'execution.channel-credit': Number(process.env.CREDIT ?? 4) } }, () => {}))
    const took = world.clock.now() - 1_700_000_000_000
    if (took > 1000) { console.log(seed, took, JSON.stringify(out)); writeFileSync('/tmp/trace-' + seed, world.trace.join('\n')) }
  }
})
