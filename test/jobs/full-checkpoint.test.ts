/** A full checkpoint of state on disk: it names no file of an earlier one, and those after it go on from it. */
import { expect, it } from 'vitest'
import { simulatedStores } from '../../src/base/simulated-ordered-stores.ts'
import { type Configuration, ValueStateDescriptor, WatermarkStrategy } from '../../src/index.ts'
// Loaded by the job when it needs them; that must not take time of a clock that stands still.
import '../../src/state/level/level-state-backend.ts'
import '../../src/state/level/scratch-folders.ts'
import '../../src/state/level/table-self-check.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger, ticks } from './parts.ts'

const KEYS = 200

/** A value for each key, on disk; checkpoints only when they are asked for. */
async function started(world: World, set: Configuration = {}) {
  Object.assign(world.ports, { stores: simulatedStores({ files: world.files, turns: world }) })
  const env = world.env().enableCheckpointing('1 h')
  env.configure({ 'state.backend.type': 'leveldb', 'state.backend.leveldb.localdir': '/scratch' })
  // Small state would stand in the metadata itself, anew each time.
  env.configure({ 'execution.checkpointing.data-inline-threshold': 0, ...set })
  env.getCheckpointConfig().setCheckpointStorage('/checkpoints')
  env
    .fromSource(ticks(world, 10_000, 1), WatermarkStrategy.noWatermarks(), 'ticks')
    .keyBy((value) => (value < KEYS ? value : 0))
    .process<number>((context) => {
      const text = context.getState(new ValueStateDescriptor('text', { default: () => '' }))
      return { processElement: (value) => text.update(`${value} `.repeat(10)) }
    })
    .sinkTo(new Ledger<number>())
  const client = await world.until(env.executeAsync('x'))
  await world.advance(KEYS + 10)
  return client
}

/** Of the last checkpoint: what it wrote itself, and what it names. */
function bytes(world: World) {
  const [last] = world.handles[0]?.checkpoints().history ?? []
  return { written: last?.checkpointedBytes ?? 0, named: last?.stateBytes ?? 0 }
}

describeJobs('A checkpoint of state on disk', (newWorld) => {
  it('names files of earlier ones, unless a full one is asked for; the next goes on from that', async () => {
    const world = newWorld()
    const client = await started(world, { 'execution.checkpointing.incremental': true })
    const take = async (type?: 'FULL' | 'CONFIGURED' | 'INCREMENTAL') => {
      await world.advance(20)
      await world.until(client.triggerCheckpoint({ type }))
      return bytes(world)
    }
    const first = await take()
    expect(first.written).toBe(first.named)
    for (const type of [undefined, 'INCREMENTAL', 'CONFIGURED'] as const) {
      const next = await take(type)
      expect(next.written).toBeLessThan(next.named / 2)
    }
    const full = await take('FULL')
    expect(full.written).toBe(full.named)
    expect(full.written).toBeGreaterThan(first.written / 2)
    const after = await take()
    expect(after.written).toBeLessThan(after.named / 2)
    await world.until(client.cancel())
  })

  it('is as it is set also where an incremental one is asked for', async () => {
    const world = newWorld()
    const client = await started(world, { 'execution.checkpointing.incremental': false })
    for (const type of ['INCREMENTAL', 'FULL', 'INCREMENTAL'] as const) {
      await world.until(client.triggerCheckpoint({ type }))
      const { written, named } = bytes(world)
      expect(written).toBe(named)
    }
    await world.until(client.cancel())
  })
})
