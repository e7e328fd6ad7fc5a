/** A process that dies at any of its file operations while its job ends with a savepoint: resumed, the output is exact. */
import { expect, it } from 'vitest'
import { SimulatedFileSystem } from '../../src/base/simulated-file-system.ts'
import type { JobClient } from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger } from './parts.ts'
import { sums, sumsOf } from './savepoint-parts.ts'

const COUNT = 30

async function started(world: World, sink: Ledger<string>): Promise<JobClient> {
  const env = world.env()
  env.enableCheckpointing(70).getCheckpointConfig().setCheckpointStorage('/checkpoints')
  sums(env, world, sink, { count: COUNT, parallelism: 1 })
  return world.until(env.executeAsync('sums', { resume: 'latest' }))
}

const ENDS = {
  stop: (client: JobClient) => client.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints' }),
  drain: (client: JobClient) => client.stopWithSavepoint({ drain: true, targetDirectory: '/savepoints' }),
  cancel: (client: JobClient) => client.cancelWithSavepoint('/savepoints'),
} as const

describeJobs('A process that dies while its job ends with a savepoint', (newWorld) => {
  it.each(['stop', 'drain', 'cancel'] as const)(
    'leaves a job that goes on exactly, whenever it dies: %s',
    async (end) => {
      const outputs = new Set<string>()
      let before = 0
      for (let alive = false; !alive; before++) {
        const world = newWorld()
        const sink = new Ledger<string>()
        const client = await started(world, sink)
        await world.advance(155)
        let operations = 0
        world.files.interfere = () => (operations++ === before ? { type: 'stop' } : undefined)
        const ending = ENDS[end](client)
        ending.catch(() => {})
        alive = await world.until(Promise.race([ending.then(() => true), world.files.stopped.then(() => false)]))
        const read = world.handles[0]?.metrics().recordsIn ?? 0

        const next = newWorld()
        Object.assign(next.ports, {
          files: new SimulatedFileSystem({ disk: world.files.disk, turns: next, clock: next.clock }),
        })
        const resumed = await started(next, sink)
        await next.until(resumed.getJobExecutionResult())
        const committed = sink.committed.toSorted()
        outputs.add(JSON.stringify(committed))
        // Drained, and named by the record before it died: what had come in by then came out, and no more follows.
        const ended = end === 'drain' && committed.length < sumsOf(COUNT).length
        expect(committed, `died before operation ${before}`).toEqual(sumsOf(ended ? read : COUNT))
        if (alive) expect(ended).toBe(end === 'drain')
      }
      expect(before).toBeGreaterThan(20)
      expect(outputs.size).toBe(end === 'drain' ? 2 : 1)
    },
  )
})
