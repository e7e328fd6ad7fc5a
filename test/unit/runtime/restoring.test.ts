/** From what an attempt goes on, and what becomes of one whose sources fail, or that nobody wants any more, meanwhile. */
import { expect, it } from 'vitest'
import { defineSource, RestartStrategies, WatermarkStrategy } from '../../../src/index.ts'
import { NOTHING_AVAILABLE } from '../../../src/operators/operator.ts'
import type { Source } from '../../../src/operators/source.ts'
import { describeJobs, type World } from '../../jobs/harness.ts'
import { Ledger, range, ticks } from '../../jobs/parts.ts'

function declare(world: World, sink: Ledger<number>) {
  const env = world.env().configure({ 'pipeline.fixed-job-id': 'a'.repeat(32) })
  env
    .enableCheckpointing(100)
    .getCheckpointConfig()
    .setCheckpointStorage('/checkpoints')
    .setExternalizedCheckpointRetention('RETAIN_ON_CANCELLATION')
  env.fromSource(ticks(world, 60, 10), WatermarkStrategy.noWatermarks(), 'ticks').sinkTo(sink)
  return env
}

/** Never brings anything; tells of the life of its enumerators. */
function silentSource(log: string[]): Source<number> {
  let made = 0
  return {
    boundedness: 'continuous-unbounded',
    createEnumerator() {
      const name = `enumerator ${++made}`
      return {
        start: () => void log.push(`${name} started`),
        handleSplitRequest() {},
        addSplitsBack() {},
        addReader() {},
        snapshotState: () => 0,
        close: () => void log.push(`${name} closed`),
      }
    },
    createReader: () => ({
      start() {},
      pollNext: () => NOTHING_AVAILABLE,
      isAvailable: () => new Promise<void>(() => {}),
      snapshotState: () => [],
      addSplits() {},
      notifyNoMoreSplits() {},
      close() {},
    }),
  }
}

describeJobs('An attempt', (newWorld) => {
  it('goes on from what its run was started from, never from older checkpoints that lie beside it', async () => {
    const world = newWorld()
    const before = await world.until(declare(world, new Ledger()).executeAsync('x'))
    await world.advance(255)
    await world.until(before.cancel())
    // Begun anew, and over before it had a checkpoint of its own.
    const anew = new Ledger<number>({ makeDurable: () => new Promise(() => {}) })
    const second = await world.until(declare(world, anew).executeAsync('x'))
    await world.advance(50)
    await world.until(second.suspend({ timeoutMs: 20 }))
    expect(anew.written[0]).toBe(0)
    const sink = new Ledger<number>()
    await world.until(declare(world, sink).execute('x', { resume: 'latest' }))
    expect(sink.committed).toEqual(range(0, 59))
  })

  it('is not deployed when an enumerator fails while state is restored: the restart strategy is asked again', async () => {
    const world = newWorld()
    const env = world.env().setRestartStrategy(RestartStrategies.fixedDelayRestart(3, 10))
    env.enableCheckpointing(1_000)
    let listings = 0
    const source = defineSource<number, number>({
      boundedness: 'bounded',
      splits: () => {
        if (++listings === 2) throw new Error('listing failed')
        return ['a']
      },
      start: () => 0,
      async *read(_, position) {
        for (let value = position; value < 5; value++) yield { value, position: value + 1 }
      },
    })
    const sink = new Ledger<number>()
    env
      .fromSource(source, WatermarkStrategy.noWatermarks(), 'listed')
      .process<number>(({ attemptNumber }) => ({
        processElement(value, _, out) {
          if (attemptNumber === 0 && value === 2) throw new Error('down')
          out.collect(value)
        },
      }))
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(listings).toBe(3)
    expect(sink.committed).toEqual(range(0, 4))
    const why = world.ofType('restart.scheduled').map(({ error }) => (error as Error).message)
    expect(why).toEqual(['down', 'listing failed'])
  })

  it('that is suspended while its state is read leaves no enumerator behind', async () => {
    const world = newWorld()
    const log: string[] = []
    const declareSilent = () => {
      const env = world.env()
      env.enableCheckpointing(100).getCheckpointConfig().setCheckpointStorage('/checkpoints')
      env.fromSource(silentSource(log), WatermarkStrategy.noWatermarks(), 'silent').sinkTo(new Ledger<number>())
      return env
    }
    const first = await world.until(declareSilent().executeAsync('x'))
    await world.advance(150)
    await world.until(first.suspend())
    log.length = 0
    const second = await world.until(declareSilent().executeAsync('x', { resume: 'latest' }))
    let read = () => {}
    const until = new Promise<void>((resolve) => {
      read = resolve
    })
    let held = 0
    world.files.interfere = ({ type }) => (type === 'read' && held++ === 0 ? { type: 'hold', until } : undefined)
    await world.when(() => held > 0)
    await world.until(second.suspend())
    read()
    await world.advance(1_000)
    expect(log).toEqual(['enumerator 1 closed'])
  })
})
