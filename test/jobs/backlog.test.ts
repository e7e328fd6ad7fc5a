/** A source that works off a backlog: periodic checkpoints come at their own interval meanwhile. */
import { expect, it } from 'vitest'
import { type Source, StreamExecutionEnvironment, WatermarkStrategy } from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger, ticks } from './parts.ts'

/** A backlog between these times, in ms after the start. */
function behind(world: World, fromMs: number, toMs: number): Source<number> {
  const source = ticks(world, 40, 10) as Source<number>
  return {
    boundedness: source.boundedness,
    createReader: (context) => source.createReader(context),
    createEnumerator(context, restored) {
      world.clock.setTimer(fromMs, () => context.setIsProcessingBacklog(true))
      world.clock.setTimer(toMs, () => context.setIsProcessingBacklog(false))
      return source.createEnumerator(context, restored)
    },
  }
}

async function triggeredMs(world: World, duringBacklog: number): Promise<readonly number[]> {
  const startMs = world.clock.now()
  const env = world.env()
  env.enableCheckpointing(20).configure({ 'execution.checkpointing.interval-during-backlog': duringBacklog })
  env.fromSource(behind(world, 105, 305), WatermarkStrategy.noWatermarks(), 'behind').sinkTo(new Ledger<number>())
  await world.until(env.execute('backlog'))
  return world.ofType('checkpoint.triggered').map(({ atMs }) => atMs - startMs)
}

const within = (times: readonly number[], fromMs: number, toMs: number) =>
  times.filter((ms) => ms > fromMs && ms < toMs).length

describeJobs('A backlog', (newWorld) => {
  it('with an interval of 0 stops periodic checkpoints, and its end brings them back', async () => {
    const times = await triggeredMs(newWorld(), 0)
    expect(within(times, 0, 105)).toBeGreaterThanOrEqual(4)
    // What was planned when the backlog began still comes.
    expect(within(times, 125, 305)).toBe(0)
    expect(within(times, 305, 400)).toBeGreaterThanOrEqual(3)
  })

  it('makes them rarer with a longer interval', async () => {
    const times = await triggeredMs(newWorld(), 60)
    expect(within(times, 125, 305)).toBe(3)
  })
})

it('An interval for backlogs that is shorter than the interval is refused', async () => {
  const env = StreamExecutionEnvironment.getExecutionEnvironment()
  env.enableCheckpointing(1000).configure({ 'execution.checkpointing.interval-during-backlog': 999 })
  env.fromSequence(1, 2).sinkTo(new Ledger<number>())
  await expect(env.execute('short')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})
