/** A job ends for whoever waits for it, whatever breaks on the way. */
import { expect, it } from 'vitest'
import { StreamExecutionEnvironment } from '../../../src/api/stream-execution-environment.ts'
import { WatermarkStrategy } from '../../../src/index.ts'
import { startJob } from '../../../src/runtime/execute.ts'
import { directLink } from '../../../src/runtime/link.ts'
import { describeJobs } from '../../jobs/harness.ts'
import { Ledger, ticks } from '../../jobs/parts.ts'

describeJobs('The end of a job', (newWorld) => {
  it('is told although its place in the checkpoint directory cannot be given back', async () => {
    const world = newWorld()
    Object.assign(world.ports, {
      locks: { tryAcquire: async () => ({ release: () => Promise.reject(new Error('not given back')) }) },
    })
    const env = world.env()
    env.enableCheckpointing(100).getCheckpointConfig().setCheckpointStorage('/checkpoints')
    const sink = new Ledger<number>()
    env.fromSource(ticks(world, 5, 10), WatermarkStrategy.noWatermarks(), 'ticks').sinkTo(sink)
    const { jobId } = await world.until(env.execute('x'))
    expect(jobId).toMatch(/^[0-9a-f]{32}$/)
    expect(sink.committed).toEqual([0, 1, 2, 3, 4])
  })

  it.each(['deployTasks', 'cancelTask'] as const)(
    'is a failure when the link to the tasks breaks at %s',
    async (broken) => {
      const world = newWorld()
      const link = directLink()
      const env = new StreamExecutionEnvironment({
        ports: () => world.ports,
        layers: [],
        run: undefined,
        start: (graph, options) =>
          startJob(graph, {
            ...options,
            link: {
              ...link,
              toTasks(order) {
                if (order.type === broken) throw new Error('broken link')
                link.toTasks(order)
              },
            },
          }),
      })
      env.enableCheckpointing(100)
      env.fromSource(ticks(world, 50, 10), WatermarkStrategy.noWatermarks(), 'ticks').sinkTo(new Ledger<number>())
      const client = await world.until(env.executeAsync('x'))
      await world.advance(55)
      void client.cancel()
      const failure = await world.failure(client.getJobExecutionResult())
      expect(failure).toMatchObject({ code: 'JOB_FAILED', cause: { code: 'INTERNAL' } })
      expect(failure.message).toContain('broken link')
    },
  )
})
