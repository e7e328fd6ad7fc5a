/** What tasks are told when they are deployed about the state that they start from. */
import { expect, it } from 'vitest'
import { StreamExecutionEnvironment } from '../../../src/api/stream-execution-environment.ts'
import type { ExecuteOptions } from '../../../src/index.ts'
import { startJob } from '../../../src/runtime/execute.ts'
import { directLink } from '../../../src/runtime/link.ts'
import { describeJobs, type World } from '../../jobs/harness.ts'
import { Ledger } from '../../jobs/parts.ts'
import { sums } from '../../jobs/savepoint-parts.ts'

/** Runs the job, which fails at the given numbers, and gives what each attempt was told. */
async function deployed(world: World, failAt: readonly number[], options: ExecuteOptions = {}, suspendAfterMs = 0) {
  const told: boolean[] = []
  const link = directLink()
  const env = new StreamExecutionEnvironment({
    ports: () => world.ports,
    layers: [],
    run: undefined,
    start: (graph, start) =>
      startJob(graph, {
        ...start,
        link: {
          ...link,
          toTasks(order) {
            if (order.type === 'deployTasks') told.push(order.mayReuse)
            link.toTasks(order)
          },
        },
      }),
  })
  env.enableCheckpointing(100).getCheckpointConfig().setCheckpointStorage('/checkpoints')
  const left = new Set(failAt)
  sums(env, world, new Ledger<string>(), {
    at: (value) => {
      if (left.delete(value)) throw new Error(`down at ${value}`)
    },
  })
  const client = await world.until(env.executeAsync('sums', options))
  if (suspendAfterMs > 0) await world.advance(suspendAfterMs)
  const path = suspendAfterMs > 0 ? await world.until(client.triggerSavepoint('/savepoints')) : ''
  if (suspendAfterMs > 0) await world.until(client.suspend())
  await world.until(client.getJobExecutionResult().catch(() => {}))
  return { told, path }
}

describeJobs('An attempt may refer to files of the checkpoint that it starts from', (newWorld) => {
  it('where that is the own one of the job, and not where it starts with nothing', async () => {
    expect((await deployed(newWorld(), [40])).told).toEqual([false, true])
  })

  it('also in another process', async () => {
    const world = newWorld()
    await deployed(world, [], {}, 255)
    expect((await deployed(world, [], { resume: 'latest' })).told).toEqual([true])
  })

  it.each(['NO_CLAIM', 'CLAIM'] as const)(
    'but not of a savepoint, until one of its own is complete: %s',
    async (claimMode) => {
      const world = newWorld()
      const { path } = await deployed(world, [], {}, 205)
      expect((await deployed(world, [22, 50], { fromSavepoint: path, claimMode })).told).toEqual([false, false, true])
    },
  )
})
