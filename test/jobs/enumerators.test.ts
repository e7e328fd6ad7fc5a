/** Split enumerators that misbehave: one that never closes, one that fails before the first attempt. */
import { expect, it } from 'vitest'
import {
  DataGeneratorSource,
  DiscardingSink,
  RestartStrategies,
  type Source,
  WatermarkStrategy,
} from '../../src/index.ts'
import { describeJobs } from './harness.ts'
import { Ledger } from './parts.ts'

describeJobs('A split enumerator', (newWorld) => {
  it('whose close never settles does not keep a job from ending', async () => {
    const world = newWorld()
    const env = world.env()
    const numbers = new DataGeneratorSource((index) => index, { ratePerSecond: 10 })
    const source: Source<number> = {
      boundedness: 'continuous-unbounded',
      createEnumerator: (context, restored) =>
        Object.assign(numbers.createEnumerator(context as never, restored as never), {
          close: () => new Promise<void>(() => {}),
        }) as never,
      createReader: (context) => numbers.createReader(context) as never,
    }
    env.fromSource(source, WatermarkStrategy.noWatermarks(), 's').sinkTo(new DiscardingSink())
    const client = await world.until(env.executeAsync('x'))
    await world.advance(100)
    await world.until(client.cancel())
    expect(await client.getJobStatus()).toBe('CANCELED')
  })

  it('that fails before the first attempt is put to the restart strategy as well', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).setRestartStrategy(RestartStrategies.fixedDelayRestart(3, 10))
    let made = 0
    const numbers = new DataGeneratorSource((index) => index, { count: 5 })
    const source: Source<number> = {
      boundedness: 'bounded',
      createEnumerator(context, restored) {
        if (made++ === 0) throw new Error('not yet')
        return numbers.createEnumerator(context as never, restored as never) as never
      },
      createReader: (context) => numbers.createReader(context) as never,
    }
    const sink = new Ledger<number>()
    env.fromSource(source, WatermarkStrategy.noWatermarks(), 's').sinkTo(sink)
    await world.until(env.execute('x'))
    expect(sink.committed).toEqual([0, 1, 2, 3, 4])
  })
})
