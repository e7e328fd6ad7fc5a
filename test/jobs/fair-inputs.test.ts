/** A task that has no credit reads its inputs in turn: none waits until another has nothing left. */
import { expect, it } from 'vitest'
import { type DataStream, WatermarkStrategy } from '../../src/index.ts'
import { describeJobs } from './harness.ts'
import { Ledger, ticks } from './parts.ts'

describeJobs('A task under back-pressure', (newWorld) => {
  it('reads all of its inputs in turn', async () => {
    const world = newWorld()
    const env = world.env().configure({ 'execution.channel-credit': 8 })
    const sink = new Ledger<string>({ write: () => world.sleep(4) })
    const [one, other] = ['one', 'other'].map((name) =>
      env.fromSource(ticks(world, 100, 1), WatermarkStrategy.noWatermarks(), name).map((value) => `${name} ${value}`),
    ) as unknown as [DataStream<string>, DataStream<string>]
    one
      .rebalance()
      .union(other.rebalance())
      .map((value) => value)
      .rebalance()
      .sinkTo(sink)
    await world.until(env.execute('x'))
    const half = sink.written.slice(0, 100)
    for (const name of ['one', 'other'])
      expect(half.filter((value) => value.startsWith(name)).length).toBeGreaterThan(30)
  })
})
