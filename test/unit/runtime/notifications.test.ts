/** What functions hear of checkpoints. */
import { expect, it } from 'vitest'
import { WatermarkStrategy } from '../../../src/index.ts'
import { describeJobs } from '../../jobs/harness.ts'
import { Ledger, ticks } from '../../jobs/parts.ts'

describeJobs('A function that takes its time over a notification', (newWorld) => {
  it('is not given the next one before, and misses none', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50)
    const heard: number[] = []
    let inside = 0
    let most = 0
    env
      .fromSource(ticks(world, 30, 10), WatermarkStrategy.noWatermarks(), 'ticks')
      .process<number>(() => ({
        processElement: (value, _, out) => out.collect(value) as undefined,
        async notifyCheckpointComplete(checkpointId) {
          heard.push(checkpointId)
          most = Math.max(most, ++inside)
          await world.sleep(120)
          inside--
        },
      }))
      .sinkTo(new Ledger<number>())
    await world.until(env.execute('x'))
    expect(most).toBe(1)
    // The final one is the last that it hears.
    const completed = world.ofType('checkpoint.completed').map(({ checkpointId }) => checkpointId)
    expect(heard).toEqual(completed.slice(0, heard.length))
    expect(heard.length).toBeGreaterThan(3)
  })
})
