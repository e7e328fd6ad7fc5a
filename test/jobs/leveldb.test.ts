/** Jobs whose keyed state lives on disk behind a cache that holds almost nothing of it. */
import { expect, it } from 'vitest'
import { simulatedStores } from '../../src/base/simulated-ordered-stores.ts'
import {
  type Configuration,
  ListStateDescriptor,
  MapStateDescriptor,
  RestartStrategies,
  type StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../src/index.ts'
// Loaded by the job when it needs them; that must not take time of a clock that stands still.
import '../../src/state/level/level-state-backend.ts'
import '../../src/state/level/scratch-folders.ts'
import '../../src/state/level/table-self-check.ts'
import { describeJobs, type World, type WorldOptions } from './harness.ts'
import { Ledger, range, ticks } from './parts.ts'

const COUNT = 300
const KEYS = 50
const SETTINGS: Configuration = {
  'state.backend.type': 'leveldb',
  'state.backend.leveldb.cache-size': '4 kb',
  'state.backend.leveldb.localdir': '/scratch',
}

/** Counts, with a list and a map of each key; a timer tells of the third time. */
function declare(env: StreamExecutionEnvironment, world: World, sink: Ledger<string>, failAt?: number) {
  env.enableCheckpointing(100).getCheckpointConfig().setCheckpointStorage('/checkpoints')
  env
    .fromSource(ticks(world, COUNT, 5), WatermarkStrategy.noWatermarks(), 'ticks')
    .keyBy((value) => value % KEYS)
    .process<string>((context) => {
      const count = context.getState(new ValueStateDescriptor('count', { default: () => 0 }))
      const names = context.getListState(new ListStateDescriptor<string>('names'))
      const seen = context.getMapState(new MapStateDescriptor<string, number>('seen'))
      return {
        processElement(value, at, out) {
          if (value === failAt && context.attemptNumber === 0) throw new Error('down')
          count.update(count.value() + 1)
          names.add(`${value}`)
          seen.set('last', value)
          if (count.value() === 3) at.timerService().registerProcessingTimeTimer(world.clock.now() + 50)
          out.collect(`${at.getCurrentKey()}:${count.value()} ${[...names.get()].join()} ${seen.get('last')}`)
        },
        onTimer(_, at, out) {
          out.collect(`${at.getCurrentKey()} has ${[...names.get()].join()}`)
        },
      }
    })
    .setParallelism(2)
    .sinkTo(sink)
}

const expected = range(0, COUNT - 1)
  .flatMap((value) => {
    const key = value % KEYS
    const names = range(0, Math.floor(value / KEYS)).map((round) => key + round * KEYS)
    const line = `${key}:${names.length} ${names.join()} ${value}`
    return names.length === 3 ? [line, `${key} has ${names.join()}`] : [line]
  })
  .toSorted()

describeJobs('A job with state on disk', (newWorld) => {
  const worldOf = (options: WorldOptions = {}) => {
    const world = newWorld(options)
    Object.assign(world.ports, { stores: simulatedStores({ files: world.files, turns: world }) })
    return world
  }
  const envOf = (world: World) => {
    const env = world.env()
    env.configure(SETTINGS)
    return env
  }

  it('holds what it would hold on the heap, and leaves nothing on the disk but its checkpoints', async () => {
    const world = worldOf()
    const env = envOf(world)
    const sink = new Ledger<string>()
    declare(env, world, sink)
    await world.until(env.execute('x'))
    expect(sink.committed.toSorted()).toEqual(expected)
    expect(await world.until(world.files.list('/scratch'))).toEqual([])
  })

  it('restarts exactly from checkpoints that name files of earlier ones', async () => {
    const world = worldOf()
    const env = envOf(world)
    const sink = new Ledger<string>()
    declare(env, world, sink, COUNT - 20)
    env.setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 10))
    await world.until(env.execute('x'))
    expect(world.ofType('restart.scheduled')).toHaveLength(1)
    expect(sink.committed.toSorted()).toEqual(expected)
  })

  it('goes on after a suspension where it was', async () => {
    const world = worldOf()
    const sink = new Ledger<string>()
    const first = envOf(world)
    declare(first, world, sink)
    const client = await world.until(first.executeAsync('x'))
    await world.advance(700)
    await world.until(client.suspend())
    const second = envOf(world)
    declare(second, world, sink)
    await world.until(second.execute('x', { resume: 'latest' }))
    expect(sink.committed.toSorted()).toEqual(expected)
  })

  it('begins anew, exactly, where its scratch folder could not be made once', async () => {
    const world = worldOf()
    let refused = 0
    world.files.interfere = ({ type, path }) =>
      type === 'makeFolder' && path.startsWith('/scratch/') && refused++ === 0
        ? { type: 'fail', code: 'ENOSPC' }
        : undefined
    const env = envOf(world)
    const sink = new Ledger<string>()
    declare(env, world, sink)
    env.setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 10))
    await world.until(env.execute('x'))
    expect(world.ofType('restart.scheduled')).toHaveLength(1)
    expect(sink.committed.toSorted()).toEqual(expected)
    expect(await world.until(world.files.list('/scratch'))).toEqual([])
  })
})
