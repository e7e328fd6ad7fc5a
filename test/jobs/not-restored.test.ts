/** State that would find no place in a changed program: a start refuses to lose it, unless it is told that it may. */
import { expect, it } from 'vitest'
import { type StreamExecutionEnvironment, ValueStateDescriptor, WatermarkStrategy } from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger, range, ticks } from './parts.ts'

const COUNT = 20

const fromTicks = (env: StreamExecutionEnvironment, world: World, uid: string) =>
  env.fromSource(ticks(world, COUNT, 10), WatermarkStrategy.noWatermarks(), 'ticks').uid(uid)

/** Counts per key, with uid `count`. */
function keyed(env: StreamExecutionEnvironment, world: World, sink: Ledger<number>): void {
  fromTicks(env, world, 'ticks')
    .keyBy(() => 'all')
    .process<number>((context) => {
      const count = context.getState(new ValueStateDescriptor('count', { default: () => 0 }))
      return {
        processElement(_, __, out) {
          count.update(count.value() + 1)
          out.collect(count.value())
        },
      }
    })
    .uid('count')
    .sinkTo(sink)
    .uid('sink')
}

function withoutKeyBy(env: StreamExecutionEnvironment, world: World, sink: Ledger<number>): void {
  fromTicks(env, world, 'ticks')
    .map((value) => value)
    .uid('count')
    .sinkTo(sink)
    .uid('sink')
}

/** Where the source was is a map now, in the chain of another source. */
function withAnotherSource(env: StreamExecutionEnvironment, world: World, sink: Ledger<number>): void {
  fromTicks(env, world, 'other ticks')
    .map((value) => value)
    .uid('ticks')
    .keyBy(() => 'all')
    .process<number>(() => ({ processElement: (value, _, out) => out.collect(value) }))
    .uid('count')
    .sinkTo(sink)
    .uid('sink')
}

async function savepointOf(world: World): Promise<string> {
  const env = world.env()
  env.enableCheckpointing(1_000)
  keyed(env, world, new Ledger())
  const client = await world.until(env.executeAsync('old'))
  await world.advance(105)
  return world.until(client.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints' }))
}

describeJobs('A start from state of an older program', (newWorld) => {
  it.each([
    { lost: 'the keyed state of "count"', program: withoutKeyBy, from: 10 },
    { lost: 'the split enumerator of "ticks"', program: withAnotherSource, from: 0 },
  ])('refuses to lose $lost, and loses it where it is told that it may', async ({ lost, program, from }) => {
    const world = newWorld()
    const savepoint = await savepointOf(world)
    const start = (sink: Ledger<number>, allowNonRestoredState: boolean) => {
      const env = world.env()
      env.enableCheckpointing(1_000)
      program(env, world, sink)
      return env.execute('new', { fromSavepoint: savepoint, allowNonRestoredState })
    }
    const refused = new Ledger<number>()
    const failure = await world.failure(start(refused, false))
    expect(failure).toMatchObject({ code: 'STATE_NOT_RESTORED', message: expect.stringContaining(lost) })
    expect(failure.hint).toContain('--allowNonRestoredState')
    expect(refused.written).toEqual([])

    const sink = new Ledger<number>()
    await world.until(start(sink, true))
    expect(sink.written).toEqual(range(from, COUNT - 1))
  })

  it('restores a program that has not changed', async () => {
    const world = newWorld()
    const savepoint = await savepointOf(world)
    const env = world.env()
    env.enableCheckpointing(1_000)
    const sink = new Ledger<number>()
    keyed(env, world, sink)
    await world.until(env.execute('same', { fromSavepoint: savepoint }))
    expect(sink.written).toEqual(range(11, COUNT))
  })
})
