/** Two pipelines that meet in what they write to restart together: one of them must not take the other's work for that of a dead attempt. */
import { expect, it } from 'vitest'
import { FileSink, RestartStrategies, type Sink, WatermarkStrategy } from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { byNumber, Ledger, range, ticks } from './parts.ts'

const COUNT = 30

/** In which attempts the two have run. */
async function attempts(world: World, one: Sink<number>, other: Sink<number>) {
  const env = world.env()
  env.enableCheckpointing(70).setRestartStrategy(RestartStrategies.fixedDelayRestart(5, 20))
  let fails = true
  env
    .fromSource(ticks(world, COUNT, 10), WatermarkStrategy.noWatermarks(), 'one')
    .map((value) => {
      if (value !== 12 || !fails) return value
      fails = false
      throw new Error('down')
    })
    .sinkTo(one)
  env
    .fromSource(ticks(world, COUNT, 10), WatermarkStrategy.noWatermarks(), 'other')
    .map((value) => value + 100)
    .sinkTo(other)
  await world.until(env.execute('x'))
  const of = (name: string) => [
    ...new Set(
      world.ofType('task.status').flatMap(({ vertex, attempt }) => (vertex.includes(`: ${name}`) ? [attempt] : [])),
    ),
  ]
  return [of('one'), of('other')]
}

describeJobs('Two pipelines of one job', (newWorld) => {
  it('that write into one folder restart together, and each record is there once', async () => {
    const world = newWorld()
    const sink = () => FileSink.forJsonLines<number>('/out')
    expect(await attempts(world, sink(), sink())).toEqual([
      [1, 2],
      [1, 2],
    ])
    const listed = await world.until(world.files.list('/out'))
    // What begins with a dot is not finished: nobody reads it.
    const names = listed.map(({ name }) => name).filter((name) => !name.startsWith('.'))
    const texts = await Promise.all(names.map((name) => world.until(world.files.read(`/out/${name}`))))
    const values = texts.flatMap((bytes) => Buffer.from(bytes).toString().trim().split('\n').map(Number))
    expect(values.toSorted(byNumber)).toEqual([...range(0, COUNT - 1), ...range(100, COUNT + 99)])
  })

  it('that write to one sink restart together, those with a folder each apart', async () => {
    const ledger = new Ledger<number>()
    expect(await attempts(newWorld(), ledger, ledger)).toEqual([
      [1, 2],
      [1, 2],
    ])
    const apart = await attempts(newWorld(), FileSink.forJsonLines('/a'), FileSink.forJsonLines('/b'))
    expect(apart).toEqual([[1, 2], [1]])
  })
})
