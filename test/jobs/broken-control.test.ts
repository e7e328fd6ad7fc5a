/** A job whose control plane breaks while a part of it runs: it ends, and what runs is closed. */
import { expect, it } from 'vitest'
import { RestartStrategies, WatermarkStrategy } from '../../src/index.ts'
import { describeJobs } from './harness.ts'
import { Ledger, ticks } from './parts.ts'

const BACK_OFF_MS = 12_345

describeJobs('A job whose control plane breaks', (newWorld) => {
  it('closes the functions of the pipeline that was running beside the one that failed', async () => {
    const world = newWorld()
    const setTimer = world.clock.setTimer.bind(world.clock)
    world.clock.setTimer = (delayMs, fire) => {
      if (delayMs === BACK_OFF_MS) throw new Error('no back-off')
      return setTimer(delayMs, fire)
    }
    const env = world.env().enableCheckpointing(1000)
    env.setRestartStrategy(RestartStrategies.fixedDelayRestart(5, BACK_OFF_MS))
    const closed: string[] = []
    for (const name of ['failing', 'running'])
      env
        .fromSource(ticks(world, 20, 10), WatermarkStrategy.noWatermarks(), name)
        .rebalance()
        .process<number>(() => ({
          processElement(value, _, out) {
            if (name === 'failing' && value === 3) throw new Error('down')
            out.collect(value)
          },
          close: () => void closed.push(name),
        }))
        .sinkTo(new Ledger<number>())
    const client = await world.until(env.executeAsync('x'))
    await world.failure(client.getJobExecutionResult())
    await world.settle()
    expect(await client.getJobStatus()).toBe('FAILED')
    expect(closed).toEqual(['failing', 'running'])
  })
})
